/**
 * Steps that send nothing: things are read when it is their turn, and what is to be done to them is decided. Nothing is stored before, so
 * a process that dies meanwhile leaves nothing behind.
 */
import { asGatewayError, type GatewayError } from '../errors.js';
import type { StepOutcome } from '../journal/item.js';
import { type ItemOutcome, isDone } from '../journal/records.js';
import { FRESH_MS } from './baseline.js';
import { type Board, noteFault } from './board.js';
import { boundedCall } from './desk.js';
import { failedWith, withDetail } from './outcome.js';
import { backOffMs, troubleOf } from './pace.js';
import type { Planned, Unread } from './resource.js';
import { dropStalePlan, type Entry, foreseenOf, mayGoOn, stepNow, type Work } from './work.js';

/** Items of one change. */
const STORED_AT_ONCE = 100;
/** A single item that waits for one of a batch does not wait longer for its reading, unless the vendor asks for it. */
const AWAITED_MS = 4_000;
/** A thing that may stand where a list has holes is read so often before what is to be done is decided without. */
const MAX_UNREAD = 3;

const store = async (work: Work, outcomes: ReadonlyMap<Entry, StepOutcome>): Promise<void> => {
  const all = [...outcomes];
  for (let at = 0; at < all.length; at += STORED_AT_ONCE) await work.settle(new Map(all.slice(at, at + STORED_AT_ONCE)));
};

const isThere = ({ overtakenBy }: Entry): boolean => overtakenBy === 'already_exists';

interface Reading {
  readonly planned: ReadonlyMap<Entry, Planned>;
  /** Which send was the last when it began. */
  readonly lastSend: number;
  /** When it ended, by our clock. */
  readonly readAt: number;
  readonly failed?: true;
}

/** Reads the things of items, all of one account, and plans. Never rejects. */
const read = async (board: Board, entries: readonly [Entry, ...Entry[]]): Promise<Reading> => {
  const { desk, sends: lastSend } = board;
  const { baselines, clock } = desk;
  const [first] = entries;
  const call = boundedCall(desk, first.work);
  const at = clock.now();
  const names = entries.map(({ item }) => item.name);
  try {
    const anyCase = entries.some(isThere);
    const found = await first.work.site.read(names, call, anyCase ? { anyCase } : {});
    const readAt = clock.now();
    for (const name of anyCase ? [] : names) {
      const thing = found.found.get(name) ?? null;
      if (thing || found.complete) baselines.note(name, thing, at);
    }
    const asked = entries.map((entry) => ({ item: entry.item, isBatch: entry.work.isBatch, isThere: isThere(entry) }));
    const plans = (await stepNow(first).plan?.(asked, found, call)) ?? [];
    return { planned: new Map(entries.map((entry, position) => [entry, plans[position] as Planned])), lastSend, readAt };
  } catch (thrown) {
    const error = asGatewayError(thrown);
    noteFault(board, error, call.requestId);
    const planned = new Map(entries.map((entry) => [entry, { status: 'unread', error } as const]));
    return { planned, lastSend, readAt: clock.now(), failed: true };
  }
};

/** Whether there is patience for another reading, which is then put off. @param isWorthIt whatever the error says */
const putOff = ({ desk }: Board, work: Work, error: GatewayError, isWorthIt: boolean): boolean => {
  const { planning } = work;
  const kind = isWorthIt ? 'unavailable' : troubleOf(error);
  const asked = error.retryAfterMs ?? 0;
  const own = Math.min(backOffMs(work.unplanned++), planning.maxWaitMs);
  const wait = Math.max(own, asked);
  planning.noteTrouble(kind, wait, true);
  if (!(error.retryable || isWorthIt) || !planning.isLeft(kind, wait)) return false;
  const now = desk.clock.now();
  work.planAt = now + wait;
  work.planSoonAt = now + Math.max(Math.min(own, AWAITED_MS), asked);
  return true;
};

const noteRead = (work: Work): void => {
  work.unplanned = 0;
  work.planAt = 0;
  work.planSoonAt = 0;
  work.planning.noteSuccess(true);
};

/** What becomes of an item that cannot be read. Nothing was sent, or nothing of it had an effect. */
const notRead = ({ item }: Entry, error: GatewayError): ItemOutcome => {
  const failure = error.withEffect('none');
  return failedWith((item.sends ?? 0) > 0 ? failure : withDetail(failure, 'Nothing was changed.', 'none'), 'failed');
};

/** What a reading shows for the items of one operation. */
const take = async (board: Board, work: Work, entries: readonly Entry[], reading: Reading): Promise<void> => {
  const { desk, sent } = board;
  const { clock } = desk;
  const { planned, lastSend, readAt, failed } = reading;
  const ends = new Map<Entry, StepOutcome>();
  const again: (readonly [Entry, Unread])[] = [];

  const accept = (entry: Entry, plan: Exclude<Planned, Unread>): void => {
    if (plan.status !== 'planned' && !work.inOrder) {
      ends.set(entry, plan);
      return;
    }
    // Others may be sent to it before, and the items of an operation in order may wait for long.
    const isUntouched = (): boolean => (sent.get(entry.item.name)?.at ?? 0) <= lastSend;
    const isUsable = work.inOrder ? () => isUntouched() && clock.now() - readAt <= FRESH_MS : isUntouched;
    entry.plan = { planned: plan, isUsable };
    // The reading has shown that, too.
    entry.checkedAt = readAt;
  };

  for (const entry of entries) {
    const plan = planned.get(entry) as Planned;
    if (plan.status !== 'unread') accept(entry, plan);
    else if (plan.otherwise && ++entry.unread >= MAX_UNREAD) accept(entry, plan.otherwise);
    else again.push([entry, plan]);
  }
  const [one] = again;
  if (!one) noteRead(work);
  else if (!putOff(board, work, one[1].error, !failed))
    for (const [entry, { error, otherwise }] of again) accept(entry, otherwise ?? notRead(entry, error));
  if (ends.size > 0) {
    await store(work, ends);
    work.endurance.noteProgress();
  }
  board.move(
    entries.filter(({ item }) => !item.outcome),
    'waiting',
  );
};

/** @param done is called when they are read */
export const plan = (board: Board, entries: readonly Entry[], done: () => void): void => {
  const [first, ...others] = entries;
  if (!first) {
    done();
    return;
  }
  board.move(entries, 'preparing');
  board.run(entries, async () => {
    const reading = await read(board, [first, ...others]).finally(done);
    if (board.desk.signal.aborted) return;
    await board.forEachWork(entries, (work, own) => take(board, work, own, reading));
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
    // An entry that waits at its thing was there before.
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
