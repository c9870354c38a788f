import type { User } from '../../../src/model.js';
import type { Users } from '../../../src/users/queries.js';
import { incompleteOf } from '../incomplete.js';
import type { Handlers } from '../operations.js';
import { plain } from './operations.js';
import { tagged } from './writes.js';

type Include = 'vendor' | undefined;

const shown = (user: User, include: Include): User => (include === 'vendor' ? user : plain(user));

/** The URL of the request with the cursor of the next window in place of its own position. */
const nextUrl = (url: string, cursor: string): string => {
  const [path = '', query = ''] = url.split('?');
  const params = new URLSearchParams(query);
  params.delete('offset');
  params.set('cursor', cursor);
  return `${path}?${params}`;
};

export const userHandlers = (users: Users): Pick<Handlers, 'listUsers' | 'getUser'> => ({
  listUsers: async ({ params, query, url, call }) => {
    const { include, limit = 50, ...rest } = query;
    const { users: items, total, nextCursor, omitted } = await users.list(params.clusterId, { ...rest, limit }, call);
    return {
      status: 200,
      body: { items: items.map((user) => shown(user, include)), total, nextCursor, incomplete: incompleteOf(omitted) },
      ...(nextCursor !== null && { headers: { Link: `<${nextUrl(url, nextCursor)}>; rel="next"` } }),
    };
  },

  getUser: async ({ params, query, call }) => {
    const user = await users.get(params.clusterId, params.username, call);
    return { status: 200, body: shown(user, query.include), headers: tagged(user) };
  },
});
