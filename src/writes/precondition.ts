/**
 * `If-Match`: whether the thing is as the caller saw it. That is part of the send: nobody else is at the thing, which is read alone before
 * the item waits for its turn, so that a reading that hangs holds up nobody else; and again in its turn where the wait was long.
 */
import { asGatewayError, GatewayError } from '../errors.js';
import type { ItemOutcome } from '../journal/records.js';
import { boundedCall, type Desk } from './desk.js';
import { failedWith, withDetail } from './outcome.js';
import type { Entry } from './work.js';

/** A check counts for so long after its end before the send is stored, and until its call begins: a long list can be read no faster. */
const FRESH_MS = 1_000;
const MAX_AGE_MS = 5_000;
const IN_TURN_MS = 2_000;
/** Then the item is given up: others have their turn. */
const MAX_CHECKS = 5;

/** What becomes of an item whose thing cannot be read. */
const unread = ({ item }: Entry, error: GatewayError): ItemOutcome =>
  (item.sends ?? 0) > 0
    ? failedWith(withDetail(error, 'Whether an earlier attempt had an effect is not known.', 'open'), 'unknown')
    : failedWith(withDetail(error.withEffect('none'), 'Nothing was changed.', 'none'), 'failed');

/** Checks an item before its turn. @returns what became of it where its precondition does not hold, or its thing cannot be read */
export const checkPrecondition = async (desk: Desk, entry: Entry): Promise<ItemOutcome | undefined> => {
  try {
    const refusal = await entry.work.site.check(entry.item, boundedCall(desk, entry.work));
    if (!refusal) entry.checkedAt = desk.clock.now();
    return refusal;
  } catch (thrown) {
    return unread(entry, asGatewayError(thrown));
  }
};

/** The check again, in the turn of the item: `stale` where it cannot be made in time, and is to be made before another turn. */
export const checkInTurn = async (desk: Desk, entry: Entry): Promise<ItemOutcome | 'stale' | undefined> => {
  const { clock } = desk;
  if (entry.item.ifMatch === undefined || clock.now() - (entry.checkedAt ?? 0) <= FRESH_MS) return undefined;
  const checked = await entry.work.site
    .check(entry.item, boundedCall(desk, entry.work, IN_TURN_MS))
    .catch(() => 'unread' as const);
  if (checked !== 'unread') {
    entry.checkedAt = clock.now();
    return checked;
  }
  entry.checkedAt = undefined;
  if (++entry.checks < MAX_CHECKS) return 'stale';
  return unread(entry, new GatewayError('vendor_timeout', 'If-Match could not be checked right before the write.'));
};

/** Whether so much time has passed since the check that the call must not be made. */
export const isStale = ({ clock }: Desk, { item, checkedAt }: Entry): boolean =>
  item.ifMatch !== undefined && clock.now() - (checkedAt ?? 0) > MAX_AGE_MS;
