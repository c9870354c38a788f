/** Following an operation to its end, by answers that wait for it. */
import type { Operation } from './errors.js';
import { retryAfterOf, type Timing } from './timing.js';

/** A gateway that does not wait is asked no more often. */
const MIN_PAUSE_MS = 500;

export interface Polling {
  /** Seconds that the gateway is asked to wait for the end. */
  readonly waitSeconds: number;
  /** On the clock of `timing`. */
  readonly until: number;
  readonly timing: Timing;
  readonly signal?: AbortSignal | undefined;
  onProgress?(operation: Operation): void;
}

export interface Look {
  readonly operation: Operation;
  readonly headers: Headers;
}

/** @returns the operation as it was seen last, done or not; undefined where there was no time to look */
export const poll = async (
  look: (waitSeconds: number) => Promise<Look>,
  { waitSeconds, until, timing, signal, onProgress }: Polling,
): Promise<Operation | undefined> => {
  let last: Operation | undefined;
  for (let left = until - timing.now(); left > 0; left = until - timing.now()) {
    const since = timing.now();
    const { operation, headers } = await look(Math.max(1, Math.min(waitSeconds, Math.floor(left / 1000))));
    last = operation;
    onProgress?.(operation);
    if (operation.done) return operation;
    const pauseMs = Math.max((retryAfterOf(headers) ?? 0) - (timing.now() - since), MIN_PAUSE_MS);
    await timing.sleep(Math.min(pauseMs, Math.max(until - timing.now(), 0)), signal);
  }
  return last;
};
