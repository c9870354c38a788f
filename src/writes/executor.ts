/** Works on one operation: what was left behind first, then all that is open, and the last word at the end. */
import { setMaxListeners } from 'node:events';
import { onAbort } from '../deadline.js';
import { GatewayError } from '../errors.js';
import type { Holding } from '../journal/domains.js';
import { stepOf } from '../journal/item.js';
import type { Work } from '../journal/journal.js';
import { type ItemRecord, isFinal, type LoadedOperation } from '../journal/records.js';
import { type Context, type Deps, forAll, newContext, siteOf } from './context.js';
import type { Flight } from './flight.js';
import { failedWith, withDetail } from './outcome.js';
import { createProgress, type Progress } from './progress.js';
import { workOff } from './workloop.js';

export interface Signals {
  /** Begin nothing more; calls under way end. */
  readonly pause: AbortSignal;
  /** Let go of everything. */
  readonly abandon: AbortSignal;
}

/** Resolves when the operation is final, or to be left to others. @throws OwnershipLost */
export type Executor = (operation: LoadedOperation, holding: Holding, signals: Signals) => Promise<void>;

const died = (): GatewayError => new GatewayError('vendor_timeout', 'The gateway stopped before the vendor answered.');

/** What a process that held the domain earlier had sent, or was just about to send. */
const recover = ({ progress, site }: Context, holding: Holding): Flight[] =>
  progress.unsettled().flatMap((item): Flight[] => {
    const { underWay, job } = item;
    if (underWay === undefined) return [];
    const flown = { step: site.step(stepOf(item)), items: [item], sentAt: underWay, recovered: true } as const;
    if (job !== undefined) return [{ ...flown, endedAt: underWay, word: 'taken', job: 'running', jobId: job }];
    return [{ ...flown, endedAt: holding.quietAfter(underWay), word: 'none', job: 'unknown', error: died() }];
  });

/** Why an item is left, once the vendor is given up. */
const notDone = (fatal: GatewayError, { sends = 0 }: ItemRecord): GatewayError =>
  withDetail(fatal, sends === 0 ? 'This item was not sent.' : 'This item was not done, and is not sent again.', 'none');

/** The last word on what was not done, and on the whole. */
const conclude = async ({ journal, work, progress }: Context): Promise<void> => {
  const { fatal } = progress;
  if (fatal) await progress.settle(forAll(progress.unsettled(), (item) => failedWith(notDone(fatal, item))));
  if (progress.isOver) return;
  const rest = progress.unsettled();
  const isStopped = progress.stopsAt() !== Number.POSITIVE_INFINITY;
  if (rest.length > 0 && !isStopped && !(await progress.isCancelled())) return;
  if (rest.length > 0) await progress.settle(forAll(rest, () => ({ status: 'cancelled' })));
  else await journal.finish(work);
};

/** The cluster is not served any more: nobody can ask it, nor what became of what was sent to it. */
const giveUp = async (progress: Progress, error: GatewayError): Promise<void> => {
  const outcomeOf = ({ sends = 0 }: ItemRecord) =>
    sends === 0
      ? failedWith(error)
      : failedWith(withDetail(error, 'What was sent before cannot be read back.', 'open'), 'unknown');
  await progress.settle(forAll(progress.unsettled(), outcomeOf));
};

export const createExecutor = (deps: Deps): Executor => {
  return async (operation, holding, { pause, abandon }) => {
    if (isFinal(operation) || abandon.aborted) return;
    const { id, isBatch, resource, cluster, clusterId, requestId } = operation;
    const { domain, epoch, process } = holding;
    const work: Work = { id, domain, epoch, process, resource, cluster };
    const site = siteOf(deps, operation);
    const progress = createProgress(operation, work, site, deps);
    if (!site) {
      const message = `The cluster ${clusterId} is no longer served, or is another one than when this write began.`;
      await giveUp(progress, new GatewayError('cluster_not_found', message));
      return;
    }
    // Of this operation alone, so that nothing that listens outlives it.
    const giving = new AbortController();
    const { signal } = giving;
    const onAbandon = (): void => giving.abort();
    const stops = [abandon, holding.lost].map((given) => onAbort(given, onAbandon));
    setMaxListeners(0, signal);
    const call = { requestId, signal };
    const context = newContext(deps, { work, holding, site, progress, call, isBatch, inOrder: operation.stopOnError, pause });
    try {
      await workOff(context, recover(context, holding));
      if (!signal.aborted) await conclude(context);
    } finally {
      for (const stop of stops) stop();
    }
  };
};
