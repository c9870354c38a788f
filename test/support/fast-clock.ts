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
});

/** Runs `speed` times as fast as the system's; only deadlines of calls are never shorter than a real second. */
export const fastClock = (speed: number): Clock => ({
  ...scaledClock(speed),
  timeout: (ms) => systemClock.timeout(Math.max(ms / speed, Math.min(ms, MIN_DEADLINE_MS))),
});
