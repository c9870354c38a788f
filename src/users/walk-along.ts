/** A list of users of any length, a few pages at a time: nothing of it is kept but the names. */
import type { Call, VendorUser } from '../adapter.js';
import { capabilitiesOf } from '../clusters/directory.js';
import type { Target } from '../clusters/registry.js';
import { incompleteList, rowsIn, tooLong } from './find.js';

/** Vendor pages that are in memory at once; the adapter asks for them at the same time. */
const PAGES_A_WINDOW = 8;
/** Readings of a window that has holes, before they count as such. */
const MAX_ATTEMPTS = 3;

export interface Stretch {
  readonly users: readonly VendorUser[];
  /** Rows that name nobody, and are left out. */
  readonly omitted: number;
}

/**
 * All users from a position on, each once, in the vendor's order. Where the list shrinks meanwhile, it goes back by as many rows, since those
 * behind may have moved up.
 * @param nextCall a call for each window, with a deadline of its own
 * @throws vendor_bad_response where the list has holes, or is longer than `limits.maxListUsers`
 */
export async function* walkAlong(target: Target, from: number, nextCall: () => Call): AsyncGenerator<Stretch> {
  const { account, vendorClusterId } = target;
  const limit = capabilitiesOf(target).pageSize * PAGES_A_WINDOW;
  const seen = new Set<string>();
  let snapshot: string | undefined;
  let total: number | null = null;
  let isBegun = false;

  const read = async (offset: number) => {
    for (let attempt = 1; ; attempt++) {
      const window = { offset, limit, total, ...(snapshot !== undefined && { snapshot }) };
      const slice = await account.adapter.listUsers(vendorClusterId, window, nextCall());
      if (!slice.incomplete) return slice;
      if (attempt === MAX_ATTEMPTS) throw incompleteList(target);
    }
  };

  for (let offset = from; ; ) {
    const slice = await read(offset);
    const shrunk: number = isBegun && slice.total !== null && total !== null ? Math.max(0, total - slice.total) : 0;
    isBegun = true;
    snapshot = slice.snapshot;
    total = slice.total;
    if (shrunk > 0 && offset > from) {
      offset = Math.max(from, offset - shrunk);
      continue;
    }
    const users = slice.users.filter(({ username }) => !seen.has(username));
    for (const { username } of users) seen.add(username);
    if (Math.max(seen.size, total ?? 0) > account.maxListUsers) throw tooLong(target);
    yield { users, omitted: slice.omitted ?? 0 };
    offset += limit;
    if (total === null ? rowsIn(slice) < limit : offset >= total) return;
  }
}
