/** The work of this process: it takes domains, gives their operations to the runners, and removes what is no longer kept. */
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tail } from '../audit/tail.js';
import type { Clock } from '../clock.js';
import { asGatewayError, type Report } from '../errors.js';
import { createDomains, type Domains } from '../journal/domains.js';
import type { Holding } from '../journal/holding.js';
import type { Journal } from '../journal/journal.js';
import { isFinal, type LoadedOperation, type OperationRecord } from '../journal/records.js';
import { sweep } from '../journal/retention.js';
import type { Encryptor } from '../store/encryptor.js';
import { checkStore } from '../store/format.js';
import { inTime } from '../store/in-time.js';
import { type Store, storeUnavailable } from '../store/store.js';
import type { Executor } from './executor.js';
import type { Waiters } from './waiters.js';

const SWEEP_MS = 60_000;
const TAIL_MS = 1_000;
const LOADED_AT_ONCE = 20;

export interface Worker {
  /**
   * Resolves when it works on what is in the store. A store that does not answer is waited for.
   * @throws ConfigError when the store was written with another key, or by another version
   */
  start(): Promise<void>;
  /** What it works for. @throws store_unavailable until the store has answered once: nobody knows whether what is written there could be read again */
  started(): Promise<Domains>;
  /** Undefined before that. */
  readonly domains: Domains | undefined;
  /** Whether nothing more is begun here. */
  readonly isPaused: boolean;
  /** Begins nothing more: what is under way ends, and the rest is left to another process. */
  pause(): void;
  /** Resolves when nothing is worked on here. */
  idle(): Promise<void>;
  /** Lets go of all that is under way, and of the domains. */
  abandon(): void;
  onFault(thrown: unknown): void;
}

export interface WorkerDeps {
  readonly store: Store;
  /** The same store and journal for work: they wait for a store that is unavailable. */
  readonly patientStore: Store;
  readonly journal: Journal;
  readonly encryptor: Encryptor;
  readonly executor: Omit<Executor, 'open'>;
  readonly waiters: Waiters;
  readonly report: Report;
  /** Hears of what resumes, and of what has ended. */
  note(operation: OperationRecord, event: 'resumed' | 'ended'): void;
  /** Another process takes over after this long without a heartbeat. */
  readonly leaseMs: number;
  readonly callMs: number;
  readonly clock: Clock;
  readonly tail: Pick<Tail, 'look'>;
  /** Removes records of the audit trail whose time is over. */
  sweepTrail(): Promise<void>;
}

/** One at a time, at intervals. @returns a function that ends it */
const repeat = (ms: number, work: () => Promise<void>, onFault: (thrown: unknown) => void): (() => void) => {
  let isWorking = false;
  const once = (): void => {
    if (isWorking) return;
    isWorking = true;
    work()
      .catch(onFault)
      .finally(() => {
        isWorking = false;
      });
  };
  const timer = setInterval(once, ms).unref();
  once();
  return () => clearInterval(timer);
};

export const createWorker = (deps: WorkerDeps): Worker => {
  const { store, patientStore, journal, encryptor, executor, waiters, report, note, leaseMs, callMs, clock, tail, sweepTrail } =
    deps;
  const pausing = new AbortController();
  const abandoning = new AbortController();
  const signals = { pause: pausing.signal, abandon: abandoning.signal };
  // Every runner listens.
  setMaxListeners(0, pausing.signal, abandoning.signal);
  let domains: Domains | undefined;
  let beginning: Promise<void> = Promise.resolve();
  let stopSweeping = (): void => undefined;

  const onFault = (thrown: unknown): void => {
    const error = asGatewayError(thrown);
    // A store that is unavailable is reported by the store.
    if (error.code !== 'store_unavailable' && !abandoning.signal.aborted) report(error, 'operations');
  };

  const run = async (operation: LoadedOperation, holding: Holding): Promise<void> => {
    const { id } = operation;
    let ended: LoadedOperation | undefined;
    try {
      if (operation.state === 'running') note(operation, 'resumed');
      await executor.execute(operation, holding, signals);
      const known = await journal.load(id);
      if (!known || !isFinal(known)) return;
      ended = known;
      note(ended, 'ended');
      await domains?.notifyProcess(ended.process, id).catch(onFault);
    } finally {
      if (ended) waiters.wake(id, ended);
      // Once it counts as worked on no longer.
      else setImmediate(() => waiters.wake(id));
    }
  };

  const onNews = (id: string): void => {
    executor.look(id);
    waiters.wake(id);
  };

  const concealOpen = async (): Promise<void> => {
    let after: string | undefined;
    do {
      // Of those that are not running nothing was sent.
      const { operations, next } = await journal.list({ state: 'running', limit: LOADED_AT_ONCE, isSeen: () => true, after });
      for (const operation of await Promise.all(operations.map(({ id }) => journal.loadForWork(id))))
        if (operation) executor.conceal(operation);
      after = next ?? undefined;
      await nextTurn();
    } while (after !== undefined);
  };

  const begin = async (): Promise<void> => {
    await checkStore(patientStore, encryptor);
    // Before the first request is answered: a vendor may repeat in any answer what it was sent.
    await concealOpen();
    if (pausing.signal.aborted) return;
    domains = createDomains({
      records: { ...journal, load: journal.loadForWork },
      shared: store.shared,
      clock,
      leaseMs,
      callMs,
      run,
      restore: executor.restore,
      onNews,
      onFault,
    });
    const stops = [
      repeat(SWEEP_MS, () => sweep(store, clock.now()), onFault),
      repeat(SWEEP_MS, sweepTrail, onFault),
      repeat(TAIL_MS, tail.look, onFault),
    ];
    stopSweeping = () => {
      for (const stop of stops) stop();
    };
  };

  return {
    start: () => {
      beginning = begin();
      return beginning;
    },

    started: async () => {
      if (domains) return domains;
      const error = await store
        .check()
        .then(() => inTime(beginning))
        .then(() => storeUnavailable('has not answered yet'), asGatewayError);
      if (domains) return domains;
      throw error.withMessage(`${error.message} Nothing was begun.`);
    },

    get domains() {
      return domains;
    },
    get isPaused() {
      return pausing.signal.aborted;
    },

    pause: () => {
      pausing.abort();
      domains?.pause();
    },

    idle: async () => domains?.idle(),

    abandon: () => {
      stopSweeping();
      pausing.abort();
      abandoning.abort();
      domains?.pause();
    },

    onFault,
  };
};
