/**
 * Steps that send nothing: things are read when it is their turn, and what is to be done to them is decided. Nothing is stored before, so
 * a process that dies meanwhile leaves nothing behind.
 */
import { asGatewayError, GatewayError } from '../errors.js';
import type { StepOutcome } from '../journal/item.js';
import { isDone } from '../journal/records.js';
import { FRESH_MS } from './baseline.js';
import { type Board, noteFault } from './board.js';
import { boundedCall } from './desk.js';
import { failedWith, withDetail } from './outcome.js';
import { readAgainMs, troubleOf } from './pace.js';
import type { Planned } from './resource.js';
import { dropStalePlan, type Entry, foreseenOf, mayGoOn, stepNow, type Work } from './work.js';

/** Items of one change. */
const STORED_AT_ONCE = 100;
/** A single item that waits for one of a batch does not wait longer for its reading, unless the vendor asks for it. */
const AWAITED_MS = 4_000;

/** Reads the things of items, all of one account, and plans. */
const planOf = async ({ desk }: Board, entries: readonly [Entry, ...Entry[]]): Promise<readonly Planned[]> => {
  const [first] = entries;
  const { baselines, clock } = desk;
  const call = boundedCall(desk, first.work);
  const at = clock.now();
  const names = entries.map(({ item }) => item.name);
  const read = await first.work.site.read(names, call);
  for (const name of names) {
    const thing = read.found.get(name) ?? null;
    if (thing || read.complete) baselines.note(name, thing, at);
  }
  const asked = entries.map(({ item, work, unread }) => ({ item, isBatch: work.isBatch, unread }));
  return stepNow(first).plan?.(asked, read, call) ?? [];
};

const store = async (work: Work, outcomes: ReadonlyMap<Entry, StepOutcome>): Promise<void> => {
  const all = [...outcomes];
  for (let at = 0; at < all.length; at += STORED_AT_ONCE) await work.settle(new Map(all.slice(at, at + STORED_AT_ONCE)));
};

/**
 * What could not be read, or not well enough, is read again later, for as long as its operation is patient. Nothing was sent.
 * @param isWorthIt whatever the error says
 */
const putOff = async (
  board: Board,
  work: Work,
  entries: readonly Entry[],
  error: GatewayError,
  isWorthIt: boolean,
): Promise<void> => {
  if (entries.length === 0) return;
  const { planning, requestId } = work;
  noteFault(board, error, requestId);
  const kind = isWorthIt ? 'unavailable' : troubleOf(error);
  const asked = error.retryAfterMs ?? 0;
  const own = Math.min(readAgainMs(work.unplanned++), planning.maxWaitMs);
  const wait = Math.max(own, asked);
  planning.noteTrouble(kind, wait, true);
  if ((error.retryable || isWorthIt) && planning.isLeft(kind, wait)) {
    const now = board.desk.clock.now();
    work.planAt = now + wait;
    work.planSoonAt = now + Math.max(Math.min(own, AWAITED_MS), asked);
    board.move(entries, 'waiting');
    return;
  }
  const unsent = failedWith(withDetail(error.withEffect('none'), 'Nothing was changed.', 'none'), 'failed');
  const outcomeOf = ({ item }: Entry) => ((item.sends ?? 0) > 0 ? failedWith(error.withEffect('none'), 'failed') : unsent);
  await store(work, new Map(entries.map((entry) => [entry, outcomeOf(entry)])));
};

/** What a reading showed, and which send was the last when it began. */
interface Reading {
  readonly lastSend: number;
  readonly planned: ReadonlyMap<Entry, Planned>;
}

/** What was planned for the items of one operation. */
const take = async (board: Board, work: Work, entries: readonly Entry[], { lastSend, planned }: Reading): Promise<void> => {
  const { desk, sent } = board;
  const { clock } = desk;
  const readAt = clock.now();
  const ends = new Map<Entry, StepOutcome>();
  const unread: Entry[] = [];
  let error: GatewayError | undefined;
  for (const entry of entries) {
    const each = planned.get(entry) as Planned;
    if (each.status === 'unread') {
      entry.unread++;
      unread.push(entry);
      error = each.error;
    } else if (each.status !== 'planned' && !work.inOrder) ends.set(entry, each);
    else {
      // Others may be sent to it before, and the items of an operation in order may wait for long.
      const isUntouched = (): boolean => (sent.get(entry.item.name)?.at ?? 0) <= lastSend;
      const isUsable = work.inOrder ? () => isUntouched() && clock.now() - readAt <= FRESH_MS : isUntouched;
      entry.plan = { planned: each, isUsable };
      // The reading has shown that, too.
      entry.checkedAt = readAt;
    }
  }
  if (!error) {
    work.unplanned = 0;
    work.planAt = 0;
    work.planSoonAt = 0;
    work.planning.noteSuccess(true);
  }
  if (ends.size > 0) {
    await store(work, ends);
    work.endurance.noteProgress();
  }
  board.move(
    entries.filter((entry) => !entry.item.outcome && !unread.includes(entry)),
    'waiting',
  );
  if (error) await putOff(board, work, unread, error, true);
};

/** @param done is called when they are read */
export const plan = (board: Board, entries: readonly Entry[], done: () => void): void => {
  const [first, ...others] = entries;
  if (!first) {
    done();
    return;
  }
  const { desk } = board;
  board.move(entries, 'preparing');
  board.run(entries, async () => {
    const lastSend = board.sends;
    const plans = await planOf(board, [first, ...others])
      .catch(asGatewayError)
      .finally(done);
    if (desk.signal.aborted) return;
    if (plans instanceof GatewayError) {
      await board.forEachWork(entries, (work, own) => putOff(board, work, own, plans, false));
      return;
    }
    const planned = new Map(entries.map((entry, position) => [entry, plans[position] as Planned]));
    await board.forEachWork(entries, (work, own) => take(board, work, own, { lastSend, planned }));
  });
};

/** In an operation in order: ends what comes next and needs nothing to be sent. */
export const endForeseen = (board: Board, work: Work): void => {
  if (!work.inOrder || work.busy > 0 || !mayGoOn(work)) return;
  const { queue } = board;
  const next = new Map<Entry, StepOutcome>();
  for (const entry of work.entries.values()) {
    dropStalePlan(entry);
    const foreseen = foreseenOf(entry);
    if (!foreseen || entry.item.index >= work.stopsAt) break;
    // Whoever waits at its thing was there before.
    if (next.size === 0) queue.add(entry);
    if (!queue.isNext(entry) && !queue.isFree(entry)) break;
    next.set(entry, foreseen);
    if (!isDone(foreseen)) break;
  }
  if (next.size === 0) return;
  board.move(next.keys(), 'deciding');
  board.run([...next.keys()], async () => {
    await store(work, next);
    work.endurance.noteProgress();
  });
};
