/** Work that several wait for: it ends with its own limit, or when the last one has left. */
import type { Clock } from './clock.js';
import { limitOf, untilAborted } from './deadline.js';

export interface SharedWork<T> {
  /** Nobody waits any more: who comes now begins another one. */
  readonly isAbandoned: boolean;
  /** The answer. @throws vendor_timeout as soon as the signal aborts */
  join(signal: AbortSignal): Promise<T>;
}

/** @param begin gets a signal that aborts after `limitMs`, and when nobody waits any more */
export const shareWork = <T>(clock: Clock, limitMs: number, begin: (signal: AbortSignal) => Promise<T>): SharedWork<T> => {
  const { signal, giveUp, stop } = limitOf(clock, limitMs);
  let isAbandoned = false;
  let isOver = false;
  const answer = begin(signal).finally(() => {
    isOver = true;
    stop();
  });
  answer.catch(() => undefined);
  let askers = 0;
  return {
    get isAbandoned() {
      return isAbandoned;
    },
    join: (signal) => {
      askers++;
      return untilAborted(answer, signal).finally(() => {
        askers--;
        if (askers > 0 || isOver) return;
        isAbandoned = true;
        giveUp();
      });
    },
  };
};
