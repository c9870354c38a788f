import { randomUUID } from 'node:crypto';
import type { Call } from '../adapter.js';
import { asGatewayError, GatewayError, type Report } from '../errors.js';
import type { ItemResult, Operation, OperationKind, User } from '../model.js';

/** Work that is still not over by then is given up. */
const LONGEST_MS = 15 * 60_000;
const KEPT_MS = 24 * 60 * 60_000;
const MOST_KEPT = 10_000;

/** The result of an operation before it is put into words for a caller. */
export type OperationResult = Omit<ItemResult, 'problem'> & { readonly error?: GatewayError };

export type OperationRecord = Omit<Operation, 'results'> & {
  readonly results: readonly OperationResult[];
  /** The request that began it. */
  readonly requestId: string;
};

/** A write to one user; its value is the user, where there is one to show. */
export interface Write<Value extends User | undefined> {
  readonly kind: OperationKind;
  readonly clusterId: string;
  readonly username: string;
  run(call: Call): Promise<Value>;
}

export type Outcome<Value> =
  | { readonly settled: true; readonly value: Value }
  | { readonly settled: false; readonly operation: OperationRecord };

/** A write that is not over, for the log. */
export type RunningWrite = Omit<Write<undefined>, 'run'> & { readonly requestId: string };

export interface Operations {
  /**
   * Runs a write. What is done, or fails, before the call's deadline comes back as such; what outlasts it goes on as an operation.
   * The deadline never stops a write that was begun.
   */
  run<Value extends User | undefined>(write: Write<Value>, call: Call): Promise<Outcome<Value>>;
  /** @throws operation_not_found */
  get(id: string): OperationRecord;
  /** Resolves when no write is running. */
  idle(): Promise<void>;
  /** Gives up what is still running, and tells what that was. */
  abandon(): RunningWrite[];
}

const OPS = { createUser: 'create', updateUser: 'update', setUserPassword: 'update', deleteUser: 'delete' } as const;
const DONE = { create: 'created', update: 'updated', delete: 'deleted' } as const;

const statusOf = ({ code, effect }: GatewayError): ItemResult['status'] => {
  if (code === 'user_already_exists') return 'already_exists';
  if (code === 'user_not_found') return 'not_found';
  if (effect !== 'none') return 'unknown';
  return code === 'invalid_user' || code === 'not_supported' ? 'refused' : 'failed';
};

/** Operations in the memory of the process. */
export const createOperations = (report: Report, now: () => Date = () => new Date()): Operations => {
  const records = new Map<string, OperationRecord>();
  const running = new Map<Promise<unknown>, RunningWrite>();
  const abandoned = new AbortController();

  /** The oldest go first: a Map keeps the order of insertion. */
  const forgetOld = (): void => {
    const oldest = now().getTime() - KEPT_MS;
    for (const [id, { createdAt, state }] of records) {
      if (records.size <= MOST_KEPT && Date.parse(createdAt) >= oldest) return;
      if (state !== 'running') records.delete(id);
    }
  };

  const begin = (
    { kind, clusterId }: Pick<Write<undefined>, 'kind' | 'clusterId'>,
    requestId: string,
    startedAt: Date,
  ): OperationRecord => {
    forgetOld();
    const at = startedAt.toISOString();
    return {
      id: `op_${randomUUID().replaceAll('-', '')}`,
      kind,
      clusterId,
      state: 'running',
      progress: { done: 0, total: 1 },
      results: [],
      createdAt: at,
      updatedAt: at,
      requestId,
    };
  };

  const finish = (record: OperationRecord, result: OperationResult): void => {
    records.set(record.id, {
      ...record,
      state: 'succeeded',
      progress: { done: 1, total: 1 },
      results: [result],
      updatedAt: now().toISOString(),
    });
  };

  const follow = <Value extends User | undefined>(
    record: OperationRecord,
    { kind, username }: Write<Value>,
    work: Promise<Value>,
  ): void => {
    records.set(record.id, record);
    const op = OPS[kind];
    work.then(
      (value) => {
        finish(record, { username, op, status: DONE[op], ...(value && { user: value }) });
      },
      (thrown: unknown) => {
        const error = asGatewayError(thrown);
        if (error.code === 'internal_error') report(error, record.requestId);
        finish(record, { username, op, status: statusOf(error), error });
      },
    );
  };

  return {
    run: async (write, { requestId, signal }) => {
      const startedAt = now();
      const work = write.run({ requestId, signal: AbortSignal.any([abandoned.signal, AbortSignal.timeout(LONGEST_MS)]) });
      const { kind, clusterId, username } = write;
      running.set(work, { kind, clusterId, username, requestId });
      work.catch(() => undefined).finally(() => running.delete(work));

      let stop = (): void => undefined;
      const deadline = new Promise<'deadline'>((resolve) => {
        stop = () => resolve('deadline');
        if (signal.aborted) stop();
        else signal.addEventListener('abort', stop, { once: true });
      });
      const first = await Promise.race([work.then((value) => ({ value })), deadline]).finally(() =>
        signal.removeEventListener('abort', stop),
      );
      if (first !== 'deadline') return { settled: true, value: first.value };
      const operation = begin(write, requestId, startedAt);
      follow(operation, write, work);
      return { settled: false, operation };
    },

    get: (id) => {
      const record = records.get(id);
      if (!record)
        throw new GatewayError(
          'operation_not_found',
          `There is no operation ${id}. Operations do not outlive the gateway's process.`,
        );
      return record;
    },

    idle: async () => {
      while (running.size > 0) await Promise.allSettled(running.keys());
    },

    abandon: () => {
      const left = [...running.values()];
      abandoned.abort();
      return left;
    },
  };
};
