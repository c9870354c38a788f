/** How many requests a caller may send in a minute; shared by all gateways on one Redis. */
import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import type { Limiters } from '../limiters.js';
import type { Caller } from './caller.js';

const WINDOW_SECONDS = 60;

export interface RateState {
  readonly isAllowed: boolean;
  readonly quota: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Until the window ends. */
  readonly resetMs: number;
}

/** Counts a request. Undefined for callers without a limit. */
export type Rate = (caller: Caller) => Promise<RateState | undefined>;

export const createRate = (limiters: Limiters): Rate => {
  /** By quota: there are as many as the configuration names. */
  const known = new Map<number, RateLimiterAbstract>();
  const limiterOf = (points: number): RateLimiterAbstract => {
    const limiter = known.get(points) ?? limiters({ points, duration: WINDOW_SECONDS, counts: 'rate' });
    known.set(points, limiter);
    return limiter;
  };

  return async ({ id, limits: { requestsPerCallerPerMinute: quota } }) => {
    if (id === null || quota === undefined) return undefined;
    const stateOf = ({ remainingPoints, msBeforeNext }: RateLimiterRes, isAllowed: boolean): RateState => ({
      isAllowed,
      quota,
      windowSeconds: WINDOW_SECONDS,
      remaining: Math.max(remainingPoints, 0),
      resetMs: Math.max(msBeforeNext, 0),
    });
    try {
      return stateOf(await limiterOf(quota).consume(id), true);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return stateOf(refusal, false);
      throw refusal;
    }
  };
};
