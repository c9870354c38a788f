/** The way in for every write, for every caller and every kind of thing: stored first, then worked on, and waited for. */
import type { Clock } from '../clock.js';
import { asGatewayError } from '../errors.js';
import { refusalOf } from '../idempotency/service.js';
import type { Journal } from '../journal/journal.js';
import { type LoadedOperation, refOf } from '../journal/records.js';
import type { RequestReference, Taken } from '../journal/requests.js';
import type { Encryptor } from '../store/encryptor.js';
import { inTime } from '../store/in-time.js';
import { type NewOperation, type Submission, toRecord } from './new-operation.js';
import type { Progress, Waiters } from './waiters.js';
import type { Worker } from './worker.js';

/** Longer than a store waits that is unavailable, or silent. */
const BEGIN_MS = 11_000;
const MAY_HAVE_BEGUN = 'Whether the write was accepted is not known. Repeating the same request is safe.';

/**
 * Begins an operation, or joins the one that the same request has begun, and waits for its end as long as the caller does. Only `cancel`
 * stops what was begun.
 * @throws idempotency_key_reused, idempotency_key_in_flight, backlog_full, store_unavailable
 */
export type Intake = (operation: NewOperation, submission: Submission) => Promise<LoadedOperation>;

export interface IntakeDeps {
  /** Fails where the store is unavailable. */
  readonly journal: Journal;
  readonly encryptor: Encryptor;
  readonly clock: Clock;
  readonly worker: Worker;
  readonly waiters: Waiters;
  readonly progress: Progress;
}

export const createIntake = ({ journal, encryptor, clock, worker, waiters, progress }: IntakeDeps): Intake => {
  /** After a lost answer of the store it is asked once more, since it may have begun the operation. */
  const begin = async (record: LoadedOperation, reference: RequestReference | undefined): Promise<Taken | null> => {
    const attempt = (): Promise<Taken | null> => inTime(journal.begin(record, reference), BEGIN_MS, 'open');
    try {
      return await attempt();
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (error.code !== 'store_unavailable') throw error;
      if (error.effect !== 'open') throw error.withMessage(`${error.message} Nothing was begun.`);
    }
    return attempt().catch((thrown: unknown) => {
      const error = asGatewayError(thrown);
      throw error.withMessage(`${error.message} ${MAY_HAVE_BEGUN}`, error.code, 'open');
    });
  };

  const join = async (taken: Taken, patience: AbortSignal): Promise<LoadedOperation> => {
    const joined = taken.byAnother ? undefined : await inTime(journal.load(taken.operationId));
    if (!joined) throw refusalOf(taken);
    return waiters.wait(joined, patience, progress);
  };

  return async (operation, submission) => {
    const domains = await worker.started();
    const record = await toRecord(operation, submission, { encryptor, clock, process: domains.process });
    const { reference, patience } = submission;
    const taken = await begin(record, reference);
    if (taken) return join(taken, patience);
    const waiter = waiters.register(record.id);
    // Stored, it is found by the process that looks for open operations; this only starts it at once.
    const wake = (): Promise<void> => inTime(domains.wake(record.domain, refOf(record))).catch(worker.onFault);
    const beginAgain = async (): Promise<void> => {
      // Else it has ended, and is no longer kept.
      if (Date.parse(record.createdAt) > domains.traceless()) return;
      await begin(record, reference);
      await wake();
    };
    await wake();
    return waiters.wait(record, patience, progress, { waiter, beginAgain });
  };
};
