/** What a call came to: for the pace of the cluster, for the patience of operations, and for each item. */
import type { StepOutcome } from '../journal/item.js';
import { type Board, noteFault } from './board.js';
import { type Decided, type Decision, type Doubt, decide } from './evidence.js';
import { troubleOf } from './pace.js';
import { sendApart } from './queue.js';
import { byWork, type VendorCall } from './vendor-call.js';
import { type Entry, mayGoOn, type Work } from './work.js';
import { readWritten } from './written.js';

/** Refusals of a call that say nothing about the next one. */
const ONE_CALL_ONLY: ReadonlySet<string> = new Set(['vendor_permission_denied', 'internal_error']);

/** @returns the operations for which waiting and sending again is not worth it */
const notePace = (board: Board, { step, entries, word, job, error, sentAt }: VendorCall): Set<Work> => {
  const tired = new Set<Work>();
  const works = [...byWork(entries).keys()];
  const pace = board.paceOf(step.name);
  // The vendor works; reading back shows whether the thing explains the failure.
  if (job === 'failed') return tired;
  if (!error || word === 'exists' || word === 'missing' || word === 'refused') {
    const ends = pace.noteSuccess(sentAt);
    for (const { endurance } of works) endurance.noteSuccess(ends);
    return tired;
  }
  noteFault(board, error, works[0]?.requestId ?? '');
  const isRefused = word === 'refused_all';
  const kind = troubleOf(error);
  const counts = !isRefused && pace.noteTrouble(kind, error.retryAfterMs, sentAt);
  if (!isRefused) board.lastError = error;
  for (const work of works) {
    const { endurance } = work;
    const wait = Math.max(pace.quietMs(endurance.maxWaitMs), error.retryAfterMs ?? 0);
    if (!isRefused) endurance.noteTrouble(kind, wait, counts);
    if (!isRefused && endurance.isLeft(kind, wait)) continue;
    tired.add(work);
    if (work.isBatch && !(isRefused && ONE_CALL_ONLY.has(error.code))) board.giveUp(work, error);
  }
  return tired;
};

/** What a reading shows of calls and jobs that failed: the thing explains it, and the vendor works; or a job failed for no such reason. */
export const noteFailure = (board: Board, { entry: { work }, call }: Doubt, decision: Decision): void => {
  const { step, job, word, error } = call;
  if ((job !== 'failed' && word !== 'failed') || !error) return;
  const { endurance } = work;
  const [pace, now, kind] = [board.paceOf(step.name), board.desk.clock.now(), troubleOf(error)];
  if (decision.kind === 'settled' && decision.outcome.status !== 'failed') {
    endurance.noteSuccess(pace.noteSuccess(now));
    return;
  }
  // A call was counted when it ended.
  if (job !== 'failed') return;
  const counts = pace.noteTrouble(kind, undefined, now);
  const wait = pace.quietMs(endurance.maxWaitMs);
  endurance.noteTrouble(kind, wait, counts);
  if (work.isBatch && !endurance.isLeft(kind, wait)) board.giveUp(work, error);
};

const NOTHING_DONE = { status: 'again', untouched: true } as const;

/** What the vendor said where somebody else came between the reading and the send of what was planned: it is planned again, once. */
const overtakenBy = (entry: Entry, { status }: StepOutcome): Entry['overtakenBy'] => {
  const { asked, sends, stepsDone = 0 } = entry.item;
  const isFirst = asked !== undefined && sends === 1 && stepsDone === 0 && !entry.overtakenBy;
  const isSaid = status === 'already_exists' || status === 'not_found';
  return isFirst && isSaid && mayGoOn(entry.work) ? status : undefined;
};

/** Stores what was decided, and plans what is to be sent again. */
export const carryOut = async (board: Board, decided: readonly Decided[]): Promise<void> => {
  const { baselines } = board.desk;
  const decidedOf = new Map(decided.map((each) => [each.doubt.entry, each]));
  await board.forEachWork(decidedOf.keys(), async (work, entries) => {
    const outcomes = new Map<Entry, StepOutcome>();
    const apart = new Map<VendorCall, Entry[]>();
    for (const entry of entries) {
      const { doubt, decision } = decidedOf.get(entry) as Decided;
      const by = decision.kind === 'settled' ? overtakenBy(entry, decision.outcome) : undefined;
      if (by) {
        entry.overtakenBy = by;
        baselines.forget(entry.item.name);
      }
      if (decision.kind === 'settled') outcomes.set(entry, by ? NOTHING_DONE : decision.outcome);
      if (decision.kind !== 'again') continue;
      outcomes.set(entry, { status: 'again', untouched: decision.untouched });
      if (!decision.wasRead) baselines.forget(entry.item.name);
      if (decision.apart) apart.set(doubt.call, [...(apart.get(doubt.call) ?? []), entry]);
    }
    await work.settle(outcomes);
    // The next step may have been sent, too.
    for (const entry of outcomes.keys()) if (!entry.item.outcome && entry.isUncertain) board.uncertain.add(entry);
    board.move(
      [...outcomes.keys()].filter(({ item }) => !item.outcome),
      'waiting',
    );
    if ([...outcomes.values()].some(({ status }) => status !== 'again')) work.endurance.noteProgress();
    for (const [call, group] of apart) sendApart(work, group, call.entries.length);
  });
};

/** Decides about each item of a call that has ended: what its word does not settle is in doubt. */
export const conclude = async (board: Board, ended: VendorCall): Promise<void> => {
  const { desk } = board;
  const { requestId } = ended;
  if (requestId !== undefined) for (const { requestIds } of ended.entries) requestIds.add(requestId);
  const call: VendorCall = { ...ended, tired: notePace(board, ended) };
  const isDone = call.word === 'applied' || call.job === 'done';
  if (isDone && call.step.nature === 'add')
    for (const { item } of call.entries) desk.offsets.acknowledged(desk.site.key, item.name, call.sentAt, call.endedAt);
  const decided = await Promise.all(
    call.entries.map(async (entry): Promise<Decided> => {
      const doubt: Doubt = { entry, call };
      return { doubt, decision: isDone ? await readWritten(desk, doubt) : decide(doubt) };
    }),
  );
  // What was given up may still come about: its record stays unchanged for the process that resumes it.
  if (desk.signal.aborted) return;
  for (const { doubt, decision } of decided) if (decision.kind === 'read') board.putInDoubt(doubt.entry, call);
  await carryOut(
    board,
    decided.filter(({ decision }) => decision.kind !== 'read'),
  );
};
