/** A clock for tests that wait for minutes. */
import { type Clock, scaledClock } from '../../src/clock.js';

/** A deadline that a busy machine does not meet would be a test of the machine. */
const MIN_DEADLINE_MS = 1_000;

/** Runs `speed` times as fast as the system's; only deadlines of calls are never shorter than a real second. */
export const fastClock = (speed: number): Clock => ({
  ...scaledClock(speed),
  timeout: (ms) => AbortSignal.timeout(Math.max(Math.ceil(ms / speed), Math.min(ms, MIN_DEADLINE_MS))),
});
