/** What work on one cluster needs. */
import type { Call, Purpose } from '../adapter.js';
import type { Clock } from '../clock.js';
import { firstOf } from '../deadline.js';
import type { Report } from '../errors.js';
import type { Holding } from '../journal/holding.js';
import type { Journal } from '../journal/journal.js';
import { keyOf, type OperationRecord } from '../journal/records.js';
import { Secret } from '../secret.js';
import type { Encryptor } from '../store/encryptor.js';
import type { ItemSettled } from '../telemetry/events.js';
import { type Baselines, createBaselines } from './baseline.js';
import type { Jobs } from './jobs.js';
import type { Offsets } from './offsets.js';
import type { Resource, Site } from './resource.js';
import type { Entry, Work } from './work.js';

/** What work on all clusters shares. */
export interface Deps {
  readonly resources: readonly Resource[];
  readonly journal: Journal;
  readonly encryptor: Encryptor;
  readonly jobs: Jobs;
  readonly offsets: Offsets;
  readonly clock: Clock;
  readonly report: Report;
  /** Hears of each item that has ended. */
  onItem(item: ItemSettled): void;
  /** How long a call without an answer may still take effect. */
  readonly settleMs: number;
  /** How long a call that writes may take. */
  readonly callMs: number;
  readonly jobMs: number;
  /** How long a write of one item waits for a vendor that is busy. */
  readonly singlePatienceMs: number;
}

export interface Desk extends Deps {
  readonly site: Site;
  readonly baselines: Baselines;
  /** The right to send; undefined where nothing is sent. */
  readonly holding: Holding | undefined;
  /** Aborts when all is to be let go of. */
  readonly signal: AbortSignal;
}

/** Any call to a vendor that reads, however many attempts it takes, ends by then. */
export const CALL_MS = 60_000;

export const createDesk = (deps: Deps, given: Pick<Desk, 'site' | 'holding' | 'signal'>): Desk => ({
  ...deps,
  ...given,
  baselines: createBaselines(given.site, deps.offsets, deps.clock, () => given.holding?.traceless ?? 0),
});

/** The things of an operation's cluster; undefined where it is no longer served. */
export const siteOf = (
  { resources }: Pick<Deps, 'resources'>,
  { resource, clusterId, cluster }: OperationRecord,
): Site | undefined => resources.find(({ name }) => name === resource)?.at(clusterId, cluster);

/** Who waits for calls on behalf of an operation. */
export const purposeOf = ({ isBatch }: Pick<Work, 'isBatch'>): Purpose => (isBatch ? 'batch' : 'write');

/** A call on behalf of an operation, with an end of its own. */
export const boundedCall = (
  { signal, clock, site }: Pick<Desk, 'signal' | 'clock' | 'site'>,
  { requestId, isBatch, tally }: Pick<Work, 'requestId' | 'isBatch'> & Partial<Pick<Work, 'tally'>>,
  ms = CALL_MS,
): Call => ({
  requestId,
  purpose: purposeOf({ isBatch }),
  owner: site.key,
  ...(tally && { tally }),
  signal: firstOf([signal, clock.timeout(ms)]),
});

const NONE = new Secret('');

export const secretOf = ({ encryptor }: Desk, { work, item: { index, secret } }: Entry): Secret =>
  secret === undefined ? NONE : encryptor.open(secret, keyOf.item(work.id, index), work.ownKeys.get(index) ?? '');
