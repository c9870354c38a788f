/** The write engine of a process, put together: the intake, what is done with operations, and the work on them. */
import { randomUUID } from 'node:crypto';
import { type AuditRecord, chainOf } from '../audit/record.js';
import { sweepRecords } from '../audit/retention.js';
import { type Audit, createAudit } from '../audit/service.js';
import { createTail } from '../audit/tail.js';
import { createTrail, type Trail } from '../audit/trail.js';
import type { Anchor } from '../audit/verify.js';
import { ConfigError } from '../config/error.js';
import type { Cursors } from '../cursors.js';
import { createIdempotency, type Idempotency } from '../idempotency/service.js';
import type { JournalTrail, Lifetimes } from '../journal/deps.js';
import type { Ownership } from '../journal/domains.js';
import { createJournal } from '../journal/journal.js';
import type { LoadedOperation } from '../journal/records.js';
import { inTime } from '../store/in-time.js';
import { patient } from '../store/patient.js';
import type { Deps } from './desk.js';
import { createExecutor, type Executor } from './executor.js';
import { createIntake, type Intake } from './intake.js';
import { createJobs } from './jobs.js';
import { createLookAgain } from './look-again.js';
import { createOffsets } from './offsets.js';
import { createOperations, type Operations } from './operations.js';
import { createWaiters, type Progress } from './waiters.js';
import { createWorker, type WorkerDeps } from './worker.js';

export interface Engine {
  readonly intake: Intake;
  readonly operations: Operations;
  readonly idempotency: Idempotency;
  readonly audit: Audit;
  /** What this process has to do, for those who watch it. */
  readonly load: Load;
  /**
   * Begins to work on what is in the store. A store that does not answer is waited for behind the scenes, with nothing begun before.
   * @throws ConfigError when the store was written with another key, or by another version
   */
  start(): Promise<void>;
  /**
   * Begins nothing more where another process, or the next one, will: what is under way ends, and the rest is left. Without
   * a durable store all continues.
   */
  handOver(): void;
  /** Resolves when nothing is worked on here. */
  idle(): Promise<void>;
  /** Lets go of everything. @returns what is lost by it: open operations of a store that is not durable */
  abandon(): Promise<readonly LoadedOperation[]>;
}

export interface Load extends Pick<Executor, 'open'> {
  /** Write domains that it works for. */
  held(): readonly string[];
}

export interface EngineDeps
  extends Pick<Deps, 'resources' | 'onItem' | 'settleMs' | 'callMs' | 'jobMs' | 'singlePatienceMs'>,
    Pick<WorkerDeps, 'store' | 'encryptor' | 'clock' | 'report' | 'note' | 'leaseMs'> {
  readonly lifetimes: Lifetimes;
  readonly cursors: Cursors;
  /** How long records of the audit trail are kept. */
  readonly auditMs: number;
  /** Receives ends of its chains, which are out of reach in a log of those who can write to the store. */
  anchor(end: Anchor): void;
  /** Receives all records, and resolves when they are kept; absent where nobody collects them. */
  readonly collect?: ((records: readonly AuditRecord[]) => Promise<void>) | undefined;
  /** What the `Date` header of the cluster's vendor shows now, less our clock, in milliseconds. */
  dateOffsetOf(cluster: string): number | null;
}

/** How long a caller's change waits for those before it in its chain: shorter than callers wait for the store. */
const MAX_TURN_MS = 4_000;
/** What was given up needs a moment to notice. */
const UNWIND_MS = 2_000;

export const createEngine = (deps: EngineDeps): Engine => {
  const { store, encryptor, clock, lifetimes } = deps;
  const closing = new AbortController();
  const patientStore = patient(store, closing.signal);
  const ownership: Ownership = {
    isCurrent: (domain) => worker.domains?.isCurrent(domain) ?? true,
    reclaim: async (domain) => worker.domains?.reclaim(domain) ?? false,
  };
  const chain = chainOf.process(randomUUID());
  const recordedBy = (trail: Trail): JournalTrail => ({ ...trail, accepted: chain, settled: chainOf.domain });
  const workTrail = createTrail(patientStore, encryptor, clock.now, Number.POSITIVE_INFINITY);
  const callersTrail = createTrail(store, encryptor, clock.now, MAX_TURN_MS);
  const journal = createJournal(patientStore, lifetimes, clock.now, ownership, recordedBy(workTrail));
  const callersJournal = createJournal(store, lifetimes, clock.now, undefined, recordedBy(callersTrail));
  const chains = () => [...new Set([...callersTrail.chains(), ...workTrail.chains()])];
  const tail = createTail({ store, chains, anchor: deps.anchor, collect: deps.collect });
  const work: Deps = { ...deps, journal, jobs: createJobs(clock), offsets: createOffsets(clock, deps.dateOffsetOf) };
  const waiters = createWaiters(callersJournal);
  const sweepTrail = () => sweepRecords(store, encryptor.mac, clock.now() - deps.auditMs);
  const executor = createExecutor(work);
  const worker = createWorker({ ...deps, tail, sweepTrail, patientStore, journal, executor, waiters });
  const progress: Progress = {
    isRunning: (id) => worker.domains?.isRunning(id) ?? false,
    // Another process that shares the store ends it, and wakes who waits here.
    isLeft: (id) => worker.isPaused && !store.shared && !worker.domains?.isRunning(id),
  };
  const forCallers = { journal: callersJournal, encryptor, clock, worker, waiters, progress };

  const openOperations = async (): Promise<LoadedOperation[]> => {
    const ids = await Promise.all((await journal.domains()).map(journal.openIn));
    const operations = await Promise.all(ids.flat().map(({ id }) => journal.load(id)));
    return operations.filter((operation) => operation !== undefined);
  };

  return {
    intake: createIntake(forCallers),
    operations: createOperations({ ...forCallers, cursors: deps.cursors, lookAgain: createLookAgain(work) }),
    idempotency: createIdempotency(callersJournal, encryptor),
    load: { open: executor.open, held: () => worker.domains?.held() ?? [] },
    audit: createAudit({ store, trail: callersTrail, chain, cursors: deps.cursors, clock, onFault: worker.onFault }),

    start: async () => {
      const starting = worker.start();
      await inTime(starting).catch((error: unknown) => {
        if (error instanceof ConfigError) throw error;
        starting.catch(worker.onFault);
      });
    },

    handOver: () => {
      if (store.durable) worker.pause();
    },

    idle: worker.idle,

    abandon: async () => {
      const lost = store.durable ? [] : await openOperations();
      worker.abandon();
      waiters.close();
      const over = new AbortController();
      await Promise.race([worker.idle(), clock.sleep(UNWIND_MS, over.signal)]);
      over.abort();
      await worker.domains?.close();
      await inTime(tail.end()).catch(worker.onFault);
      closing.abort();
      return lost;
    },
  };
};
