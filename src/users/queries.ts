import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import type { UserSlice } from '../adapter.js';
import type { CallerCall } from '../callers/caller.js';
import type { Clusters } from '../clusters/directory.js';
import type { AccountProblem } from '../clusters/discovery.js';
import type { Target } from '../clusters/registry.js';
import type { Cursors } from '../cursors.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Role, User } from '../model.js';
import { badResponse } from '../wire.js';
import { markOf, type Position, readPosition, type Scope, writePosition } from './cursor.js';
import { toUser } from './entity-tag.js';
import type { KeptList, KeptLists, Look } from './kept-lists.js';
import { fitting, type Sources } from './sources.js';
import { begun, stretchesAt, stretchesOf } from './stream.js';

export interface UserQuery {
  readonly limit: number;
  readonly offset?: number | undefined;
  readonly cursor?: string | undefined;
  readonly search?: string | undefined;
  readonly role?: Role | undefined;
}

export interface UserList {
  /** With the vendor's attributes; a caller that was not asked for them leaves them out. */
  readonly users: readonly User[];
  readonly total: number | null;
  readonly nextCursor: string | null;
  /** Rows that name nobody, and are left out. */
  readonly omitted: number;
  /** When the vendor was asked, in milliseconds since 1970. */
  readonly readAt: number;
  /** Of the list that is kept for the cursor, where there is one. */
  readonly listId: string | null;
}

export type StreamQuery = Pick<UserQuery, 'offset' | 'search' | 'role'>;

export interface UserStretch {
  readonly users: readonly User[];
  readonly omitted: number;
}

export interface UserStream {
  readonly readAt: number;
  readonly stretches: AsyncIterable<UserStretch>;
}

export interface FoundUser {
  readonly user: User;
  readonly readAt: number;
}

export interface Users {
  list(clusterId: string, query: UserQuery, call: CallerCall): Promise<UserList>;
  /** Those of these names who are there, in this order. */
  lookUp(clusterId: string, usernames: readonly string[], role: Role | undefined, call: CallerCall): Promise<UserList>;
  /**
   * All users from a position on, a stretch at a time, and how many rows are left out so far. The first stretch is there when it resolves.
   * @throws before the first stretch, what `list` throws
   */
  stream(clusterId: string, query: StreamQuery, call: CallerCall): Promise<UserStream>;
  get(clusterId: string, username: string, call: CallerCall): Promise<FoundUser>;
  /** The user of this name on every cluster that the caller may see, or why there is none. */
  everywhere(username: string, call: CallerCall): Promise<Everywhere>;
}

export interface Everywhere {
  readonly items: readonly { readonly clusterId: string; readonly found: User | GatewayError }[];
  readonly problems: readonly AccountProblem[];
}

/** Clusters of one account that are asked at the same time: one that does not answer holds up no others. */
const CLUSTERS_AT_ONCE = 4;
const MAX_WAITING = 100_000;

/** A window, and where the next one goes on. */
interface Window {
  readonly slice: UserSlice;
  readonly readAt: number;
  /** Of the list that cursors go on in. */
  readonly list?: KeptList;
}

/** Windows of lists that are kept, as they were answered: the same again is the same answer. */
const createWindows = () => {
  const windows = new WeakMap<KeptList, Map<string, UserList>>();
  return {
    of: (list: KeptList, key: string): UserList | undefined => windows.get(list)?.get(key),
    /** As long as the windows of a list have no more users together than the list. */
    keep: (list: KeptList, key: string, answer: UserList): void => {
      const known = windows.get(list) ?? new Map<string, UserList>();
      windows.set(list, known);
      const users = [...known.values()].reduce((sum, one) => sum + one.users.length, answer.users.length);
      if (answer.users.length > 0 && users <= list.users.length) known.set(key, answer);
    },
  };
};

/** @param deadlineMs of each reading of a stream */
export const createUsers = (
  clusters: Clusters,
  cursors: Cursors,
  lists: Pick<KeptLists, 'look' | 'pinned' | 'pin'>,
  sources: Sources,
  deadlineMs: number,
): Users => {
  const { isSearchTrusted, all, window, one, among } = sources;
  const windows = createWindows();

  const windowOf = (list: KeptList, query: UserQuery, offset: number): Window => {
    const users = fitting(list, query);
    const slice = { users: users.slice(offset, offset + query.limit), total: users.length, omitted: list.omitted };
    return { slice, readAt: list.readAt, list };
  };

  /** The position in a filtered list is known only after reading the whole. */
  const readFiltered = async (
    target: Target,
    look: Look,
    query: UserQuery,
    position: Position,
    call: CallerCall,
  ): Promise<Window> => {
    const { snapshot, offset } = position;
    const { list, isKept } = await all(target, look, { search: query.search, snapshot }, call);
    const found = windowOf(list, query, offset);
    return isKept ? found : { slice: found.slice, readAt: found.readAt };
  };

  const getAt = async (target: Target, username: string, call: CallerCall): Promise<FoundUser> => {
    const { user, readAt } = await one(target, username, call);
    if (user) return { user: toUser(target, user), readAt };
    await clusters.facts(target, call);
    throw new GatewayError('user_not_found', `There is no user ${username} on the cluster ${target.id}.`);
  };

  return {
    list: async (clusterId, query, call) => {
      if (query.cursor !== undefined && query.offset !== undefined) {
        const message = 'cannot be used together with offset';
        throw new GatewayError('invalid_request', `The cursor ${message}.`, { errors: [{ pointer: '/query/cursor', message }] });
      }
      const scope: Scope = { clusterId, search: query.search, role: query.role };
      const position: Position =
        query.cursor === undefined ? { offset: query.offset ?? 0 } : readPosition(cursors, query.cursor, scope, call);
      const { offset } = position;
      const target = await clusters.resolve(clusterId, call);
      const filtered = query.search !== undefined || query.role !== undefined;
      const pinned = lists.pinned(position.list, target);
      const look = pinned ? undefined : await lists.look(target, call);
      const known = pinned ?? look?.list;
      // A cursor is good for its caller only.
      const key = known && JSON.stringify([clusterId, offset, query.limit, query.search, query.role, call.caller.id]);
      const before = known && key !== undefined ? windows.of(known, key) : undefined;
      if (before) return before;
      const found: Window = known
        ? windowOf(known, query, offset)
        : await (filtered
            ? readFiltered(target, look as Look, query, position, call)
            : window(target, look as Look, query.limit, position, call));
      const { slice, readAt, list } = found;
      const { omitted = 0 } = slice;
      // A list that is kept has no page twice.
      const mark = filtered || list ? undefined : markOf(slice);
      if (mark !== undefined && mark === position.mark) throw badResponse('a page that repeats another one');
      // Shanhe may answer an unknown cluster with an empty list.
      if (offset === 0 && slice.users.length + omitted === 0) await clusters.facts(target, call);

      // By position: a vendor that leaves a hole in a page must not make the next window begin inside this one.
      const next = offset + query.limit;
      const more = slice.total === null ? slice.users.length + omitted === query.limit : next < slice.total;
      if (more && list) lists.pin(list);
      const answer: UserList = {
        readAt,
        listId: (more && list?.id) || null,
        users: slice.users.map((user) => toUser(target, user)),
        total: slice.total,
        omitted,
        nextCursor: more
          ? writePosition(cursors, { offset: next, snapshot: slice.snapshot, mark, list: list?.id }, scope, call)
          : null,
      };
      if (known && key !== undefined) windows.keep(known, key, answer);
      return answer;
    },

    stream: async (clusterId, query, call) => {
      const { offset = 0, search } = query;
      const target = await clusters.resolve(clusterId, call);
      const look = await lists.look(target, call);
      const isShort = search !== undefined && (await isSearchTrusted(target, call));
      const found = look.list ?? (isShort ? (await all(target, look, { search }, call)).list : undefined);
      const { first, stretches } = await begun(
        found ? stretchesOf(found, offset, query, call.owner) : stretchesAt(target, offset, query, call, deadlineMs),
      );
      // Shanhe may answer an unknown cluster with an empty list.
      if (offset === 0 && first && first.users.length + first.omitted === 0) await clusters.facts(target, call);
      const shown = async function* (): AsyncGenerator<UserStretch> {
        for await (const { users, omitted } of stretches) yield { users: users.map((user) => toUser(target, user)), omitted };
      };
      return { readAt: found?.readAt ?? look.at, stretches: shown() };
    },

    lookUp: async (clusterId, usernames, role, call) => {
      const target = await clusters.resolve(clusterId, call);
      const { found, omitted, readAt } = await among(target, usernames, call, 'those who are missing exist');
      if ([...found.values()].every((user) => user === null)) await clusters.facts(target, call);
      const users = usernames
        .map((username) => found.get(username) ?? null)
        .filter((user) => user !== null)
        .filter((user) => role === undefined || user.role === role)
        .map((user) => toUser(target, user));
      return { users, total: users.length, omitted, nextCursor: null, readAt, listId: null };
    },

    get: async (clusterId, username, call) => getAt(await clusters.resolve(clusterId, call), username, call),

    everywhere: async (username, call) => {
      const items: { clusterId: string; found: User | GatewayError }[] = [];
      const slots = new Map<string, BulkheadPolicy>();
      const slotsOf = ({ account: { name } }: Target): BulkheadPolicy => {
        const own = slots.get(name) ?? bulkhead(CLUSTERS_AT_ONCE, MAX_WAITING);
        slots.set(name, own);
        return own;
      };
      const problems = await clusters.forEach(call, async (target) => {
        const found = await slotsOf(target)
          .execute(async () => (await getAt(target, username, call)).user)
          .catch(asGatewayError);
        items.push({ clusterId: target.id, found });
      });
      items.sort((one, other) => (one.clusterId < other.clusterId ? -1 : 1));
      return { items, problems };
    },
  };
};
