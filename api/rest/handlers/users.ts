import type { User } from '../../../src/model.js';
import type { Outcome } from '../../../src/service/operations.js';
import type { Users } from '../../../src/service/users.js';
import type { Handlers } from '../operations.js';
import { accepted } from './operations.js';

type Include = 'vendor' | undefined;

const shown = (user: User, include: Include): User => {
  if (include === 'vendor') return user;
  const { name, userId } = user.vendor;
  return { ...user, vendor: { name, userId } };
};

const userPath = (clusterId: string, username: string): string =>
  `/clusters/${encodeURIComponent(clusterId)}/users/${encodeURIComponent(username)}`;

/** The URL of the request with the cursor of the next window in place of its own position. */
const nextUrl = (url: string, cursor: string): string => {
  const [path = '', query = ''] = url.split('?');
  const params = new URLSearchParams(query);
  params.delete('offset');
  params.set('cursor', cursor);
  return `${path}?${params}`;
};

const noContent = (outcome: Outcome<undefined>) => (outcome.settled ? { status: 204 as const } : accepted(outcome.operation));

type UserOperation = 'listUsers' | 'createUser' | 'getUser' | 'updateUser' | 'deleteUser' | 'setUserPassword';

export const userHandlers = (users: Users): Pick<Handlers, UserOperation> => ({
  listUsers: async ({ params, query, url, call }) => {
    const { include, limit = 50, ...rest } = query;
    const { users: items, total, nextCursor } = await users.list(params.clusterId, { ...rest, limit }, call);
    return {
      status: 200,
      body: { items: items.map((user) => shown(user, include)), total, nextCursor },
      ...(nextCursor !== null && { headers: { Link: `<${nextUrl(url, nextCursor)}>; rel="next"` } }),
    };
  },

  createUser: async ({ params, body, call }) => {
    const outcome = await users.create(params.clusterId, body, call);
    if (!outcome.settled) return accepted(outcome.operation);
    const user = shown(outcome.value, undefined);
    return { status: 201, body: user, headers: { Location: userPath(params.clusterId, user.username) } };
  },

  getUser: async ({ params, query, call }) => ({
    status: 200,
    body: shown(await users.get(params.clusterId, params.username, call), query.include),
  }),

  updateUser: async ({ params, body, call }) => {
    const outcome = await users.setRole(params.clusterId, params.username, body.role, call);
    return outcome.settled ? { status: 200, body: shown(outcome.value, undefined) } : accepted(outcome.operation);
  },

  deleteUser: async ({ params, call }) => noContent(await users.delete(params.clusterId, params.username, call)),

  setUserPassword: async ({ params, body, call }) =>
    noContent(await users.setPassword(params.clusterId, params.username, body.password, call)),
});
