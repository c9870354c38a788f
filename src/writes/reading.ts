/** When things in doubt are read back, and what is done with what was decided. */
import type { Board } from './board.js';
import { carryOut, noteFailure } from './conclude.js';
import { type Doubt, reconcile } from './evidence.js';
import { backOffMs } from './pace.js';
import { nextOfBatch } from './queue.js';
import type { Limits } from './resource.js';
import type { VendorCall } from './vendor-call.js';
import { type Entry, isFull, mayGoOn, stepNameOf, type Work } from './work.js';

/** So many failed jobs at once are looked into: the vendor may fail at all of them. */
const MAX_FAILED_JOBS = 7;
/** How long reading back is put off, once it can settle an item. */
const MAX_DOUBT_MS = 30_000;
const MAX_QUIET_MS = 60_000;

/** Reads back, all together. What cannot be read is in doubt again. */
const read = (board: Board, entries: readonly Entry[]): void => {
  const { desk, doubts } = board;
  const all = entries.map((entry): Doubt => ({ entry, call: doubts.get(entry) as VendorCall }));
  for (const entry of entries) doubts.delete(entry);
  board.move(entries, 'reading');
  board.run(entries, async () => {
    const decided = await reconcile(desk, all);
    if (desk.signal.aborted) return;
    const unread = decided.filter(({ decision }) => decision.kind === 'read').map(({ doubt }) => doubt);
    for (const { entry, call } of unread) board.putInDoubt(entry, call);
    await carryOut(
      board,
      decided.filter(({ decision }) => decision.kind !== 'read'),
    );
    for (const { doubt, decision } of decided) noteFailure(board, doubt, decision);
    const works = new Set(entries.map(({ work }) => work));
    const unreadable = new Map(unread.map(({ entry, call }) => [entry.work, call]));
    for (const work of works) noteReading(board, work, unreadable.get(work));
  });
};

/** A cluster that cannot be read, like all of its vendor, is read again later, for as long as the operation is patient. */
const noteReading = (board: Board, work: Work, unreadable: VendorCall | undefined): void => {
  const now = board.desk.clock.now();
  if (!unreadable) {
    work.unreadable = 0;
    return;
  }
  const wait = backOffMs(work.unreadable++);
  work.endurance.noteTrouble('unavailable', wait, true);
  work.readAt = now + wait;
  if (!work.endurance.isLeft('unavailable', wait) && unreadable.error) board.giveUp(work, unreadable.error);
};

/**
 * Reading for a batch is put off while it can send other items: they find out whether the vendor works at all, the list comes to rest, and
 * what a lost call can still do is done by then. Doubts that are old, or that hold up others, are not put off.
 */
const isTimeToRead = (board: Board, work: Work, entries: readonly Entry[], limits: Limits): boolean => {
  const { desk, doubts, queue, paceOf } = board;
  const now = desk.clock.now();
  const goesOn = mayGoOn(work);
  if (goesOn && now < work.readAt) return false;
  if (!goesOn) return ![...work.entries.values()].some(({ state }) => state === 'sending' || state === 'deciding');
  if (work.inOrder || entries.some(queue.isAwaited)) return true;
  const [next] = isFull(work) ? [] : nextOfBatch(work, limits, queue);
  if (!next && work.busy === entries.length) return true;
  if (entries.filter((entry) => doubts.get(entry)?.job === 'failed').length >= MAX_FAILED_JOBS) return true;
  const pace = next && paceOf(stepNameOf(next));
  if (pace?.trouble()?.kind === 'quota' && pace.quietMs(MAX_QUIET_MS) > MAX_DOUBT_MS) return true;
  const oldest = Math.min(...entries.map((entry) => doubts.get(entry)?.endedAt ?? now));
  return !pace?.isProbing() && now >= oldest + desk.settleMs + MAX_DOUBT_MS;
};

/** Begins all readings whose time has come: of a batch together, of single items by their call. */
export const startReadings = (board: Board, limits: Limits): void => {
  const { doubts } = board;
  const groups = new Map<Work | VendorCall, Entry[]>();
  for (const [entry, call] of doubts) {
    const key = entry.work.isBatch ? entry.work : call;
    const group = groups.get(key) ?? [];
    group.push(entry);
    groups.set(key, group);
  }
  for (const entries of groups.values()) {
    const [{ work }] = entries as [Entry];
    if (!work.isBatch || isTimeToRead(board, work, entries, limits)) read(board, entries);
  }
};
