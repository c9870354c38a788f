/** Time, as this package uses it. Tests have their own. */
export interface Timing {
  /** Milliseconds of a clock that only moves forward. */
  now(): number;
  /** @throws the reason of the signal as soon as it aborts */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Timers take no longer. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemTiming: Timing = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      if (signal?.aborted) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    }),
};

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;
/** The longest `Retry-After` of a gateway. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Twice as long each time; by chance up to half shorter, so that clients do not come back together. @param attempt counted from 1 */
export const backoffMs = (attempt: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MAX_PAUSE_MS) * (0.5 + Math.random() / 2);

/** `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), in milliseconds. Undefined where there is none. */
export const retryAfterOf = (headers: Headers): number | undefined => {
  const given = headers.get('retry-after');
  if (given === null) return undefined;
  const ms = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
};
