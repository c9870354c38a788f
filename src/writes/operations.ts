import { setMaxListeners } from 'node:events';
import type { Call } from '../adapter.js';
import type { Clock } from '../clock.js';
import { ConfigError } from '../config/error.js';
import { untilAborted } from '../deadline.js';
import { asGatewayError, GatewayError, type Report } from '../errors.js';
import { refusalOf } from '../idempotency/service.js';
import { createDomains, type Domains, type Holding } from '../journal/domains.js';
import type { Journal, ListFilter, OperationPage } from '../journal/journal.js';
import { isFinal, type LoadedOperation, type OperationRecord } from '../journal/records.js';
import type { RequestReference, Taken } from '../journal/requests.js';
import { sweep } from '../journal/retention.js';
import { checkStore } from '../store/format.js';
import { inTime } from '../store/in-time.js';
import { type Store, storeUnavailable } from '../store/store.js';
import type { Vault } from '../store/vault.js';
import type { Executor } from './executor.js';
import type { LookAgain } from './look-again.js';
import { type NewOperation, type Submission, toRecord } from './new-operation.js';
import type { News } from './progress.js';
import { createWaiters, type Waiter } from './waiters.js';

/** How often a waiter looks without being woken: a wake-up may be lost. */
const LOOK_MS = 1_000;
const SWEEP_MS = 60_000;
/** Longer than a store waits that is unavailable, or silent. */
const BEGIN_MS = 11_000;
const MAY_HAVE_BEGUN = 'Whether the write was accepted is not known. Repeating the same request is safe.';
/** What was given up needs a moment to notice. */
const UNWIND_MS = 2_000;

export interface Operations {
  /**
   * Begins to work on what is in the store. A store that does not answer is waited for behind the scenes, with nothing begun before.
   * @throws ConfigError when the store was written with another key
   */
  start(): Promise<void>;
  /**
   * Begins an operation, or joins the one that the same request has begun, and waits for its end as long as the caller does. Only `cancel`
   * stops what was begun.
   * @throws idempotency_key_reused, idempotency_key_in_flight, store_unavailable
   */
  submit(operation: NewOperation, submission: Submission): Promise<LoadedOperation>;
  /** @throws operation_not_found */
  get(id: string): Promise<LoadedOperation>;
  /** The operation when it has ended, or as it is when the patience is over. @throws operation_not_found */
  watch(id: string, patience: AbortSignal): Promise<LoadedOperation>;
  /** Reads the cluster once more for items whose outcome is unknown, and returns the operation as it is then. Never sends a write. */
  lookAgain(operation: LoadedOperation, call: Call): Promise<LoadedOperation>;
  list(filter: ListFilter): Promise<OperationPage>;
  /** Asks for the operation to be stopped, and answers it as it is then. @throws operation_not_found */
  cancel(id: string, patience: AbortSignal): Promise<LoadedOperation>;
  /**
   * Begins nothing more where another process, or the next one, will: what is under way comes to its end, and the rest is left. Without
   * a durable store all goes on.
   */
  handOver(): Promise<void>;
  /** Resolves when nothing is worked on here. */
  idle(): Promise<void>;
  /** Lets go of everything, and tells what is lost by it. */
  abandon(): Promise<LoadedOperation[]>;
}

export interface OperationsDeps {
  readonly store: Store;
  /** For callers: fails where the store is unavailable. */
  readonly journal: Journal;
  /** The same store and journal for work: they wait for a store that is unavailable. */
  readonly work: { readonly store: Store; readonly journal: Journal };
  readonly vault: Vault;
  readonly execute: Executor;
  readonly lookAgain: LookAgain;
  readonly report: Report;
  /** Hears of what goes on where no request tells of it. */
  note(operation: OperationRecord, event: 'goes on' | 'ended'): void;
  /** Operations that a worker has to look at. */
  readonly news: News;
  /** Another process takes over after this long without a heartbeat. */
  readonly leaseMs: number;
  readonly callMs: number;
  readonly clock: Clock;
}

/** Resolves after so long, or as soon as a signal aborts. */
const sleep = (ms: number, ...signals: readonly AbortSignal[]): Promise<void> =>
  new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    for (const signal of signals) signal.addEventListener('abort', over, { once: true });
    if (signals.some(({ aborted }) => aborted)) over();
  });

export const createOperations = ({
  store,
  journal,
  work,
  vault,
  execute,
  lookAgain,
  report,
  note,
  news,
  leaseMs,
  callMs,
  clock,
}: OperationsDeps): Operations => {
  const pausing = new AbortController();
  const abandoning = new AbortController();
  const signals = { pause: pausing.signal, abandon: abandoning.signal };
  // Every call of every operation listens.
  setMaxListeners(0, pausing.signal, abandoning.signal);
  const { register, leave, wake } = createWaiters();

  const onFault = (thrown: unknown): void => {
    const error = asGatewayError(thrown);
    // A store that is unavailable is reported by the store.
    if (error.code !== 'store_unavailable' && !abandoning.signal.aborted) report(error, 'operations');
  };

  const run = async (id: string, holding: Holding): Promise<void> => {
    let ended: LoadedOperation | undefined;
    try {
      const operation = await work.journal.load(id);
      if (!operation || isFinal(operation)) return;
      if (operation.state === 'running') note(operation, 'goes on');
      await execute(operation, holding, signals);
      ended = await work.journal.load(id);
      if (!ended || !isFinal(ended)) return;
      note(ended, 'ended');
      await domains?.notifyProcess(ended.process, id).catch(onFault);
    } finally {
      news.delete(id);
      if (ended && isFinal(ended)) wake(id, ended);
      // Once it counts as worked on no longer.
      else setImmediate(() => wake(id));
    }
  };

  let domains: Domains | undefined;
  let beginning: Promise<void> = Promise.resolve();
  let sweeping: NodeJS.Timeout | undefined;

  const begin = async (): Promise<void> => {
    await checkStore(work.store, vault);
    if (pausing.signal.aborted) return;
    const onNews = (id: string): void => {
      if (domains?.isRunning(id)) news.add(id);
      wake(id);
    };
    domains = createDomains({ records: work.journal, shared: store.shared, clock, leaseMs, callMs, run, onNews, onFault });
    let isSweeping = false;
    const sweepNow = (): void => {
      if (isSweeping) return;
      isSweeping = true;
      sweep(store)
        .catch(onFault)
        .finally(() => {
          isSweeping = false;
        });
    };
    sweeping = setInterval(sweepNow, SWEEP_MS).unref();
    sweepNow();
  };

  /** Until the store has answered once, nobody knows whether what is written there could be read again. */
  const started = async (): Promise<Domains> => {
    if (domains) return domains;
    const error = await store
      .check()
      .then(() => inTime(beginning))
      .then(() => storeUnavailable('has not answered yet'), asGatewayError);
    if (domains) return domains;
    throw error.withMessage(`${error.message} Nothing was begun.`);
  };

  const found = (id: string, operation: LoadedOperation | undefined): LoadedOperation => {
    if (operation) return operation;
    throw new GatewayError('operation_not_found', `There is no operation ${id}, or it is no longer kept.`);
  };

  const load = (id: string): Promise<LoadedOperation> => inTime(journal.load(id)).then((operation) => found(id, operation));

  /** Nobody here goes on with it: the process is stopping. */
  const isLeft = ({ id }: OperationRecord): boolean => pausing.signal.aborted && !domains?.isRunning(id);

  /** The operation where it has ended, or nobody here goes on with it. A store that is unavailable is waited for. */
  const lookAt = async (id: string): Promise<LoadedOperation | undefined> => {
    const record = await inTime(journal.get(id)).catch(() => undefined);
    return record && (isFinal(record) || isLeft(record)) ? load(id).catch(() => undefined) : undefined;
  };

  /**
   * The operation at its end, or as it is when the patience is over.
   * @param waiter of an operation that nobody could end before it was registered
   */
  const waitFor = async (known: LoadedOperation, patience: AbortSignal, waiter?: Waiter): Promise<LoadedOperation> => {
    const { id } = known;
    const own = waiter ?? register(id);
    try {
      for (let isDue = waiter === undefined; ; isDue = !domains?.isRunning(id)) {
        // Who works on it here says when it ends. For others, or where that was lost, it is looked at.
        const ended = own.ended ?? (isDue ? await lookAt(id) : undefined);
        if (ended) return ended;
        if (patience.aborted || abandoning.signal.aborted) return await load(id).catch(() => known);
        await sleep(LOOK_MS, own.news.signal, patience, abandoning.signal);
        if (own.news.signal.aborted) own.news = new AbortController();
      }
    } finally {
      leave(id, own);
    }
  };

  /** After a lost answer of the store it is asked once more, since it may have begun the operation. */
  const writeDown = async (record: LoadedOperation, reference: RequestReference | undefined): Promise<Taken | null> => {
    const begin = (): Promise<Taken | null> => inTime(journal.begin(record, reference), BEGIN_MS, 'open');
    try {
      return await begin();
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (error.code !== 'store_unavailable') throw error;
      if (error.effect !== 'open') throw error.withMessage(`${error.message} Nothing was begun.`);
    }
    return begin().catch((thrown: unknown) => {
      const error = asGatewayError(thrown);
      throw error.withMessage(`${error.message} ${MAY_HAVE_BEGUN}`, error.code, 'open');
    });
  };

  const join = async (taken: Taken, patience: AbortSignal): Promise<LoadedOperation> => {
    const joined = taken.byAnother ? undefined : await inTime(journal.load(taken.operationId));
    if (!joined) throw refusalOf(taken);
    return waitFor(joined, patience);
  };

  const openIds = async (): Promise<string[]> =>
    (await Promise.all((await journal.domains()).map((domain) => journal.openIn(domain)))).flat();

  return {
    start: async () => {
      beginning = begin();
      await inTime(beginning).catch((error: unknown) => {
        if (error instanceof ConfigError) throw error;
        beginning.catch(onFault);
      });
    },

    submit: async (operation, submission) => {
      const worker = await started();
      const record = toRecord(operation, submission, { vault, process: worker.process });
      const { reference, patience } = submission;
      const taken = await writeDown(record, reference);
      if (taken) return join(taken, patience);
      const waiter = register(record.id);
      // Written down, it is found by the process that looks for open operations; this only starts it at once.
      await inTime(worker.wake(record.domain, record.id)).catch(onFault);
      return waitFor(record, patience, waiter);
    },

    get: load,

    watch: async (id, patience) => waitFor(await load(id), patience),

    lookAgain: async (operation, call) => {
      if (!operation.items.some(({ outcome }) => outcome?.status === 'unknown')) return operation;
      try {
        const outcomes = await untilAborted(lookAgain(operation, call), call.signal);
        if (outcomes.size > 0) await inTime(journal.revise(operation.id, outcomes));
      } catch (thrown) {
        // What cannot be read now stays unknown.
        if (asGatewayError(thrown).code === 'internal_error') onFault(thrown);
        return operation;
      }
      return load(operation.id);
    },

    list: (filter) => inTime(journal.list(filter)),

    cancel: async (id, patience) => {
      const known = await load(id);
      await inTime(journal.cancel(id));
      await inTime(domains?.notifyWorker(known.domain, id) ?? Promise.resolve()).catch(onFault);
      return waitFor(known, patience);
    },

    handOver: async () => {
      if (!store.durable) return;
      pausing.abort();
      domains?.pause();
    },

    idle: async () => domains?.idle(),

    abandon: async () => {
      clearInterval(sweeping);
      domains?.pause();
      const lost = store.durable ? [] : await Promise.all((await openIds()).map(load));
      pausing.abort();
      abandoning.abort();
      const over = new AbortController();
      await Promise.race([domains?.idle(), sleep(UNWIND_MS, over.signal)]);
      over.abort();
      await domains?.close();
      return lost;
    },
  };
};
