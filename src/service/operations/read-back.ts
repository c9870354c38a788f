import type { Call, VendorUser } from '../../adapter.js';
import { pause, pollDelay } from '../../deadline.js';
import { asGatewayError, type GatewayError } from '../../errors.js';
import type { Target } from '../../registry.js';
import { findUser, findUsers, incompleteList } from '../find.js';

const FIRST_READ_MS = 300;
const LONGEST_READ_MS = 5_000;

/** Up to so many users are looked up one by one; for more the whole list is read. */
const ONE_BY_ONE = 3;

export type Found = ReadonlyMap<string, VendorUser | null>;

export type ReadBack = { readonly ok: true; readonly found: Found } | { readonly ok: false; readonly error: GatewayError };

const read = async (target: Target, usernames: readonly string[], call: Call): Promise<Found> => {
  if (usernames.length > ONE_BY_ONE) {
    const { found, complete } = await findUsers(target, usernames, call);
    if (!complete) throw incompleteList(target);
    return found;
  }
  const users = usernames.map(async (username) => [username, await findUser(target, username, call)] as const);
  return new Map(await Promise.all(users));
};

/**
 * Reads users back. Where the vendor may still be at it, what is there right now proves little: they are read again until all are as
 * they should be or the time for settling is over. An outage of the reading ends nothing before its own time is over.
 * @param times in milliseconds since 1970: until when to wait for the effect, and until when for an answer at all
 */
export const readBack = async (
  target: Target,
  usernames: readonly string[],
  isDone: (found: Found) => boolean,
  times: { readonly settled: number; readonly readable: number },
  call: Call,
): Promise<ReadBack> => {
  for (let poll = 0; ; poll++) {
    const answer = await read(target, usernames, call).then(
      (found): ReadBack => ({ ok: true, found }),
      (thrown: unknown): ReadBack => ({ ok: false, error: asGatewayError(thrown) }),
    );
    if (answer.ok && isDone(answer.found)) return answer;
    const wait = pollDelay(poll, FIRST_READ_MS, LONGEST_READ_MS);
    if (Date.now() + wait > (answer.ok ? times.settled : times.readable)) return answer;
    await pause(wait, call.signal);
  }
};
