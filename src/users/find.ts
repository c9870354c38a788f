/** Reading users where vendors have no "get one" and no filter to rely on. */
import type { Call, UserSlice, VendorUser } from '../adapter.js';
import { capabilitiesOf } from '../clusters/directory.js';
import type { Target } from '../clusters/registry.js';
import { GatewayError } from '../errors.js';
import { MAX_ATTEMPTS } from '../read-window.js';
import { badResponse } from '../wire.js';

/** Vendor pages of one window of a walk; the adapter asks for several at once. */
const PAGES_A_WINDOW = 8;

export interface Listing {
  readonly users: readonly VendorUser[];
  readonly snapshot?: string;
  /** Whether the list was read to its end, at rest. */
  readonly isWhole: boolean;
  /** Whether a user who is not in it does not exist: rows that name nobody may be anybody. */
  readonly complete: boolean;
  /** Rows that name nobody, and are left out. */
  readonly omitted: number;
}

export interface FindOptions {
  /** Vendor pages to read at most; the first one is then read alone. */
  readonly maxPages?: number;
  /** To read no further than the first page where the list has more pages than that. */
  readonly wholeOrNothing?: boolean;
  /** Whether they were just made: vendors add to the end of a list. */
  readonly isNewest?: boolean;
  /** Whether a user counts whose name differs in case alone, where there is one such, and none of the very name. */
  readonly anyCase?: boolean;
}

/** Gets a list that was read to its end, at rest. */
export type OnWhole = (users: readonly VendorUser[], omitted: number) => void;

interface WalkOptions extends FindOptions {
  readonly onWhole?: OnWhole | undefined;
  readonly search?: string;
  readonly snapshot?: string;
  readonly enough?: (users: readonly VendorUser[]) => boolean;
}

export const incompleteList = ({ id }: Target, whether = 'all its users are in it'): GatewayError =>
  new GatewayError(
    'vendor_bad_response',
    `The vendor's list of users of the cluster ${id} was incomplete, so whether ${whether} is not known.`,
  );

export const tooLong = ({ id, account }: Target): GatewayError =>
  new GatewayError(
    'vendor_bad_response',
    `The list of users of the cluster ${id} is longer than limits.maxListUsers (${account.maxListUsers}).`,
  );

/** One reading of a list, and how many vendor pages it took at least. */
interface Reading {
  readonly listing: Listing;
  readonly pages: number;
  /** It was given up, since it has more pages than may be read. */
  readonly isTooLong: boolean;
  /** It was read to its end. */
  readonly isAtEnd: boolean;
}

/**
 * All users, in the vendor's order, window by window, until `enough` says so or the pages are used up. A list that was incomplete, or
 * changed under the walk, is walked again, a few times at most.
 * @throws vendor_bad_response where the list is longer than `limits.maxListUsers`, or repeats itself
 */
export const walk = async (target: Target, call: Call, options: WalkOptions = {}): Promise<Listing> => {
  let pagesLeft = options.maxPages ?? Number.POSITIVE_INFINITY;
  for (let attempt = 1; ; attempt++) {
    const { listing, pages, isTooLong, isAtEnd } = await walkOnce(target, call, options, pagesLeft);
    pagesLeft -= pages;
    if (isAtEnd && listing.isWhole && options.search === undefined) options.onWhole?.(listing.users, listing.omitted);
    if (listing.isWhole || isTooLong || attempt === MAX_ATTEMPTS || pagesLeft <= 0) return listing;
  }
};

/** Those that were left out have their places, too. */
export const rowsIn = ({ users, omitted = 0 }: UserSlice): number => users.length + omitted;

const walkOnce = async (target: Target, call: Call, options: WalkOptions, maxPages: number): Promise<Reading> => {
  const { account, vendorClusterId } = target;
  const { search, enough } = options;
  const { pageSize } = capabilitiesOf(target);
  const users = new Map<string, VendorUser>();
  const totals = new Set<number | null>();
  let snapshot = options.snapshot;
  let total: number | null = null;
  let incomplete = false;
  let omitted = 0;
  let pages = 0;

  const refuseEndless = (count: number): void => {
    if (count > account.maxListUsers) throw tooLong(target);
  };
  const add = ({ users: found, total }: UserSlice): void => {
    const before = users.size;
    for (const user of found) users.set(user.username, user);
    if (found.length > 1 && users.size === before) throw badResponse('a list that repeats itself');
    if (users.size - before < found.length) incomplete = true;
    refuseEndless(Math.max(users.size, total ?? 0));
  };
  const readingOf = (
    isWhole: boolean,
    { complete = isWhole && omitted === 0, isTooLong = false, isAtEnd = false } = {},
  ): Reading => ({
    isTooLong,
    isAtEnd,
    listing: { users: [...users.values()], isWhole, complete, omitted, ...(snapshot !== undefined && { snapshot }) },
    pages,
  });

  for (let offset = 0; ; ) {
    const alone = options.maxPages !== undefined && pages === 0;
    const size = Math.min(alone ? 1 : PAGES_A_WINDOW, maxPages - pages);
    const limit = size * pageSize;
    const window = {
      offset,
      limit,
      total,
      ...(snapshot !== undefined && { snapshot }),
      ...(search !== undefined && { search }),
    };
    const slice = await account.adapter.listUsers(vendorClusterId, window, call);
    snapshot = slice.snapshot;
    total = slice.total;
    pages += size;
    offset += limit;
    totals.add(slice.total);
    incomplete ||= slice.incomplete ?? false;
    omitted += slice.omitted ?? 0;
    add(slice);
    if (enough?.(slice.users)) return readingOf(true, { complete: true });
    // Without a total, a short window is the end, and of an incomplete list only an empty one.
    const atEnd = slice.total === null ? rowsIn(slice) < (slice.incomplete ? 1 : limit) : offset >= slice.total;
    if (atEnd) return readingOf(!incomplete && totals.size === 1, { isAtEnd: true });
    const isTooLong = options.wholeOrNothing === true && (slice.total ?? 0) > maxPages * pageSize;
    if (pages >= maxPages || isTooLong) return readingOf(false, { isTooLong });
  }
};

export interface FindUserOptions {
  /** Whether whom the vendor's own look-up does not find is not there. */
  isLookUpTrusted?(): Promise<boolean>;
  readonly onWhole?: OnWhole | undefined;
}

/**
 * The user of this very name, wherever in the list they are, or null.
 * @throws vendor_bad_response where the list was incomplete and the user is not in it
 */
export const findUser = async (
  target: Target,
  username: string,
  call: Call,
  { isLookUpTrusted = async () => false, onWhole }: FindUserOptions = {},
): Promise<VendorUser | null> => {
  const { adapter } = target.account;
  const isIt = (user: VendorUser): boolean => user.username === username;
  if (adapter.lookUpUser) {
    const hit = await adapter.lookUpUser(target.vendorClusterId, username, call);
    if (hit && isIt(hit)) return hit;
    if (await isLookUpTrusted()) return null;
  }
  const { users, complete } = await walk(target, call, { enough: (slice) => slice.some(isIt), onWhole });
  const found = users.find(isIt) ?? null;
  if (!found && !complete) throw incompleteList(target, `the user ${username} exists`);
  return found;
};

export interface FoundUsers {
  /** Whether the list was read to its end, at rest. True once all names are found. */
  readonly isWhole: boolean;
  /** Null for a name that is not in the list. */
  readonly found: ReadonlyMap<string, VendorUser | null>;
  /** Whether a name that was not found does not exist. True once all names are found. */
  readonly complete: boolean;
  /** Rows that name nobody, and may be those that were not found. */
  readonly omitted: number;
}

/** The last page of the list; the only one where it has no other. */
const onLastPage = async (target: Target, call: Call): Promise<readonly VendorUser[]> => {
  const { account, vendorClusterId } = target;
  const { pageSize } = capabilitiesOf(target);
  const { users, total, snapshot } = await account.adapter.listUsers(vendorClusterId, { offset: 0, limit: pageSize }, call);
  if (total === null || total <= pageSize) return users;
  const offset = Math.floor((total - 1) / pageSize) * pageSize;
  const window = { offset, limit: pageSize, total, ...(snapshot !== undefined && { snapshot }) };
  return (await account.adapter.listUsers(vendorClusterId, window, call)).users;
};

/** The users of these very names; reads the list once, and stops once all are found. */
export const findUsers = async (
  target: Target,
  usernames: readonly string[],
  call: Call,
  options: FindOptions & { readonly onWhole?: OnWhole | undefined } = {},
): Promise<FoundUsers> => {
  const [name, ...others] = usernames;
  if (options.isNewest && name !== undefined && others.length === 0) {
    const user = (await onLastPage(target, call)).find(({ username }) => username === name);
    if (user) return { found: new Map([[name, user]]), isWhole: true, complete: true, omitted: 0 };
  }
  if (usernames.length === 0) return { found: new Map(), isWhole: true, complete: true, omitted: 0 };
  const found = new Map<string, VendorUser | null>(usernames.map((username) => [username, null]));
  const missing = new Set(usernames);
  /** Users by their names, under the name in small letters. */
  const alike = new Map(
    options.anyCase ? usernames.map((username) => [username.toLowerCase(), new Map<string, VendorUser>()]) : [],
  );
  const { isWhole, complete, omitted } = await walk(target, call, {
    ...options,
    enough: (slice) => {
      for (const user of slice) {
        alike.get(user.username.toLowerCase())?.set(user.username, user);
        if (!found.has(user.username)) continue;
        found.set(user.username, user);
        missing.delete(user.username);
      }
      return missing.size === 0;
    },
  });
  for (const username of missing) {
    const [only, ...others] = alike.get(username.toLowerCase())?.values() ?? [];
    if (only && others.length === 0) found.set(username, only);
  }
  return { found, isWhole, complete, omitted: complete ? 0 : omitted };
};
