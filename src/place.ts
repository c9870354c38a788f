/** Places in queues: so much work at once, and the rest waits for its turn. */
import type PQueue from 'p-queue';
import { onAbort } from './deadline.js';

const hasRoom = ({ pending, concurrency, size }: PQueue): boolean => size === 0 && pending < concurrency;

/**
 * The work in a place of each queue, taken one after the other.
 * @param signals asked for where it has to wait; they end the waiting, and not what has begun
 * @throws what `tooLate` makes, with nothing begun, where one of them does
 */
export const inPlaces = <T>(
  queues: readonly PQueue[],
  signals: () => readonly AbortSignal[],
  tooLate: () => Error,
  work: () => Promise<T>,
): Promise<T> => {
  const taking = (begin: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
    queues.reduceRight<() => Promise<T>>((inner, queue) => () => queue.add(inner, signal && { signal }), begin)();
  // A queue passes arguments of its own.
  if (queues.every(hasRoom)) return taking(() => work());
  const waiting = new AbortController();
  const stops = signals().map((signal) => onAbort(signal, () => waiting.abort(tooLate())));
  return taking(() => {
    for (const stop of stops) stop();
    return work();
  }, waiting.signal);
};
