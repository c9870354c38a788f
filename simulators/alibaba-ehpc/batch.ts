import { Refusal } from '../kit/index.js';
import type { EhpcQuirks } from './quirks.js';
import type { EhpcCluster } from './state.js';

/** The change of one entry. */
export interface Step {
  /** Refuses a change that cannot be made. */
  check(cluster: EhpcCluster): void;
  apply(cluster: EhpcCluster): void;
}

/** The refusal that `run` throws; null where it throws none. */
export const refusalOf = (run: () => void): Refusal | null => {
  try {
    run();
    return null;
  } catch (cause) {
    if (cause instanceof Refusal) return cause;
    throw cause;
  }
};

const untilRefused = (cluster: EhpcCluster, steps: readonly Step[]) => {
  for (const step of steps) {
    step.check(cluster);
    step.apply(cluster);
  }
};

/** Throws the refusal of the first bad entry, if there is one. */
export const applyBatch: Record<EhpcQuirks['batch'], (cluster: EhpcCluster, steps: readonly Step[]) => void> = {
  'all-or-nothing': (cluster, steps) => {
    for (const step of steps) step.check(cluster);
    for (const step of steps) step.apply(cluster);
  },
  'until-refused': untilRefused,
  'skips-refused': (cluster, steps) => {
    const refusals = steps.map((step) => refusalOf(() => untilRefused(cluster, [step])));
    const first = refusals.find((refusal) => refusal !== null);
    if (first) throw first;
  },
};
