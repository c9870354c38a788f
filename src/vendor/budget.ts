/**
 * The calls that an account may make in a window of time: the vendor counts them for all that use it. People's writes keep a fifth of them,
 * batches a tenth; of the rest, who is later in the order reads, writes, batches, background leaves more to the others.
 */
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { BudgetConfig, Purpose } from '../adapter.js';
import type { Clock } from '../clock.js';
import { GatewayError } from '../errors.js';
import type { Limiters } from '../limiters.js';

export interface BudgetState {
  /** Calls that are left, those that are kept for some purpose included. */
  readonly remaining: number;
  /** In milliseconds since 1970. */
  readonly resetsAt: number;
}

export interface Budget {
  /**
   * Takes a call for a purpose.
   * @param action the vendor's name of what is called
   * @throws vendor_rate_limited where none is left for it: nothing was sent
   */
  take(action: string, purpose: Purpose): Promise<void>;
  /** A call that was taken was not made. */
  giveBack(purpose: Purpose): Promise<void>;
  /** The vendor refused a call: by its count nothing is left for such ones for so long. */
  noteRefusal(action: string, retryAfterMs: number): void;
  state(): Promise<BudgetState>;
}

/** Kept for a purpose, as parts of all. */
const KEPT: ReadonlyMap<Purpose, number> = new Map([
  ['write', 0.2],
  ['batch', 0.1],
]);

/** Those who take of the rest no faster than the window goes by, after so much of it that they may take at once. */
const PACED: ReadonlyMap<Purpose, number> = new Map([
  ['batch', 0.5],
  ['background', 0.25],
]);

/** The shortest wait of who is paced, so that they do not come back for each call. */
const MIN_WAIT_MS = 1_000;

export const createBudget = (name: string, { calls, perSeconds }: BudgetConfig, limiters: Limiters, clock: Clock): Budget => {
  const windowMs = perSeconds * 1000;
  const limiter = limiters({ points: calls, duration: perSeconds, counts: 'budget' });
  const keptFor = (purpose: Purpose): number => Math.floor((KEPT.get(purpose) ?? 0) * calls);
  const rest = calls - [...KEPT.keys()].reduce((sum, purpose) => sum + keptFor(purpose), 0);
  /** By purpose, in this window, by this process. */
  let used = new Map<Purpose, number>();
  let endsAt = 0;
  /** By action, of which there are a few: some vendors count each for itself. */
  const refusedUntil = new Map<string, number>();

  const usedBy = (purpose: Purpose): number => used.get(purpose) ?? 0;

  const empty = (waitMs: number): GatewayError =>
    new GatewayError(
      'vendor_rate_limited',
      `The budget of ${calls} calls in ${perSeconds} s has nothing left for this now. Nothing was sent.`,
      { retryAfterMs: Math.max(waitMs, 1), effect: 'none' },
    );

  /** How long the purpose has to wait for a call. @param left with this call taken */
  const waitOf = (purpose: Purpose, left: number, msLeft: number): number => {
    if (left < 0) return msLeft;
    if (usedBy(purpose) < keptFor(purpose)) return 0;
    const keptForOthers = [...KEPT.keys()]
      .filter((other) => other !== purpose)
      .reduce((sum, other) => sum + Math.max(0, keptFor(other) - usedBy(other)), 0);
    const free = left - keptForOthers;
    if (free < 0) return msLeft;
    const head = PACED.get(purpose);
    if (head === undefined) return 0;
    const spent = (rest - free) / Math.max(rest, 1);
    const due = head + 1 - msLeft / windowMs;
    return spent <= due ? 0 : Math.min(msLeft, Math.max((spent - due) * windowMs, MIN_WAIT_MS));
  };

  const noteWindow = (msLeft: number): void => {
    const until = clock.now() + msLeft;
    // The ends of one window that are computed at several times differ by the time of the answer.
    if (until > endsAt + windowMs / 2) used = new Map();
    endsAt = until;
  };

  const spend = async (): Promise<RateLimiterRes> => {
    try {
      return await limiter.consume(name);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return refusal;
      throw refusal;
    }
  };

  return {
    take: async (action, purpose) => {
      const refusedMs = (refusedUntil.get(action) ?? 0) - clock.now();
      if (refusedMs > 0) throw empty(refusedMs);
      const { consumedPoints, msBeforeNext } = await spend();
      noteWindow(msBeforeNext);
      const waitMs = waitOf(purpose, calls - consumedPoints, msBeforeNext);
      if (waitMs > 0) {
        await limiter.reward(name, 1);
        throw empty(waitMs);
      }
      used.set(purpose, usedBy(purpose) + 1);
    },

    giveBack: async (purpose) => {
      used.set(purpose, Math.max(0, usedBy(purpose) - 1));
      await limiter.reward(name, 1);
    },

    noteRefusal: (action, retryAfterMs) => {
      refusedUntil.set(action, Math.max(refusedUntil.get(action) ?? 0, clock.now() + retryAfterMs));
    },

    state: async () => {
      const now = clock.now();
      const known = await limiter.get(name);
      const resetsAt = now + (known?.msBeforeNext ?? windowMs);
      return { remaining: Math.max(0, calls - (known?.consumedPoints ?? 0)), resetsAt };
    },
  };
};
