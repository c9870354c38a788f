/** How many requests a caller may send in a minute; shared by all gateways on one Redis. */
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
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

/** @param redis a client of the Redis that the gateways share; where it fails, each gateway counts by itself */
export const createRate = (redis: unknown): Rate => {
  /** By quota: there are as many as the configuration names. */
  const limiters = new Map<number, RateLimiterAbstract>();
  const limiterOf = (points: number): RateLimiterAbstract => {
    const known = limiters.get(points);
    if (known) return known;
    const alone = new RateLimiterMemory({ points, duration: WINDOW_SECONDS });
    const made =
      redis === undefined
        ? alone
        : new RateLimiterRedis({
            storeClient: redis,
            points,
            duration: WINDOW_SECONDS,
            keyPrefix: '{hpc-gateway}:rate',
            insuranceLimiter: alone,
            rejectIfRedisNotReady: true,
          });
    limiters.set(points, made);
    return made;
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
