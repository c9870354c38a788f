import type { Call } from '../adapter.js';
import type { Clock } from '../clock.js';
import type { GatewayError, Report } from '../errors.js';
import type { Holding } from '../journal/domains.js';
import type { StepOutcome } from '../journal/item.js';
import type { Journal, Work } from '../journal/journal.js';
import { type ItemRecord, keyOf, type OperationRecord } from '../journal/records.js';
import type { Vault } from '../store/vault.js';
import { type Baselines, createBaselines } from './baseline.js';
import type { ClusterCalls } from './cluster-calls.js';
import type { Jobs } from './jobs.js';
import type { KeyedMutex } from './keyed-mutex.js';
import type { Offsets } from './offsets.js';
import { BATCH_PATIENCE, createPace, type Pace, singlePatience } from './pace.js';
import type { News, Progress } from './progress.js';
import type { Resource, Site } from './resource.js';

/** What work on operations needs. */
export interface Deps {
  readonly resources: readonly Resource[];
  readonly journal: Journal;
  readonly news: News;
  readonly vault: Vault;
  readonly jobs: Jobs;
  /** Things at which an operation is: nobody else is, in this process. */
  readonly things: KeyedMutex;
  readonly offsets: Offsets;
  readonly calls: ClusterCalls;
  readonly clock: Clock;
  readonly report: Report;
  /** How long a call without an answer may still take effect. */
  readonly settleMs: number;
  /** How long a call that writes may take. */
  readonly callMs: number;
  readonly jobMs: number;
  /** How long a write of one item waits for a vendor that is busy. */
  readonly singlePatienceMs: number;
}

/** One operation on its cluster, as long as this process works on it. */
export interface Context extends Deps {
  readonly work: Work;
  /** The right to send; undefined where nothing is sent. */
  readonly holding: Holding | undefined;
  readonly site: Site;
  readonly progress: Progress;
  readonly pace: Pace;
  readonly baselines: Baselines;
  readonly call: Call;
  /** By our clock, in milliseconds since 1970. */
  readonly startedAt: number;
  /** A batch is patient with the vendor; a caller waits for a single item. */
  readonly isBatch: boolean;
  /** Whether nothing may be sent before all items before it are settled. */
  readonly inOrder: boolean;
  /** Aborts when nothing more is to be begun here. */
  readonly pause: AbortSignal;
}

/** Between two looks at whether to stop, and whether a thing is free that an operation of an earlier process is at. */
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

/** A thing among those of all clusters. */
export const thingKey = ({ site }: Context, { name }: ItemRecord): string => `${site.key} ${name}`;

/** The things of an operation's cluster; undefined where it is no longer served. */
export const siteOf = ({ resources }: Deps, { resource, clusterId, cluster }: OperationRecord): Site | undefined =>
  resources.find(({ name }) => name === resource)?.at(clusterId, cluster);

type Given = Pick<Context, 'work' | 'holding' | 'site' | 'progress' | 'call' | 'isBatch' | 'inOrder' | 'pause'>;

/** What work on one operation needs, with its pace and with what it reads of the cluster. */
export const newContext = (deps: Deps, given: Given): Context => {
  const { clock, offsets, singlePatienceMs } = deps;
  return {
    ...deps,
    ...given,
    startedAt: clock.now(),
    pace: createPace(clock, given.isBatch ? BATCH_PATIENCE : singlePatience(singlePatienceMs)),
    baselines: createBaselines(given.site, offsets, clock),
  };
};

export const secretOf = ({ vault, work }: Context, { index, secret }: ItemRecord): string =>
  secret === undefined ? '' : vault.open(secret, keyOf.item(work.id, index));
