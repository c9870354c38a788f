/** Reading users where vendors have no "get one" and no filter to rely on. */
import type { Call, VendorUser } from '../adapter.js';
import { ATTEMPTS_AT_REST } from '../paging.js';
import type { Target } from '../registry.js';
import { capabilitiesOf } from './clusters.js';

/** Vendor pages of one window of a walk; the adapter asks for several at once. */
const PAGES_A_WINDOW = 4;

export interface Listing {
  readonly users: readonly VendorUser[];
  readonly snapshot?: string;
}

interface WalkOptions {
  readonly search?: string;
  readonly snapshot?: string;
  readonly enough?: (users: readonly VendorUser[]) => boolean;
}

/**
 * All users, in the vendor's order, window by window, until `enough` says so. A list that changes under the walk may have shifted a user
 * from one window into the other, unseen: then it is walked again, a few times at most.
 */
export const walk = async (target: Target, pageSize: number, call: Call, options: WalkOptions = {}): Promise<Listing> => {
  for (let attempt = 1; ; attempt++) {
    const { listing, agree } = await walkOnce(target, pageSize, call, options);
    if (agree || attempt === ATTEMPTS_AT_REST) return listing;
  }
};

const walkOnce = async (
  { account, vendorClusterId }: Target,
  pageSize: number,
  call: Call,
  { search, snapshot: given, enough }: WalkOptions,
): Promise<{ readonly listing: Listing; readonly agree: boolean }> => {
  const limit = pageSize * PAGES_A_WINDOW;
  const users: VendorUser[] = [];
  const totals = new Set<number | null>();
  let snapshot = given;
  for (let offset = 0; ; offset += limit) {
    const window = { offset, limit, ...(snapshot !== undefined && { snapshot }), ...(search !== undefined && { search }) };
    const slice = await account.adapter.listUsers(vendorClusterId, window, call);
    snapshot = slice.snapshot;
    totals.add(slice.total);
    users.push(...slice.users);
    const isEnough = enough?.(slice.users) ?? false;
    const atEnd = slice.total === null ? slice.users.length < limit : offset + limit >= slice.total;
    const listing = { users, ...(snapshot !== undefined && { snapshot }) };
    if (isEnough || atEnd) return { listing, agree: isEnough || slice.total === null || totals.size === 1 };
  }
};

/** The user of this very name, wherever in the list it stands, or null. */
export const findUser = async (target: Target, username: string, call: Call): Promise<VendorUser | null> => {
  const { adapter } = target.account;
  const isIt = (user: VendorUser): boolean => user.username === username;
  const hit = await adapter.lookUpUser?.(target.vendorClusterId, username, call);
  if (hit) return hit;
  const { users } = await walk(target, capabilitiesOf(target).pageSize, call, { enough: (slice) => slice.some(isIt) });
  return users.find(isIt) ?? null;
};

/** The users of these very names, null for those that are not there; reads the list once. */
export const findUsers = async (
  target: Target,
  usernames: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, VendorUser | null>> => {
  const missing = new Set(usernames);
  const { users } = await walk(target, capabilitiesOf(target).pageSize, call, {
    enough: (slice) => {
      for (const { username } of slice) missing.delete(username);
      return missing.size === 0;
    },
  });
  const byName = new Map(users.map((user) => [user.username, user]));
  return new Map(usernames.map((username) => [username, byName.get(username) ?? null]));
};
