import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhen,
  type IRetryBackoffContext,
  retry,
  wrap,
} from 'cockatiel';
import { untilAborted } from '../deadline.js';
import { asGatewayError, type Effect, GatewayError, worse } from '../errors.js';

const RETRIES = 2;
const FIRST_DELAY_MS = 200;
/** A vendor that asks for more patience than this gets its answer passed on with `Retry-After` instead. */
const LONGEST_DELAY_MS = 3_000;

const BREAK_AFTER = 10;
const BROKEN_MS = 5_000;

const isDown = (error: unknown): boolean =>
  error instanceof GatewayError && (error.code === 'vendor_unavailable' || error.code === 'vendor_timeout');

const isWorthRetrying = (error: unknown, replayable: boolean): boolean =>
  error instanceof GatewayError &&
  error.retryable &&
  error.code !== 'cluster_not_ready' &&
  (replayable || error.effect === 'none') &&
  (error.retryAfterMs ?? 0) <= LONGEST_DELAY_MS;

const delayMs = ({ attempt, result }: IRetryBackoffContext<unknown>): number => {
  const asked = 'error' in result && result.error instanceof GatewayError ? result.error.retryAfterMs : undefined;
  return asked ?? FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
};

const leftAlone = (): GatewayError =>
  new GatewayError('vendor_unavailable', 'The vendor failed many times in a row; it is left alone for a few seconds.', {
    retryAfterMs: BROKEN_MS,
    effect: 'none',
  });

export type Policy = <T>(attempt: () => Promise<T>, options: { replayable: boolean; signal: AbortSignal }) => Promise<T>;

/**
 * Retry around a circuit breaker, for one vendor account.
 *
 * Retried: what was refused without effect and may go through later (throttling), and, where the call is replayable, every outage.
 * A write that is not replayable is sent again only when it surely changed nothing.
 */
export const createPolicy = (): Policy => {
  const breaker = circuitBreaker(handleWhen(isDown), { halfOpenAfter: BROKEN_MS, breaker: new ConsecutiveBreaker(BREAK_AFTER) });
  const retrying = (replayable: boolean) =>
    wrap(
      retry(
        handleWhen((error) => isWorthRetrying(error, replayable)),
        { maxAttempts: RETRIES, backoff: new DelegateBackoff(delayMs) },
      ),
      breaker,
    );
  const policies = { replayable: retrying(true), once: retrying(false) };

  return async (attempt, { replayable, signal }) => {
    let worst: Effect = 'none';
    const remembered = async () => {
      try {
        return await attempt();
      } catch (error) {
        worst = worse(asGatewayError(error).effect, worst);
        throw error;
      }
    };
    try {
      return await untilAborted(policies[replayable ? 'replayable' : 'once'].execute(remembered, signal), signal);
    } catch (thrown) {
      const error = thrown instanceof BrokenCircuitError ? leftAlone() : asGatewayError(thrown);
      // A refusal of the last attempt says nothing of those before it.
      throw error.withEffect(worse(error.effect, worst));
    }
  };
};
