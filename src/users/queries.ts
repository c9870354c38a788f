import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import type { Call, UserSlice, VendorUser } from '../adapter.js';
import type { CallerCall } from '../callers/caller.js';
import { type Clusters, capabilitiesOf } from '../clusters/directory.js';
import type { AccountProblem } from '../clusters/discovery.js';
import type { Target } from '../clusters/registry.js';
import type { Cursors } from '../cursors.js';
import { firstOf } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Role, User } from '../model.js';
import { ownTurn } from '../own-turn.js';
import { badResponse } from '../wire.js';
import { markOf, type Position, readPosition, type Scope, writePosition } from './cursor.js';
import { toUser } from './entity-tag.js';
import { findUser, findUsers, incompleteList, walk } from './find.js';
import { createList, type KeptList, type KeptLists, type Look } from './kept-lists.js';
import { createSearchTrust } from './search-trust.js';
import { type Stretch, walkAlong } from './walk-along.js';

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

/** Those of the list that are asked for. */
const fitting = (list: KeptList, { search, role }: Pick<UserQuery, 'search' | 'role'>): readonly VendorUser[] => {
  const named = search === undefined ? list.users : list.search(search);
  return role === undefined ? named : named.filter((user) => user.role === role);
};

/** A window, and where the next one goes on. */
interface Window {
  readonly slice: UserSlice;
  readonly readAt: number;
  /** Of the list that cursors go on in. */
  readonly list?: KeptList;
}

/** Users of a stretch of a list that is in memory. */
const A_STRETCH = 500;

/** The stretches, of which the first one is read already: it may fail. */
const begun = async <T>(stretches: AsyncGenerator<T>): Promise<{ first: T | undefined; stretches: AsyncIterable<T> }> => {
  const { done, value } = await stretches.next();
  const all = async function* (): AsyncGenerator<T> {
    try {
      if (done) return;
      yield value;
      yield* stretches;
    } finally {
      await stretches.return(undefined);
    }
  };
  return { first: done ? undefined : value, stretches: all() };
};

/** @param deadlineMs of each reading of a stream */
export const createUsers = (clusters: Clusters, cursors: Cursors, lists: KeptLists, deadlineMs: number): Users => {
  const trusts = createSearchTrust();
  const isSearchTrusted = async (target: Target, call: Call): Promise<boolean> =>
    capabilitiesOf(target).search === 'native' && (await trusts(target, call));

  const windowOf = (list: KeptList, query: UserQuery, offset: number): Window => {
    const users = fitting(list, query);
    const slice = { users: users.slice(offset, offset + query.limit), total: users.length, omitted: list.omitted };
    return { slice, readAt: list.readAt, list };
  };

  /** All users; one reading for all who ask meanwhile. */
  const readWhole = async (target: Target, look: Look, snapshot: string | undefined, call: CallerCall): Promise<KeptList> => {
    const { value } = await lists.share(target, look, ['whole', snapshot], call, async (shared, before) => {
      const all = await walk(target, shared, snapshot === undefined ? {} : { snapshot });
      if (!all.isWhole) throw incompleteList(target);
      return lists.keep(target, before, all.users, all.omitted);
    });
    return value;
  };

  /** Those that the vendor's own search finds; it may find more than are asked for. */
  const searched = async (
    target: Target,
    look: Look,
    search: string,
    snapshot: string | undefined,
    call: CallerCall,
  ): Promise<KeptList> => {
    const { value } = await lists.share(target, look, ['search', search, snapshot], call, async (shared, { at }) => {
      const all = await walk(target, shared, { search, ...(snapshot !== undefined && { snapshot }) });
      if (!all.isWhole) throw incompleteList(target);
      return createList(all.users, all.omitted, at);
    });
    return value;
  };

  /** A window of all users maps to vendor pages; the position in a filtered list is known only after reading the whole. */
  const readFiltered = async (
    target: Target,
    look: Look,
    query: UserQuery,
    { offset, snapshot }: Position,
    call: CallerCall,
  ): Promise<Window> => {
    const { search } = query;
    if (search === undefined || !(await isSearchTrusted(target, call)))
      return windowOf(await readWhole(target, look, snapshot, call), query, offset);
    const { slice, readAt } = windowOf(await searched(target, look, search, snapshot, call), query, offset);
    return { slice, readAt };
  };

  /** An incomplete window is read once more; an answer that silently lacks users would be wrong. */
  const readPlain = async (
    target: Target,
    look: Look,
    limit: number,
    { offset, snapshot }: Position,
    call: CallerCall,
  ): Promise<Window> => {
    const { account, vendorClusterId } = target;
    const { value: slice, readAt } = await lists.share(
      target,
      look,
      ['window', offset, limit, snapshot],
      call,
      async (shared, before) => {
        const read = (): Promise<UserSlice> =>
          account.adapter.listUsers(vendorClusterId, { offset, limit, ...(snapshot !== undefined && { snapshot }) }, shared);
        const first = await read();
        const found = first.incomplete ? await read() : first;
        const isWhole = offset === 0 && found.total !== null && found.total <= limit && !found.incomplete;
        if (isWhole) lists.keep(target, before, found.users, found.omitted ?? 0);
        return found;
      },
    );
    if (slice.incomplete) throw incompleteList(target);
    return { slice, readAt };
  };

  /** The user, or null; from what is kept, where that may be served. */
  const findAt = async (target: Target, username: string, call: CallerCall) => {
    const look = await lists.look(target, call);
    const { list } = look;
    const kept = list?.get(username);
    // A row that names nobody may be theirs.
    if (list && (kept || list.omitted === 0)) return { user: kept ?? null, readAt: list.readAt };
    const { value: user, readAt } = await lists.share(target, look, ['user', username], call, (shared, before) =>
      findUser(target, username, shared, {
        isLookUpTrusted: () => isSearchTrusted(target, shared),
        onWhole: (users, omitted) => lists.keep(target, before, users, omitted),
      }),
    );
    return { user, readAt };
  };

  const getAt = async (target: Target, username: string, call: CallerCall): Promise<FoundUser> => {
    const { user, readAt } = await findAt(target, username, call);
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
      const { slice, readAt, list } = known
        ? windowOf(known, query, offset)
        : await (filtered
            ? readFiltered(target, look as Look, query, position, call)
            : readPlain(target, look as Look, query.limit, position, call));
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
      return {
        readAt,
        listId: (more && list?.id) || null,
        users: slice.users.map((user) => toUser(target, user)),
        total: slice.total,
        omitted,
        nextCursor: more
          ? writePosition(cursors, { offset: next, snapshot: slice.snapshot, mark, list: list?.id }, scope, call)
          : null,
      };
    },

    stream: async (clusterId, query, call) => {
      const { offset = 0, search, role } = query;
      const target = await clusters.resolve(clusterId, call);
      const look = await lists.look(target, call);
      const isShort = search !== undefined && (await isSearchTrusted(target, call));
      const found = look.list ?? (isShort ? await searched(target, look, search, undefined, call) : undefined);
      const fits = (user: VendorUser): boolean =>
        (search === undefined || user.username.toLowerCase().includes(search.toLowerCase())) &&
        (role === undefined || user.role === role);
      const { left } = call;
      const nextCall = (): Call => {
        const deadline = AbortSignal.timeout(deadlineMs);
        return { ...call, signal: left ? firstOf([deadline, left]) : deadline };
      };

      async function* inMemory(list: KeptList): AsyncGenerator<Stretch> {
        const users = fitting(list, query);
        yield { users: users.slice(offset, offset + A_STRETCH), omitted: list.omitted };
        for (let at = offset + A_STRETCH; at < users.length; at += A_STRETCH) {
          await ownTurn();
          yield { users: users.slice(at, at + A_STRETCH), omitted: 0 };
        }
      }
      async function* along(): AsyncGenerator<Stretch> {
        // A position in a filtered list is known only by counting.
        let left = search === undefined && role === undefined ? 0 : offset;
        for await (const { users, omitted } of walkAlong(target, offset - left, nextCall)) {
          const fitting = users.filter(fits);
          yield { users: fitting.slice(left), omitted };
          left = Math.max(0, left - fitting.length);
        }
      }
      const { first, stretches } = await begun(found ? inMemory(found) : along());
      // Shanhe may answer an unknown cluster with an empty list.
      if (offset === 0 && first && first.users.length + first.omitted === 0) await clusters.facts(target, call);
      const shown = async function* (): AsyncGenerator<UserStretch> {
        for await (const { users, omitted } of stretches) yield { users: users.map((user) => toUser(target, user)), omitted };
      };
      return { readAt: found?.readAt ?? look.at, stretches: shown() };
    },

    lookUp: async (clusterId, usernames, role, call) => {
      const target = await clusters.resolve(clusterId, call);
      const look = await lists.look(target, call);
      const { list } = look;
      const { found, isWhole, omitted } = list
        ? { found: new Map(usernames.map((name) => [name, list.get(name) ?? null])), isWhole: true, omitted: list.omitted }
        : await findUsers(target, usernames, call, { onWhole: (users, left) => lists.keep(target, look, users, left) });
      if (!isWhole) throw incompleteList(target, 'those who are missing exist');
      if ([...found.values()].every((user) => user === null)) await clusters.facts(target, call);
      const users = usernames
        .map((username) => found.get(username) ?? null)
        .filter((user) => user !== null)
        .filter((user) => role === undefined || user.role === role)
        .map((user) => toUser(target, user));
      return { users, total: users.length, omitted, nextCursor: null, readAt: list?.readAt ?? look.at, listId: null };
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
