/** Sends items of a cluster: each is stored as sent, the call is made in its slot, its job followed, and its end concluded. */
import { GatewayError } from '../errors.js';
import type { Board } from './board.js';
import { carryOut, conclude } from './conclude.js';
import { purposeOf } from './desk.js';
import type { Decision } from './evidence.js';
import { failedWith, secretLost } from './outcome.js';
import { checkInTurn, checkPrecondition, isStale } from './precondition.js';
import { answerOf, callVendor, concealSent, follow, markSent, type VendorCall } from './vendor-call.js';
import { isRepeatable, type Nature } from './verdict.js';
import { type Entry, stepNow, type Work } from './work.js';

/** An item whose thing an operation of an earlier process is at waits for so long. */
export const REST_MS = 500;

const died = (): GatewayError => new GatewayError('vendor_timeout', 'The gateway stopped before the vendor answered.');

export const rest = (board: Board, entries: readonly Entry[], ms: number): void => {
  if (entries.length === 0) return;
  board.move(entries, 'resting');
  board.run(entries, async () => {
    await board.desk.clock.sleep(ms, board.stopping);
    board.move(entries, 'waiting');
  });
};

/** Reads what was there before the send, where that can prove something. */
export const prepare = (board: Board, entries: readonly Entry[], { requestId, isBatch, tally }: Work, done: () => void): void => {
  const { desk } = board;
  const natureOf = (entry: Entry): Nature => stepNow(entry).nature;
  const names = (nature: Nature): string[] => entries.filter((entry) => natureOf(entry) === nature).map(({ item }) => item.name);
  board.run([], async () => {
    await desk.baselines
      .prepare(
        { created: names('add'), deleted: names('remove') },
        { requestId, signal: desk.signal, purpose: purposeOf({ isBatch }), owner: desk.site.key, tally },
      )
      .finally(done);
  });
};

/** Checks `If-Match` before an item waits for its turn. */
export const check = (board: Board, entry: Entry, done: () => void): void => {
  board.move([entry], 'checking');
  board.run([entry], async () => {
    const refusal = await checkPrecondition(board.desk, entry).finally(done);
    if (board.desk.signal.aborted) return;
    if (refusal) await entry.work.settle(new Map([[entry, refusal]]));
    else board.move([entry], 'waiting');
  });
};

const isLost = ({ work, item: { secret, index } }: Entry): boolean => secret !== undefined && !work.ownKeys.has(index);

/** Items whose secret cannot be opened end here. @returns those that may go; in order, those before the first of them */
const endLost = async (work: Work, entries: readonly Entry[]): Promise<readonly Entry[]> => {
  const lost = entries.filter(isLost);
  const [first] = lost;
  if (!first) return entries;
  await work.settle(new Map(lost.map((entry) => [entry, failedWith(secretLost())])));
  return work.inOrder ? entries.slice(0, entries.indexOf(first)) : entries.filter((entry) => !lost.includes(entry));
};

/** Stores the items of one operation as sent. @returns those that may go; the others wait */
const depart = async (board: Board, work: Work, asked: readonly Entry[]): Promise<Entry[]> => {
  const { desk } = board;
  const entries = await endLost(work, asked);
  if (entries.length === 0) return [];
  const { ended, fit } = await checkInTurn(desk, work, entries);
  await work.settle(ended);
  // One that was ended may stop those after it.
  const ready = fit.filter(({ item }) => item.index < work.stopsAt);
  const [first] = ready;
  if (!first) return [];
  const gone = await markSent(desk, work, ready);
  if (!work.isCancelling)
    rest(
      board,
      ready.filter((entry) => !gone.includes(entry)),
      REST_MS,
    );
  if (gone.length === 0 || !isStale(desk, first)) return gone;
  await work.settle(new Map([[first, { status: 'again', untouched: true }]]));
  return [];
};

/** Nothing was sent: soon, the right to send is proven again, or lost. */
const putBack = async (board: Board, entries: readonly Entry[]): Promise<void> => {
  await board.forEachWork(entries, (work, own) =>
    work.settle(new Map(own.map((entry) => [entry, { status: 'again', untouched: true }]))),
  );
  if (!board.desk.signal.aborted) rest(board, entries, REST_MS);
};

/** More are forgotten: they matter for moments after a failover. */
const MAX_ORDERS = 50_000;

const noteSent = (board: Board, entries: Iterable<Entry>): void => {
  const { sent } = board;
  for (const { item, work } of entries) {
    sent.delete(item.name);
    sent.set(item.name, { order: work.order, at: ++board.sends });
    if (sent.size > MAX_ORDERS) sent.delete(sent.keys().next().value as string);
  }
};

/** In the slot: from the store to the vendor's answer. */
const storeAndCall = async (board: Board, entries: readonly Entry[]) => {
  const { desk } = board;
  board.sending++;
  try {
    const departed = await board.forEachWork(entries, (work, own) => depart(board, work, own));
    const gone = new Set(departed.flat());
    const [first, ...others] = entries.filter((entry) => gone.has(entry));
    board.move(
      entries.filter((entry) => entry.state === 'sending' && !gone.has(entry)),
      'waiting',
    );
    if (!first || desk.signal.aborted) return undefined;
    noteSent(board, gone);
    return await callVendor(desk, [first, ...others]);
  } finally {
    board.sending--;
    board.pump();
  }
};

/** Follows the job of a call, and concludes it. Without a job, only that. A job is left to the next process where this one stops. */
const end = async (board: Board, call: VendorCall): Promise<void> => {
  if (call.jobId === undefined) return conclude(board, call);
  board.move(call.entries, 'following');
  const ended = await follow(board.desk, call, board.stopping);
  board.move(ended.entries, 'deciding');
  return conclude(board, ended);
};

export const send = (board: Board, entries: readonly Entry[]): void => {
  const { desk } = board;
  board.move(entries, 'sending');
  for (const entry of entries) board.queue.add(entry);
  board.run(entries, async () => {
    const called = await storeAndCall(board, entries);
    if (!called) return;
    board.move(called.entries, 'deciding');
    // That says nothing about the vendor.
    if (called.isHeldBack) return putBack(board, called.entries);
    const call = await answerOf(desk, called);
    board.sharing.note(call);
    if (call.jobId !== undefined) {
      // A vendor that takes jobs is at work.
      board.paceOf(call.step.name).noteTaken(call.sentAt);
      for (const { work } of call.entries) work.endurance.noteProgress();
    }
    await end(board, call);
  });
};

/**
 * What a process that held the domain earlier had sent, or was just about to send: its job is followed; what may be repeated is, once nothing
 * of it is under way; the rest is read back.
 */
export const resume = (board: Board, entry: Entry): void => {
  const { clock, holding, settleMs } = board.desk;
  const { underWay, job } = entry.item;
  if (underWay === undefined) return;
  concealSent(board.desk, entry);
  const step = stepNow(entry);
  const sent = { step, entries: [entry], sentAt: underWay, isRecovered: true } as const;
  if (job !== undefined) {
    board.move([entry], 'following');
    board.run([entry], () => end(board, { ...sent, endedAt: underWay, word: 'taken', job: 'running', jobId: job }));
    return;
  }
  const quietAt = holding?.quietAfter(underWay) ?? underWay;
  // It may have been a create: what it did shows only then.
  const endedAt = step.plan ? quietAt + settleMs : quietAt;
  const call: VendorCall = { ...sent, endedAt, word: 'none', job: 'unknown', error: died() };
  if (!isRepeatable(step.nature)) {
    board.putInDoubt(entry, call);
    return;
  }
  const decision: Decision = entry.isSuperseded
    ? { kind: 'settled', outcome: step.outcome(entry.item, { verdict: 'unknown', reading: 'none', found: null, error: died() }) }
    : { kind: 'again', apart: false, untouched: false, wasRead: false };
  board.move([entry], 'resting');
  board.run([entry], async () => {
    await clock.sleep(Math.max(endedAt - clock.now(), 0), board.stopping);
    if (!board.stopping.aborted) await carryOut(board, [{ doubt: { entry, call }, decision }]);
  });
};
