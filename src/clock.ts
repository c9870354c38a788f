/** Time as the core sees it. Injected, so that tests can run minutes of waiting in seconds. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that is never set, since some moment. */
  monotonic(): number;
  /** Resolves after `ms`, or as soon as the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Aborts after `ms`. */
  timeout(ms: number): AbortSignal;
  /** Calls `act` after `ms`, which keeps no process alive. @returns what stops it */
  after(ms: number, act: () => void): () => void;
}

/** The longest time that a timer of Node takes; a longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

const timerMs = (ms: number): number => (ms > 0 ? Math.min(Math.ceil(ms), MAX_TIMER_MS) : 0);

const realSleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
  await delay(timerMs(ms), undefined, signal && { signal }).catch(() => undefined);
};

/** The clocks of two processes may differ by so much, in milliseconds. */
export const SKEW_MS = 5_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: realSleep,
  timeout: (ms) => AbortSignal.timeout(timerMs(ms)),
  after: (ms, act) => {
    const timer = setTimeout(act, timerMs(ms));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
