/** A clock for tests that wait for minutes. */
import { type Clock, systemClock } from '../../src/clock.js';

/** A deadline that a busy machine does not meet would be a test of the machine. */
const MIN_DEADLINE_MS = 1_000;

/** Runs `speed` times as fast as the system's, from the moment it is made. */
export const scaledClock = (speed: number, startMs: number = Date.now()): Clock => ({
  now: () => startMs + (systemClock.now() - startMs) * speed,
  monotonic: () => systemClock.monotonic() * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  timeout: (ms) => systemClock.timeout(ms / speed),
  after: (ms, act) => systemClock.after(ms / speed, act),
});

/** Runs `speed` times as fast as the system's; only deadlines of calls are never shorter than a real second. */
export const fastClock = (speed: number): Clock => {
  const deadlineMs = (ms: number): number => Math.max(ms / speed, Math.min(ms, MIN_DEADLINE_MS));
  return {
    ...scaledClock(speed),
    timeout: (ms) => systemClock.timeout(deadlineMs(ms)),
    after: (ms, act) => systemClock.after(deadlineMs(ms), act),
  };
};
