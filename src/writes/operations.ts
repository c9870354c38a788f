/** What callers can do with operations that exist. */
import { type CallerCall, sees } from '../callers/caller.js';
import { mayOn } from '../callers/rights.js';
import type { Cursors } from '../cursors.js';
import { untilAborted } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Journal, ListFilter, OperationPage } from '../journal/journal.js';
import type { LoadedOperation } from '../journal/records.js';
import { inTime } from '../store/in-time.js';
import type { LookAgain } from './look-again.js';
import type { Progress, Waiters } from './waiters.js';
import type { Worker } from './worker.js';

export interface Operations {
  /** An operation on a cluster that the caller may not see is like one that does not exist. @throws operation_not_found */
  get(id: string, call: CallerCall): Promise<LoadedOperation>;
  /** The operation when it has ended, or as it is when the patience is over. @throws operation_not_found */
  watch(id: string, patience: AbortSignal, call: CallerCall): Promise<LoadedOperation>;
  /** Reads the cluster once more for items whose outcome is unknown, and returns the operation as it is then. Never sends a write. */
  lookAgain(operation: LoadedOperation, call: CallerCall): Promise<LoadedOperation>;
  /** Those on clusters that the caller may see. @throws invalid_request for a cursor that is not valid */
  list(query: OperationQuery, call: CallerCall): Promise<OperationPage>;
  /**
   * Asks for the operation to be stopped, and returns it as it is then: an own one with the right to write, any with the right to operate.
   * @throws operation_not_found, forbidden
   */
  cancel(id: string, patience: AbortSignal, call: CallerCall): Promise<LoadedOperation>;
}

export interface OperationQuery extends Omit<ListFilter, 'isSeen' | 'after'> {
  readonly cursor?: string | undefined;
}

export interface OperationsDeps {
  readonly cursors: Cursors;
  /** Fails where the store is unavailable. */
  readonly journal: Journal;
  readonly lookAgain: LookAgain;
  readonly worker: Worker;
  readonly waiters: Waiters;
  readonly progress: Progress;
}

const mayCancel = ({ caller: { id, rights } }: CallerCall, { caller, clusterId }: LoadedOperation): boolean =>
  mayOn(rights, ['operate'], clusterId) || (id === caller && mayOn(rights, ['write'], clusterId));

export const createOperations = ({ cursors, journal, lookAgain, worker, waiters, progress }: OperationsDeps): Operations => {
  const get = async (id: string, call: CallerCall): Promise<LoadedOperation> => {
    const operation = await inTime(journal.load(id));
    if (operation && sees(call, operation.clusterId)) return operation;
    throw new GatewayError('operation_not_found', `There is no operation ${id}, or it is no longer kept.`);
  };

  return {
    get,

    watch: async (id, patience, call) => waiters.wait(await get(id, call), patience, progress),

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
      return get(operation.id, call);
    },

    list: async ({ cursor, ...query }, call) => {
      const { clusterId, state, kind, caller, name, fromMs, toMs } = query;
      const scope = ['operations', clusterId, state, kind, caller, name, fromMs, toMs];
      const after = cursor === undefined ? undefined : String(cursors.read(cursor, scope, call)['after']);
      const page = await inTime(journal.list({ ...query, after, isSeen: (id) => sees(call, id) }));
      return { ...page, next: page.next === null ? null : cursors.write({ after: page.next }, scope, call) };
    },

    cancel: async (id, patience, call) => {
      const known = await get(id, call);
      if (!mayCancel(call, known))
        throw new GatewayError(
          'forbidden',
          `The operation ${id} was asked for by another caller; cancelling it needs the right operate on the cluster ${known.clusterId}.`,
          { lacks: ['operate'] },
        );
      const { caller, address, requestId } = call;
      await inTime(journal.cancel(id, { caller: caller.id, address, requestId }));
      await inTime(worker.domains?.notifyWorker(known.domain, id) ?? Promise.resolve()).catch(worker.onFault);
      return waiters.wait(known, patience, progress);
    },
  };
};
