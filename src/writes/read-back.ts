/** Reading things to learn what became of a write. */
import { deadlinePassed, pollDelay } from '../deadline.js';
import { asGatewayError, type GatewayError } from '../errors.js';
import { boundedCall, type Desk } from './desk.js';
import { TEACHERS } from './offsets.js';
import { type Found, MAX_LOOK_UPS } from './resource.js';
import type { Work } from './work.js';

const FIRST_READ_MS = 300;
const MAX_WAIT_MS = 5_000;
/** A timer may fire so much early. */
const TIMER_MS = 20;

/** When reading may stop, in milliseconds since 1970. */
export interface Times {
  /** What is not there by then will not come. */
  readonly settled: number;
  /** Until when an answer is waited for. */
  readonly readable: number;
  /** Nothing that is read before `settled` can settle anything. */
  readonly isLate: boolean;
}

export type ReadBack = (Found & { readonly ok: true }) | { readonly ok: false; readonly error: GatewayError };

/**
 * Reads things back until all are as they should be, or what is not there will not come any more. The last reading is made when that time
 * is over, not before. An outage of the reading ends nothing before its own time is over.
 * @throws vendor_timeout when the work is abandoned
 */
export const readBack = async (
  desk: Desk,
  work: Pick<Work, 'requestId' | 'isBatch' | 'tally'>,
  asked: readonly string[],
  isAsAsked: (read: Found) => boolean,
  times: Times,
): Promise<ReadBack> => {
  const { site, signal, clock, offsets } = desk;
  const teachers = offsets.awaited(site.key).filter((name) => !asked.includes(name));
  const names = asked.length > MAX_LOOK_UPS ? [...asked, ...teachers.slice(0, TEACHERS)] : asked;
  // A whole listing is read once, when it can settle everything.
  if (names.length > MAX_LOOK_UPS || times.isLate) await clock.sleep(Math.max(times.settled - clock.now(), 0), signal);
  for (let poll = 0; ; poll++) {
    const startedAt = clock.now();
    const bounded = boundedCall(desk, work);
    const answer = await site.read(names, bounded).then(
      (read): ReadBack => ({ ok: true, ...read }),
      (thrown: unknown): ReadBack => ({ ok: false, error: asGatewayError(thrown) }),
    );
    if (signal.aborted) throw deadlinePassed();
    if (answer.ok) {
      for (const [name, thing] of answer.found) if (thing) offsets.observe(site.key, name, thing.createdAt);
      if (isAsAsked(answer)) return answer;
    }
    const until = answer.ok && answer.complete ? times.settled : Math.max(times.settled, times.readable);
    // What can be read counts as of when the reading began.
    if ((answer.ok ? startedAt : clock.now()) + TIMER_MS >= until) return answer;
    const wait = pollDelay(poll, FIRST_READ_MS, MAX_WAIT_MS);
    await clock.sleep(Math.min(wait, Math.max(until - clock.now(), 0)), signal);
  }
};
