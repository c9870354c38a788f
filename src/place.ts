/** Places in queues: so much work at once, and the rest waits for its turn. */
import type PQueue from 'p-queue';
import { onAbort } from './deadline.js';

/**
 * The work in a place of each queue, taken one after the other.
 * @param signals end the waiting, and not what has begun @throws what `tooLate` makes, with nothing begun, where one of them does
 */
export const inPlaces = <T>(
  queues: readonly PQueue[],
  signals: readonly AbortSignal[],
  tooLate: () => Error,
  work: () => Promise<T>,
): Promise<T> => {
  const waiting = new AbortController();
  const stops = signals.map((signal) => onAbort(signal, () => waiting.abort(tooLate())));
  const begin = (): Promise<T> => {
    for (const stop of stops) stop();
    return work();
  };
  return queues.reduceRight<() => Promise<T>>((inner, queue) => () => queue.add(inner, { signal: waiting.signal }), begin)();
};
