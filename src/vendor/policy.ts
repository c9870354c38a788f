import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Clock } from '../clock.js';
import { deadlinePassed, pause } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { SendOptions } from './client.js';
import { isClosedMeanwhile } from './transport.js';

const MAX_RETRIES = 2;
const FIRST_DELAY_MS = 200;
/** A vendor that asks for a longer wait gets its answer passed on with `Retry-After` instead. */
const MAX_DELAY_MS = 3_000;

const BREAK_AFTER = 10;
const BROKEN_MS = 5_000;

/** A connection that was closed while nobody used it says nothing about the vendor. */
const isDown = (error: unknown): boolean =>
  error instanceof GatewayError &&
  !isClosedMeanwhile(error) &&
  (error.code === 'vendor_unavailable' || error.code === 'vendor_timeout');

/** A call that its caller gave up says nothing about the vendor: who leaves ten times must not close an account for all others. */
class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

/** Deadlines abort with a TimeoutError. */
const isGivenUp = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && !(reason instanceof DOMException && reason.name === 'TimeoutError');

const isWorthRetrying = (error: GatewayError): boolean =>
  error.retryable && error.code !== 'cluster_not_ready' && (error.retryAfterMs ?? 0) <= MAX_DELAY_MS;

const delayMs = ({ retryAfterMs }: GatewayError, retry: number): number =>
  retryAfterMs ?? FIRST_DELAY_MS * 2 ** (retry - 1) * (0.5 + Math.random());

const breakerOpen = (leftMs: number): GatewayError =>
  new GatewayError(
    'vendor_unavailable',
    `The vendor failed many times in a row. The circuit breaker is open; retrying in ${Math.ceil(leftMs / 1000)} s. Nothing was sent.`,
    { retryAfterMs: leftMs, effect: 'none' },
  );

export type Policy = <T>(attempt: () => Promise<T>, options: SendOptions) => Promise<T>;

/**
 * Retry around a circuit breaker, for one vendor account. An open breaker refuses every call but one probe in five seconds.
 *
 * Reads are retried after an outage or a throttled call. A write is sent once: the write engine, which knows the evidence, decides
 * about sending it again.
 */
export const createPolicy = (clock: Clock): Policy => {
  // The breaker's own time is the system's, so it has none: the injected clock decides when a probe is due.
  const breaker = circuitBreaker(handleWhen(isDown), { halfOpenAfter: 0, breaker: new ConsecutiveBreaker(BREAK_AFTER) });
  let openUntil = 0;
  const leftMs = (): number => openUntil - clock.now();
  breaker.onBreak(() => {
    openUntil = clock.now() + BROKEN_MS;
  });

  const once = async <T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    if (breaker.state === CircuitState.HalfOpen) throw breakerOpen(BROKEN_MS);
    if (breaker.state === CircuitState.Open && leftMs() > 0) throw breakerOpen(leftMs());
    const counted = (): Promise<T> =>
      attempt().catch((thrown: unknown) => {
        throw isGivenUp(signal) ? new GivenUp('', { cause: thrown }) : thrown;
      });
    return breaker.execute(counted).catch((thrown: unknown) => {
      if (thrown instanceof GivenUp) throw asGatewayError(thrown.cause);
      throw thrown instanceof BrokenCircuitError ? breakerOpen(BROKEN_MS) : asGatewayError(thrown);
    });
  };

  return async (attempt, { kind, signal }) => {
    if (signal.aborted) throw deadlinePassed('none');
    for (let retry = 1; ; retry++) {
      try {
        return await once(attempt, signal);
      } catch (thrown) {
        const error = asGatewayError(thrown);
        if (kind === 'write' || retry > MAX_RETRIES || signal.aborted || !isWorthRetrying(error)) throw error;
        await pause(delayMs(error, retry), signal, clock);
      }
    }
  };
};
