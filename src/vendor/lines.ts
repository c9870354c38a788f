/**
 * The lines of one account to its vendor: one for each cluster, and one for what concerns no cluster. A line has a breaker and a number of
 * places of its own, so that a cluster that hangs or fails holds up no other one; all lines together have a bound, too.
 */
import PQueue from 'p-queue';
import type { Clock } from '../clock.js';
import { deadlinePassed } from '../deadline.js';
import { inPlaces } from '../place.js';
import { type Attempt, type Breaker, createBreaker } from './breaker.js';
import type { SendOptions } from './client.js';

/** Calls under way at once. */
const OF_LINE = 16;
const OF_ACCOUNT = 128;

interface Line {
  readonly breaker: Breaker;
  readonly places: PQueue;
}

export interface Lines {
  /** @throws vendor_unavailable where the breaker is open; vendor_timeout where there is no place before the signal aborts: nothing was sent */
  run<T>(attempt: Attempt<T>, options: SendOptions): Promise<T>;
}

export const createLines = (clock: Clock): Lines => {
  const lines = new Map<string, Line>();
  const all = new PQueue({ concurrency: OF_ACCOUNT });

  const lineTo = (cluster: string): Line => {
    const known = lines.get(cluster);
    if (known) return known;
    const made = { breaker: createBreaker(clock), places: new PQueue({ concurrency: OF_LINE }) };
    lines.set(cluster, made);
    return made;
  };

  return {
    run: (attempt, options) => {
      const { breaker, places } = lineTo(options.cluster ?? '');
      const call = () => breaker.run(attempt, options);
      // One that is open refuses before a place is waited for, and again afterwards.
      return breaker.isClosed ? inPlaces([places, all], [options.signal], () => deadlinePassed('none'), call) : call();
    },
  };
};
