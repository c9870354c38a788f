/** Works off one operation: sends its items in the vendor's batches, again where that is right, until each is settled. */
import { setMaxListeners } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import { pollDelay } from '../../deadline.js';
import { asGatewayError, GatewayError } from '../../errors.js';
import type { Target } from '../../registry.js';
import { capabilitiesOf } from '../clusters.js';
import { dispatch, whenQuietIsOver } from './dispatch.js';
import { firstGroup, groupsOf } from './grouping.js';
import type { Work } from './ledger.js';
import { createProgress, type Progress } from './progress.js';
import { type ItemRecord, isFinal, type LoadedOperation, placeOf } from './records.js';
import { recover } from './recover.js';
import { resolveFailure, resolveReceipt } from './resolve.js';
import { failedWith, stepOf, told } from './steps.js';
import { forAll, LOOK_AGAIN_MS, mayGoOn, PATIENCE_MS, sleep, type Tools, type Turn } from './turn.js';

const LOCATE_MS = 30_000;
const LONGEST_RETRY_MS = 30_000;

/** Jobs of a vendor's that one operation has open at once: as many as one look at them tells of. */
const MOST_OPEN_JOBS = 100;

export interface Signals {
  /** Begin nothing more; what is under way comes to its end. */
  readonly pause: AbortSignal;
  /** Let go of everything. */
  readonly abandon: AbortSignal;
}

/** Resolves when the operation is final, or to be left to others. @throws OwnershipLost */
export type Executor = (operation: LoadedOperation, owner: string, signals: Signals) => Promise<void>;

/** How calls of batches to one cluster are limited, all operations together. */
type Limits = (target: Target, concurrency: number) => LimitFunction;

const createLimits = (): Limits => {
  const limits = new Map<string, LimitFunction>();
  return (target, concurrency) => {
    const key = JSON.stringify(placeOf(target));
    const limit = limits.get(key) ?? pLimit(concurrency);
    limits.set(key, limit);
    return limit;
  };
};

/**
 * Sends a group, and again what is left of it, until each item is settled or nothing more is to be sent. Answers false when nothing was
 * sent at all: other operations are at these users, or it is to stop.
 */
const runGroup = async (turn: Turn, limit: LimitFunction, group: readonly ItemRecord[]): Promise<boolean> => {
  const { ledger, work, progress, call } = turn;
  const [first] = group;
  if (!first || first.index >= progress.stopsAt()) return true;
  const step = stepOf(first);
  // Outside the limit, so that the operations of others go on meanwhile.
  if (!(await whenQuietIsOver(turn))) return false;
  const sent = await limit(() => dispatch(turn, step, group));
  if (!sent) return false;
  const { departed } = sent;
  if ('receipt' in sent && sent.receipt.state === 'accepted') await ledger.follow(work, departed, sent.receipt.job);
  const { outcomes, left, how, waitMs } = await ('receipt' in sent
    ? resolveReceipt(turn, step, departed, sent.receipt)
    : resolveFailure(turn, step, departed, sent.failure));
  // What was given up may still come about: it stays as it is for whoever goes on.
  if (call.signal.aborted) return true;
  const untouched = 'failure' in sent && sent.failure.effect === 'none';
  await progress.settle(new Map([...outcomes, ...forAll(left, () => ({ status: 'again', untouched }))]));
  if (waitMs !== undefined) progress.keepQuiet(waitMs);
  const next = left.map(({ index }) => progress.item(index)).filter(({ index }) => index < progress.stopsAt());
  if (how === 'whole') {
    await runGroup(turn, limit, next);
    return true;
  }
  const middle = Math.ceil(next.length / 2);
  await runGroup(turn, limit, next.slice(0, middle));
  await runGroup(turn, limit, next.slice(middle));
  return true;
};

const workOff = async (turn: Turn, { stopOnError }: LoadedOperation, limits: Limits): Promise<void> => {
  const { clusters, target, call, progress, isBatch } = turn;
  const { batch, writes } = capabilitiesOf(target, await clusters.facts(target, call).catch(() => undefined));
  const limit = isBatch ? limits(target, batch.concurrency) : pLimit(1);
  const most = writes === 'job' ? MOST_OPEN_JOBS : batch.concurrency;
  const busy = new Set<number>();
  const failures: unknown[] = [];
  /** Groups that make calls now. */
  const running = new Set<Promise<void>>();
  /** All groups that are begun: one whose users are held by others rests a moment, and leaves the calls to the rest. */
  const begun = new Set<Promise<void>>();
  const follow = (work: Promise<void>, among: Set<Promise<void>>): void => {
    const followed: Promise<void> = work.finally(() => among.delete(followed));
    among.add(followed);
  };
  const run = async (group: readonly ItemRecord[], sending: Promise<boolean>): Promise<void> => {
    for (const { index } of group) busy.add(index);
    try {
      if (!(await sending)) await sleep(LOOK_AGAIN_MS);
    } catch (thrown) {
      failures.push(thrown);
    } finally {
      for (const { index } of group) busy.delete(index);
    }
  };
  const start = (group: readonly ItemRecord[]): void => {
    const sending = runGroup(turn, limit, group);
    const sent = sending.then(
      () => undefined,
      () => undefined,
    );
    follow(sent, running);
    follow(run(group, sending), begun);
  };
  while (failures.length === 0 && (await mayGoOn(turn))) {
    const unsettled = progress.unsettled();
    const groups = stopOnError ? firstGroup(unsettled, busy, batch, progress.stopsAt()) : groupsOf(unsettled, busy, batch);
    if (groups.length + begun.size === 0) break;
    for (const group of groups) if (running.size < most) start(group);
    await Promise.race([...running, ...begun]);
  }
  await Promise.all(begun);
  if (failures.length > 0) throw failures[0];
};

/** The last word on what was not done, and on the whole. */
const conclude = async ({ ledger, work, progress }: Turn): Promise<void> => {
  const { fatal } = progress;
  if (fatal) await progress.settle(forAll(progress.unsettled(), () => failedWith(fatal)));
  const rest = progress.unsettled();
  const stopped = progress.stopsAt() !== Number.POSITIVE_INFINITY;
  if (rest.length > 0 && !stopped && !(await progress.isCancelled())) return;
  await progress.settle(forAll(rest, () => ({ status: 'cancelled' })));
  await ledger.finish(work);
};

/** Nobody can ask the cluster any more, nor what became of what was sent to it. */
const giveUp = async ({ ledger }: Tools, work: Work, progress: Progress, error: GatewayError): Promise<void> => {
  const outcomeOf = ({ sends = 0 }: ItemRecord) =>
    sends === 0 ? failedWith(error) : failedWith(told(error, 'What was sent before cannot be read back.', 'open'), 'unknown');
  await progress.settle(forAll(progress.unsettled(), outcomeOf));
  await ledger.finish(work);
};

/**
 * The cluster, where it still stands. One that is not served any more ends the operation; a vendor that cannot be asked about it for a
 * while does not.
 */
const locate = async (
  tools: Tools,
  operation: LoadedOperation,
  work: Work,
  progress: Progress,
  pause: AbortSignal,
): Promise<Target | undefined> => {
  const { clusterId, requestId, place } = operation;
  for (let attempt = 0; !pause.aborted; attempt++) {
    try {
      const target = await tools.clusters.resolve(clusterId, { requestId, signal: AbortSignal.timeout(LOCATE_MS) });
      const { account, vendorClusterId } = placeOf(target);
      if (account === place.account && vendorClusterId === place.vendorClusterId) return target;
      throw new GatewayError('cluster_not_found', `The cluster ${clusterId} stands elsewhere than when this was begun.`);
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (error.code === 'cluster_not_found' || progress.idleMs() > PATIENCE_MS) {
        await giveUp(tools, work, progress, error);
        return undefined;
      }
      await sleep(pollDelay(attempt, LOOK_AGAIN_MS, LONGEST_RETRY_MS));
    }
  }
  return undefined;
};

export const createExecutor = (tools: Tools): Executor => {
  const limits = createLimits();

  return async (operation, owner, { pause, abandon }) => {
    if (isFinal(operation) || abandon.aborted) return;
    const { id, kind, place, requestId } = operation;
    const work: Work = { id, owner, place };
    const progress = createProgress(operation, work, tools.ledger);
    // Of this operation alone, so that nothing that listens outlives it.
    const giving = new AbortController();
    const { signal } = giving;
    const onAbandon = (): void => giving.abort();
    abandon.addEventListener('abort', onAbandon, { once: true });
    setMaxListeners(0, signal);
    try {
      const target = await locate(tools, operation, work, progress, pause);
      if (!target) return;
      const call = { requestId, signal };
      const turn: Turn = {
        ...tools,
        work,
        target,
        progress,
        call,
        isBatch: kind === 'batchUsers',
        inOrder: operation.stopOnError,
        pause,
      };
      await recover(turn);
      if (!signal.aborted) await workOff(turn, operation, limits);
      if (!signal.aborted) await conclude(turn);
    } finally {
      abandon.removeEventListener('abort', onAbandon);
    }
  };
};
