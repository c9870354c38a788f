import type { Call } from '../adapter.js';
import type { Clock } from '../clock.js';
import type { Clusters } from '../clusters/directory.js';
import type { Target } from '../clusters/registry.js';
import type { GatewayError, Report } from '../errors.js';
import type { Holding } from '../journal/domains.js';
import type { StepOutcome } from '../journal/item.js';
import type { Ledger, Work } from '../journal/journal.js';
import { type ItemRecord, keyOf } from '../journal/records.js';
import type { Vault } from '../store/vault.js';
import type { Gate } from '../users/admission.js';
import type { Reader, ReaderDeps } from '../users/reader.js';
import type { Baselines } from './baseline.js';
import type { ClusterCalls } from './cluster-calls.js';
import type { Jobs } from './jobs.js';
import type { KeyedMutex } from './keyed-mutex.js';
import type { Offsets } from './offsets.js';
import type { Pace } from './pace.js';
import type { News, Progress } from './progress.js';

/** What work on operations needs. */
export interface Deps extends ReaderDeps {
  readonly ledger: Ledger;
  readonly news: News;
  readonly vault: Vault;
  readonly clusters: Clusters;
  readonly gate: Gate;
  readonly jobs: Jobs;
  /** Users at whom an operation is: nobody else is, in this process. */
  readonly users: KeyedMutex;
  readonly offsets: Offsets;
  readonly calls: ClusterCalls;
  readonly clock: Clock;
  readonly report: Report;
  /** How long a call without an answer may still take effect. */
  readonly settleMs: number;
  /** How long a call that writes may take. */
  readonly callMs: number;
  readonly jobMs: number;
  /** How long a write to one user waits for a vendor that is busy. */
  readonly singlePatienceMs: number;
}

/** One operation on its cluster, as long as this process works on it. */
export interface Context extends Deps {
  readonly work: Work;
  /** The right to send; undefined where nothing is sent. */
  readonly holding: Holding | undefined;
  readonly target: Target;
  readonly progress: Progress;
  readonly pace: Pace;
  readonly reader: Reader;
  readonly baselines: Baselines;
  readonly call: Call;
  /** By our clock, in milliseconds since 1970. */
  readonly startedAt: number;
  /** A batch is patient with the vendor; a caller waits for a write to one user, and for that user. */
  readonly isBatch: boolean;
  /** Whether nothing may be sent before all items before it are settled. */
  readonly inOrder: boolean;
  /** Aborts when nothing more is to be begun here. */
  readonly pause: AbortSignal;
}

/** Between two looks at whether to stop, and whether a user is free that an operation of an earlier process is at. */
export const LOOK_AGAIN_MS = 500;

/** Any call to a vendor, however many attempts it takes, ends by then. */
export const CALL_MS = 60_000;

/** The call of the operation, with an end of its own. */
export const boundedCall = ({ call, clock }: Context, ms: number): Call => ({
  requestId: call.requestId,
  signal: AbortSignal.any([call.signal, clock.timeout(ms)]),
});

/** Whether more may be sent. */
export const mayGoOn = async ({ progress, pause }: Context): Promise<boolean> =>
  !progress.fatal && !pause.aborted && !(await progress.isCancelled());

/** The same kind of outcome for each of the items. */
export const forAll = (items: readonly ItemRecord[], outcome: (item: ItemRecord) => StepOutcome): Map<number, StepOutcome> =>
  new Map(items.map((item) => [item.index, outcome(item)]));

/** Faults of the gateway itself are for the log. */
export const noteFault = ({ report, call }: Context, error: GatewayError): void => {
  if (error.code === 'internal_error') report(error, call.requestId);
};

/** What a cluster is known by among the offsets of clocks. */
export const clusterKey = ({ account, vendorClusterId }: Target): string => JSON.stringify([account.name, vendorClusterId]);

/** A user among those of all clusters. */
export const userKey = ({ target }: Context, { username }: ItemRecord): string => `${clusterKey(target)} ${username}`;

/** The account of such a cluster. */
export const accountOf = (cluster: string): string => (JSON.parse(cluster) as [string, string])[0];

export const passwordOf = ({ vault, work }: Context, { index, password }: ItemRecord): string =>
  password === undefined ? '' : vault.open(password, keyOf.item(work.id, index));
