/**
 * The lines of one account to its vendor: one for each cluster, and one for what concerns no cluster. A line has a breaker and a number of
 * places of its own, so that a cluster that hangs or fails holds up no other one; all lines together have a bound, too.
 */
import PQueue from 'p-queue';
import type { Clock } from '../clock.js';
import { deadlinePassed } from '../deadline.js';
import { asGatewayError } from '../errors.js';
import { inPlaces } from '../place.js';
import { type Attempt, type Breaker, type BreakerState, createBreaker } from './breaker.js';
import type { Budget } from './budget.js';
import type { SendOptions } from './client.js';

/** Calls under way at once. */
const OF_LINE = 16;
const OF_ACCOUNT = 128;

interface Line {
  readonly breaker: Breaker;
  readonly places: PQueue;
}

export interface Lines {
  /**
   * @throws vendor_unavailable where the breaker is open; vendor_rate_limited where the budget is empty; vendor_timeout where there is no
   * place before the signal aborts: nothing was sent
   */
  run<T>(attempt: Attempt<T>, options: SendOptions): Promise<T>;
  /** @param cluster the vendor's id; an empty one stands for the account */
  breakerOf(cluster: string): BreakerState;
  /** By the vendor's id of the cluster. */
  breakers(): ReadonlyMap<string, BreakerState>;
}

export interface LinesOptions {
  readonly budget?: Pick<Budget, 'take' | 'giveBack' | 'noteRefusal'> | undefined;
  /** Hears when calls of a line are held back, and when they are made again. */
  onBreaker?(cluster: string | undefined, isDown: boolean): void;
}

export const createLines = (clock: Clock, { budget, onBreaker }: LinesOptions = {}): Lines => {
  const lines = new Map<string, Line>();
  const all = new PQueue({ concurrency: OF_ACCOUNT });

  const lineTo = (cluster: string): Line => {
    const known = lines.get(cluster);
    if (known) return known;
    const breaker = createBreaker(clock, (isDown) => onBreaker?.(cluster || undefined, isDown));
    const made = { breaker, places: new PQueue({ concurrency: OF_LINE }) };
    lines.set(cluster, made);
    return made;
  };

  return {
    run: (attempt, options) => {
      const { signal, purpose = 'read' } = options.call;
      const { breaker, places } = lineTo(options.cluster ?? '');
      const call = async () => {
        breaker.check();
        await budget?.take(options.action, purpose);
        let isMade = false;
        const counted: typeof attempt = (signal) => {
          isMade = true;
          return attempt(signal);
        };
        try {
          return await breaker.run(counted, options);
        } catch (thrown) {
          // Another one probes by now.
          if (!isMade) await budget?.giveBack(purpose);
          const { code, retryAfterMs } = asGatewayError(thrown);
          if (code === 'vendor_rate_limited' && retryAfterMs !== undefined) budget?.noteRefusal(options.action, retryAfterMs);
          throw thrown;
        }
      };
      // One that is open refuses before a place is waited for, and again afterwards.
      const isClosed = breaker.state === 'closed';
      return isClosed
        ? inPlaces(
            [places, all],
            () => [signal],
            () => deadlinePassed('none'),
            call,
          )
        : call();
    },

    breakerOf: (cluster) => lines.get(cluster)?.breaker.state ?? 'closed',

    breakers: () => new Map([...lines].map(([cluster, { breaker }]) => [cluster, breaker.state])),
  };
};
