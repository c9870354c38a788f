import { createReader } from '../users/reader.js';
import { createBaselines } from './baseline.js';
import { type Context, clusterKey, type Deps } from './context.js';
import { BATCH_PATIENCE, createPace, singlePatience } from './pace.js';

type Given = Pick<Context, 'work' | 'holding' | 'target' | 'progress' | 'call' | 'isBatch' | 'inOrder' | 'pause'>;

/** What work on one operation needs, with its pace and with what it reads of the cluster. */
export const newContext = (deps: Deps, given: Given): Context => {
  const { clock, offsets, singlePatienceMs } = deps;
  const cluster = clusterKey(given.target);
  const reader = createReader(given.target, cluster, deps);
  return {
    ...deps,
    ...given,
    startedAt: clock.now(),
    pace: createPace(clock, given.isBatch ? BATCH_PATIENCE : singlePatience(singlePatienceMs)),
    reader,
    baselines: createBaselines(cluster, reader, offsets, clock),
  };
};
