/** Work that several wait for: it ends with its own limit, or when the last one has left. */
import type { Clock } from './clock.js';
import { deadlinePassed, limitOf, untilAborted } from './deadline.js';

export interface SharedWork<T> {
  /** Nobody waits any more: who comes now begins another one. */
  readonly isAbandoned: boolean;
  /** The answer. @throws vendor_timeout as soon as the signal aborts */
  join(signal: AbortSignal): Promise<T>;
}

/** @param begin gets a signal that aborts after `limitMs`, and when nobody waits any more */
export const shareWork = <T>(clock: Clock, limitMs: number, begin: (signal: AbortSignal) => Promise<T>): SharedWork<T> => {
  const abandoned = new AbortController();
  const work = async (): Promise<T> => {
    const { signal, stop } = limitOf(clock, limitMs, abandoned.signal);
    if (signal.aborted) throw deadlinePassed('none');
    return begin(signal).finally(stop);
  };
  let isOver = false;
  const answer = work().finally(() => {
    isOver = true;
  });
  answer.catch(() => undefined);
  let askers = 0;
  return {
    get isAbandoned() {
      return abandoned.signal.aborted;
    },
    join: (signal) => {
      askers++;
      return untilAborted(answer, signal).finally(() => {
        askers--;
        if (askers === 0 && !isOver) abandoned.abort();
      });
    },
  };
};
