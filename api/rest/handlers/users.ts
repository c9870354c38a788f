import { GatewayError } from '../../../src/errors.js';
import type { User } from '../../../src/model.js';
import type { Users } from '../../../src/users/queries.js';
import { linkTo } from '../base.js';
import { incompleteOf } from '../incomplete.js';
import type { Handlers } from '../operations.js';
import { toProblem } from '../problem.js';
import { invalidRequest } from '../validation.js';
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

const MAX_NAMES = 100;
const MAX_NAME_LENGTH = 255;

/** The names of a look-up. @throws invalid_request */
const namesIn = (username: string, others: Readonly<Record<string, unknown>>): string[] => {
  const contradicting = ['search', 'offset', 'cursor'].filter((name) => others[name] !== undefined);
  const names = [...new Set(username.split(',').map((name) => name.trim()))];
  const errors = [
    ...contradicting.map((name) => ({ pointer: `/query/${name}`, message: 'cannot be used together with username' })),
    ...(names.length > MAX_NAMES ? [{ pointer: '/query/username', message: `must have at most ${MAX_NAMES} names` }] : []),
    ...(names.includes('')
      ? [{ pointer: '/query/username', message: 'has an empty name; put one comma between two names' }]
      : []),
    ...(names.some((name) => name.length > MAX_NAME_LENGTH)
      ? [{ pointer: '/query/username', message: `has a name of more than ${MAX_NAME_LENGTH} characters` }]
      : []),
  ];
  if (errors.length > 0) throw invalidRequest(errors);
  return names;
};

export const userHandlers = (users: Users): Pick<Handlers, 'listUsers' | 'getUser' | 'findUser'> => ({
  findUser: async ({ params: { username }, url, call }) => {
    const { items, problems } = await users.everywhere(username, call);
    const path = url.split('?')[0] ?? url;
    return {
      status: 200,
      body: {
        username,
        items: items.map(({ clusterId, found }) =>
          found instanceof GatewayError
            ? { clusterId, problem: toProblem(found, path, call.requestId) }
            : { clusterId, user: plain(found) },
        ),
        problems: problems.map(({ account, error }) => ({ account, problem: toProblem(error, path, call.requestId) })),
      },
    };
  },

  listUsers: async ({ params, query, url, call }) => {
    const { include, limit = 50, username, ...rest } = query;
    const {
      users: items,
      total,
      nextCursor,
      omitted,
    } = username === undefined
      ? await users.list(params.clusterId, { ...rest, limit }, call)
      : await users.lookUp(params.clusterId, namesIn(username, rest), rest.role, call);
    return {
      status: 200,
      body: { items: items.map((user) => shown(user, include)), total, nextCursor, incomplete: incompleteOf(omitted) },
      ...(nextCursor !== null && { headers: { Link: `<${linkTo(nextUrl(url, nextCursor))}>; rel="next"` } }),
    };
  },

  getUser: async ({ params, query, call }) => {
    const user = await users.get(params.clusterId, params.username, call);
    return { status: 200, body: shown(user, query.include), headers: tagged(user) };
  },
});
