import { GatewayError } from '../../../src/errors.js';
import type { components } from '../../../src/generated/openapi.js';
import type { User } from '../../../src/model.js';
import type { UserList, UserStream, Users } from '../../../src/users/queries.js';
import { ageOf, isKnown, tagOf } from '../conditional.js';
import { incompleteOf } from '../incomplete.js';
import type { Handlers } from '../operations.js';
import { toProblem } from '../problem.js';
import { asCsv, asLines, CSV, NDJSON } from '../streams.js';
import { invalidRequest } from '../validation.js';
import { plain } from './operations.js';
import { tagged } from './writes.js';

type Include = 'vendor' | undefined;
type Served = 'listUsers' | 'getUser' | 'findUser';
type UserPage = components['schemas']['UserPage'];

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

/** A stream has all that there is. @throws invalid_request */
const refuseWindow = (url: string): void => {
  const params = new URLSearchParams(url.split('?')[1]);
  const errors = ['limit', 'cursor']
    .filter((name) => params.has(name))
    .map((name) => ({ pointer: `/query/${name}`, message: 'cannot be used where all users are streamed; leave it out' }));
  if (errors.length > 0) throw invalidRequest(errors);
};

interface WrittenPage {
  readonly tag: string;
  readonly json: string;
}

const writePage = ({ users, total, nextCursor, omitted, listId }: UserList, include: Include): WrittenPage => {
  const items = users.map((user) => shown(user, include));
  const incomplete = incompleteOf(omitted);
  // A cursor is spelt differently each time, and means the same as long as it names the same list.
  const tag = tagOf([items, total, incomplete, nextCursor === null, listId]);
  const body: UserPage = { items, total, nextCursor, incomplete };
  return { tag, json: JSON.stringify(body) };
};

/** A list that is answered again is not written again. */
const createWriter = () => {
  const known = { plain: new WeakMap<UserList, WrittenPage>(), vendor: new WeakMap<UserList, WrittenPage>() };
  return (list: UserList, include: Include): WrittenPage => {
    const pages = known[include ?? 'plain'];
    const page = pages.get(list) ?? writePage(list, include);
    pages.set(list, page);
    return page;
  };
};

const oneStretch = ({ users, omitted, readAt }: UserList): UserStream => ({
  readAt,
  stretches: (async function* () {
    yield { users, omitted };
  })(),
});

export const userHandlers = (users: Users, now: () => number, written = createWriter()): Pick<Handlers, Served> => ({
  findUser: async ({ params: { username }, url, call, links }) => {
    const { items, problems } = await users.everywhere(username, call);
    const about = { instance: url.split('?')[0] ?? url, requestId: call.requestId, links };
    return {
      status: 200,
      body: {
        username,
        items: items.map(({ clusterId, found }) =>
          found instanceof GatewayError ? { clusterId, problem: toProblem(found, about) } : { clusterId, user: plain(found) },
        ),
        problems: problems.map(({ account, error }) => ({ account, problem: toProblem(error, about) })),
      },
    };
  },

  listUsers: async ({ params, query, headers, accepts, noteFailure, url, call, links }) => {
    const { include, limit = 50, username, ...rest } = query;
    const type = accepts(['application/json', NDJSON, CSV]);
    if (type === NDJSON || type === CSV) {
      refuseWindow(url);
      const { readAt, stretches } =
        username === undefined
          ? await users.stream(params.clusterId, rest, call)
          : oneStretch(await users.lookUp(params.clusterId, namesIn(username, rest), rest.role, call));
      const about = { instance: url.split('?')[0] ?? url, requestId: call.requestId, links };
      const lines =
        type === CSV ? asCsv(stretches, noteFailure) : asLines(stretches, (user) => shown(user, include), about, noteFailure);
      return { status: 200, type, stream: lines, headers: ageOf(readAt, now()) };
    }
    const list = await (username === undefined
      ? users.list(params.clusterId, { ...rest, limit }, call)
      : users.lookUp(params.clusterId, namesIn(username, rest), rest.role, call));
    const { readAt, nextCursor } = list;
    const { tag, json } = written(list, include);
    const facts = { ETag: tag, ...ageOf(readAt, now()) };
    if (isKnown(headers['If-None-Match'], tag)) return { status: 304, headers: facts };
    const link = nextCursor === null ? {} : { Link: `<${links.to(nextUrl(url, nextCursor))}>; rel="next"` };
    return { status: 200, json, headers: { ...facts, ...link } };
  },

  getUser: async ({ params, query, headers, call }) => {
    const { user, readAt } = await users.get(params.clusterId, params.username, call);
    const facts = { ...tagged(user), ...ageOf(readAt, now()) };
    // The tag says nothing of what the vendor has beside the model.
    const isSame = query.include === undefined && isKnown(headers['If-None-Match'], facts.ETag);
    return isSame ? { status: 304, headers: facts } : { status: 200, body: shown(user, query.include), headers: facts };
  },
});
