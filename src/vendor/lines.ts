/**
 * The lines of one account to its vendor: one for each cluster, and one for what concerns no cluster. A line has a breaker and a number of
 * places of its own, so that a cluster that hangs or fails holds up no other one; all lines together have a bound, too.
 */
import PQueue from 'p-queue';
import type { Clock } from '../clock.js';
import { deadlinePassed, onAbort } from '../deadline.js';
import { type Attempt, type Breaker, type BreakerState, createBreaker } from './breaker.js';
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
  /** By cluster, those that were used. */
  states(): ReadonlyMap<string, BreakerState>;
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

  /** In a place of the line, and of the account; the signal ends the waiting, and not what has begun. */
  const placed = async <T>(places: PQueue, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const waiting = new AbortController();
    const stopListening = onAbort(signal, () => waiting.abort(deadlinePassed('none')));
    const begin = (): Promise<T> => {
      stopListening();
      return work();
    };
    const options = { signal: waiting.signal };
    return places.add(() => all.add(begin, options), options);
  };

  return {
    run: (attempt, options) => {
      const { breaker, places } = lineTo(options.cluster ?? '');
      const { signal } = options;
      // One that is open refuses before a place is waited for, and again afterwards.
      if (breaker.state !== 'closed') return breaker.run(attempt, options);
      return placed(places, signal, () => breaker.run(attempt, options));
    },
    states: () => new Map([...lines].map(([cluster, { breaker }]) => [cluster, breaker.state])),
  };
};
