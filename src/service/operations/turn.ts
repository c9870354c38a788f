import type { Call } from '../../adapter.js';
import type { GatewayError, Report } from '../../errors.js';
import type { Target } from '../../registry.js';
import type { Vault } from '../../store/vault.js';
import type { Clusters } from '../clusters.js';
import type { Gate } from '../gate.js';
import type { StepOutcome } from './item.js';
import type { Jobs } from './jobs.js';
import type { Ledger, Work } from './ledger.js';
import type { Progress } from './progress.js';
import type { ItemRecord } from './records.js';

/** What work on operations needs. */
export interface Tools {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly clusters: Clusters;
  readonly gate: Gate;
  readonly jobs: Jobs;
  readonly report: Report;
  /** How long to read back for what a lost answer may still bring about. */
  readonly settleMs: number;
  readonly jobMs: number;
}

/** One operation on its cluster, as long as this process works on it. */
export interface Turn extends Tools {
  readonly work: Work;
  readonly target: Target;
  readonly progress: Progress;
  readonly call: Call;
  /** A batch is patient with the vendor; a caller waits for a write to one user, and for that user. */
  readonly isBatch: boolean;
  /** Whether nothing may be sent before what stands before it. */
  readonly inOrder: boolean;
  /** Aborts when nothing more is to be begun here. */
  readonly pause: AbortSignal;
}

/** Between two looks at whether a user that another operation is at has become free, and at whether to stop. */
export const LOOK_AGAIN_MS = 100;

/** How long a batch puts up with a vendor that refuses to work now, from the last thing that went well. */
export const PATIENCE_MS = 10 * 60_000;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether more may be sent. */
export const mayGoOn = async ({ progress, pause }: Turn): Promise<boolean> =>
  !progress.fatal && !pause.aborted && !(await progress.isCancelled());

/** The same kind of outcome for each of the items. */
export const forAll = (items: readonly ItemRecord[], outcome: (item: ItemRecord) => StepOutcome): Map<number, StepOutcome> =>
  new Map(items.map((item) => [item.index, outcome(item)]));

/** Faults of the gateway itself are for the log. */
export const noteFault = ({ report, call }: Turn, error: GatewayError): void => {
  if (error.code === 'internal_error') report(error, call.requestId);
};
