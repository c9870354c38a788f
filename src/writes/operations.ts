/** What callers can do with operations that exist. */
import type { Call } from '../adapter.js';
import { untilAborted } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Journal, ListFilter, OperationPage } from '../journal/journal.js';
import type { LoadedOperation } from '../journal/records.js';
import { inTime } from '../store/in-time.js';
import type { LookAgain } from './look-again.js';
import type { Progress, Waiters } from './waiters.js';
import type { Worker } from './worker.js';

export interface Operations {
  /** @throws operation_not_found */
  get(id: string): Promise<LoadedOperation>;
  /** The operation when it has ended, or as it is when the patience is over. @throws operation_not_found */
  watch(id: string, patience: AbortSignal): Promise<LoadedOperation>;
  /** Reads the cluster once more for items whose outcome is unknown, and returns the operation as it is then. Never sends a write. */
  lookAgain(operation: LoadedOperation, call: Call): Promise<LoadedOperation>;
  list(filter: ListFilter): Promise<OperationPage>;
  /** Asks for the operation to be stopped, and returns it as it is then. @throws operation_not_found */
  cancel(id: string, patience: AbortSignal): Promise<LoadedOperation>;
}

export interface OperationsDeps {
  /** Fails where the store is unavailable. */
  readonly journal: Journal;
  readonly lookAgain: LookAgain;
  readonly worker: Worker;
  readonly waiters: Waiters;
  readonly progress: Progress;
}

export const createOperations = ({ journal, lookAgain, worker, waiters, progress }: OperationsDeps): Operations => {
  const get = async (id: string): Promise<LoadedOperation> => {
    const operation = await inTime(journal.load(id));
    if (operation) return operation;
    throw new GatewayError('operation_not_found', `There is no operation ${id}, or it is no longer kept.`);
  };

  return {
    get,

    watch: async (id, patience) => waiters.wait(await get(id), patience, progress),

    lookAgain: async (operation, call) => {
      if (!operation.items.some(({ outcome }) => outcome?.status === 'unknown')) return operation;
      try {
        const outcomes = await untilAborted(lookAgain(operation, call), call.signal);
        if (outcomes.size > 0) await inTime(journal.revise(operation.id, outcomes));
      } catch (thrown) {
        // What cannot be read now stays unknown.
        if (asGatewayError(thrown).code === 'internal_error') worker.onFault(thrown);
        return operation;
      }
      return get(operation.id);
    },

    list: (filter) => inTime(journal.list(filter)),

    cancel: async (id, patience) => {
      const known = await get(id);
      await inTime(journal.cancel(id));
      await inTime(worker.domains?.notifyWorker(known.domain, id) ?? Promise.resolve()).catch(worker.onFault);
      return waiters.wait(known, patience, progress);
    },
  };
};
