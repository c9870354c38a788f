/** Counts in windows of time, shared by all gateways on one Redis. */
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';

export interface LimiterOptions {
  /** How much a window has. */
  readonly points: number;
  /** Seconds of a window, which begins with the first one that is taken. */
  readonly duration: number;
  /** What is counted. */
  readonly counts: 'rate' | 'budget';
}

export type Limiters = (options: LimiterOptions) => RateLimiterAbstract;

/** @param redis a client of the Redis that the gateways share; where it fails, or is none, each gateway counts by itself */
export const createLimiters =
  (redis: unknown): Limiters =>
  ({ counts, ...window }) => {
    const alone = new RateLimiterMemory(window);
    if (redis === undefined) return alone;
    return new RateLimiterRedis({
      ...window,
      storeClient: redis,
      keyPrefix: `{hpc-gateway}:${counts}`,
      insuranceLimiter: alone,
      rejectIfRedisNotReady: true,
    });
  };
