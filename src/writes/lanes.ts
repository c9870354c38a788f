/**
 * How many calls to one cluster are made at once, and whose turn it is: writes of one item, for which somebody waits, go before batches;
 * after a few of them a batch has its turn.
 */

export type Lane = 'single' | 'batch';

export interface Lanes {
  /** Runs the work when it is its turn. */
  run<T>(lane: Lane, work: () => Promise<T>): Promise<T>;
}

const SINGLES_PER_BATCH = 4;

/** @param concurrency calls at once */
export const createLanes = (concurrency: number): Lanes => {
  const waiting: Readonly<Record<Lane, (() => void)[]>> = { single: [], batch: [] };
  let running = 0;
  /** Singles that went since the last batch. */
  let singles = 0;

  const nextLane = (): Lane => {
    if (waiting.batch.length === 0) return 'single';
    return waiting.single.length === 0 || singles >= SINGLES_PER_BATCH ? 'batch' : 'single';
  };

  const startNext = (): void => {
    while (running < concurrency) {
      const lane = nextLane();
      const start = waiting[lane].shift();
      if (!start) return;
      singles = lane === 'batch' ? 0 : singles + 1;
      running++;
      start();
    }
  };

  return {
    run: (lane, work) =>
      new Promise((resolve, reject) => {
        waiting[lane].push(() => {
          work()
            .then(resolve, reject)
            .finally(() => {
              running--;
              startNext();
            });
        });
        startNext();
      }),
  };
};
