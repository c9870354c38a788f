/**
 * `If-Match`, and conditions of the resource: whether the thing is as the caller saw it, and one that they may change. That is part of the send: nobody else is at the thing, which is read alone before
 * the item waits for its turn, so that a reading that hangs holds up nobody else; and again in its turn where the wait was long.
 */
import { asGatewayError, GatewayError } from '../errors.js';
import { hasConditions } from '../journal/item.js';
import type { ItemOutcome } from '../journal/records.js';
import { boundedCall, type Desk } from './desk.js';
import { failedWith, withDetail } from './outcome.js';
import type { Entry, Work } from './work.js';

/** A check counts for so long after its end before the send is stored, and until its call begins: a long list can be read no faster. */
const FRESH_MS = 1_000;
const MAX_AGE_MS = 5_000;
const IN_TURN_MS = 2_000;
/** Where there is no entity tag, a check counts for longer; for items of a batch, whose list is read as a whole, for longest. */
const LOOSE_FRESH_MS = 5_000;
const BATCH_FRESH_MS = 30_000;

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
    const [refusal] = await entry.work.site.check([entry.item], boundedCall(desk, entry.work));
    if (!refusal) entry.checkedAt = desk.clock.now();
    return refusal;
  } catch (thrown) {
    return unread(entry, asGatewayError(thrown));
  }
};

const freshMsOf = ({ item, work }: Entry): number => {
  if (item.ifMatch !== undefined) return FRESH_MS;
  return work.isBatch ? BATCH_FRESH_MS : LOOSE_FRESH_MS;
};

interface Checked {
  /** What became of those that do not meet their conditions, or cannot be read. */
  readonly ended: ReadonlyMap<Entry, ItemOutcome>;
  /** Those that may be sent. The others wait for another turn. */
  readonly fit: readonly Entry[];
}

/** The check again, in the turn of the items of a call. One that cannot be made in time is made before another turn. */
export const checkInTurn = async (desk: Desk, work: Work, entries: readonly Entry[]): Promise<Checked> => {
  const { clock } = desk;
  const now = clock.now();
  const old = entries.filter((entry) => hasConditions(entry.item) && now - (entry.checkedAt ?? 0) > freshMsOf(entry));
  if (old.length === 0) return { ended: new Map(), fit: entries };
  const items = old.map(({ item }) => item);
  const call = boundedCall(desk, work, ...(work.isBatch ? [] : [IN_TURN_MS]));
  const checked = await work.site.check(items, call).catch(() => undefined);
  const ended = new Map<Entry, ItemOutcome>();
  if (checked) {
    for (const [at, entry] of old.entries()) {
      const refusal = checked[at];
      entry.checkedAt = clock.now();
      if (refusal) ended.set(entry, refusal);
    }
    return { ended, fit: entries.filter((entry) => !ended.has(entry)) };
  }
  const error = new GatewayError('vendor_timeout', 'The conditions of the write could not be checked right before it.');
  for (const entry of old) {
    entry.checkedAt = undefined;
    if (++entry.checks >= MAX_CHECKS) ended.set(entry, unread(entry, error));
  }
  return { ended, fit: entries.filter((entry) => !old.includes(entry)) };
};

/** Whether so much time has passed since the check that the call must not be made. */
export const isStale = ({ clock }: Desk, { item, checkedAt }: Entry): boolean =>
  item.ifMatch !== undefined && clock.now() - (checkedAt ?? 0) > MAX_AGE_MS;
