import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import type { Call, UserSlice, VendorUser } from '../adapter.js';
import type { CallerCall } from '../callers/caller.js';
import { type Clusters, capabilitiesOf } from '../clusters/directory.js';
import type { AccountProblem } from '../clusters/discovery.js';
import type { Target } from '../clusters/registry.js';
import type { Cursors } from '../cursors.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Role, User } from '../model.js';
import { badResponse } from '../wire.js';
import { markOf, type Position, readPosition, type Scope, writePosition } from './cursor.js';
import { toUser } from './entity-tag.js';
import { findUser, findUsers, incompleteList, walk } from './find.js';
import { createSearchTrust } from './search-trust.js';

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
}

export interface Users {
  list(clusterId: string, query: UserQuery, call: CallerCall): Promise<UserList>;
  /** Those of these names who are there, in this order. */
  lookUp(clusterId: string, usernames: readonly string[], role: Role | undefined, call: CallerCall): Promise<UserList>;
  get(clusterId: string, username: string, call: CallerCall): Promise<User>;
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

const fitsFilter = ({ search, role }: UserQuery): ((user: VendorUser) => boolean) => {
  const part = search?.toLowerCase();
  return (user) =>
    (part === undefined || user.username.toLowerCase().includes(part)) && (role === undefined || user.role === role);
};

export const createUsers = (clusters: Clusters, cursors: Cursors): Users => {
  const trusts = createSearchTrust();

  /** A window of all users maps to vendor pages; the position in a filtered list is known only after reading the whole. */
  const readFiltered = async (target: Target, query: UserQuery, offset: number, snapshot: string | undefined, call: Call) => {
    const isNative = query.search !== undefined && capabilitiesOf(target).search === 'native' && (await trusts(target, call));
    const all = await walk(target, call, {
      ...(isNative && query.search !== undefined && { search: query.search }),
      ...(snapshot !== undefined && { snapshot }),
    });
    if (!all.isWhole) throw incompleteList(target);
    const fitting = all.users.filter(fitsFilter(query));
    const { snapshot: kept, omitted } = all;
    return { slice: { users: fitting.slice(offset, offset + query.limit), total: fitting.length, snapshot: kept }, omitted };
  };

  /** An incomplete window is read once more; an answer that silently lacks users would be wrong. */
  const readPlain = async (target: Target, limit: number, offset: number, snapshot: string | undefined, call: Call) => {
    const { account, vendorClusterId } = target;
    const read = (): Promise<UserSlice> =>
      account.adapter.listUsers(vendorClusterId, { offset, limit, ...(snapshot !== undefined && { snapshot }) }, call);
    const first = await read();
    const slice = first.incomplete ? await read() : first;
    if (slice.incomplete) throw incompleteList(target);
    return { slice, omitted: slice.omitted ?? 0 };
  };

  const getAt = async (target: Target, username: string, call: Call): Promise<User> => {
    const user = await findUser(target, username, call);
    if (user) return toUser(target, user);
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
      const { offset, snapshot } = position;
      const target = await clusters.resolve(clusterId, call);
      const filtered = query.search !== undefined || query.role !== undefined;
      const { slice, omitted } = filtered
        ? await readFiltered(target, query, offset, snapshot, call)
        : await readPlain(target, query.limit, offset, snapshot, call);
      const mark = filtered ? undefined : markOf(slice);
      if (mark !== undefined && mark === position.mark) throw badResponse('a page that repeats another one');
      // Shanhe may answer an unknown cluster with an empty list.
      if (offset === 0 && slice.users.length + omitted === 0) await clusters.facts(target, call);

      // By position: a vendor that leaves a hole in a page must not make the next window begin inside this one.
      const next = offset + query.limit;
      const more = slice.total === null ? slice.users.length + omitted === query.limit : next < slice.total;
      return {
        users: slice.users.map((user) => toUser(target, user)),
        total: slice.total,
        omitted,
        nextCursor: more ? writePosition(cursors, { offset: next, snapshot: slice.snapshot, mark }, scope, call) : null,
      };
    },

    lookUp: async (clusterId, usernames, role, call) => {
      const target = await clusters.resolve(clusterId, call);
      const { found, isWhole, omitted } = await findUsers(target, usernames, call);
      if (!isWhole) throw incompleteList(target, 'those who are missing exist');
      if ([...found.values()].every((user) => user === null)) await clusters.facts(target, call);
      const users = usernames
        .map((username) => found.get(username) ?? null)
        .filter((user) => user !== null)
        .filter((user) => role === undefined || user.role === role)
        .map((user) => toUser(target, user));
      return { users, total: users.length, omitted, nextCursor: null };
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
          .execute(() => getAt(target, username, call))
          .catch(asGatewayError);
        items.push({ clusterId: target.id, found });
      });
      items.sort((one, other) => (one.clusterId < other.clusterId ? -1 : 1));
      return { items, problems };
    },
  };
};
