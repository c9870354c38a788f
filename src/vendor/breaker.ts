/** A circuit breaker: after many failures in a row it refuses every call but one probe in a while. */
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Clock } from '../clock.js';
import { untilAborted } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { SendOptions } from './client.js';
import { isClosedMeanwhile } from './transport.js';

const BREAK_AFTER = 10;
const BROKEN_MS = 5_000;
/** Of a probe, which goes on when its caller has left. */
const PROBE_MS = 30_000;

/** @param signal of the call; a probe has one of its own */
export type Attempt<T> = (signal: AbortSignal) => Promise<T>;

/** `half-open`: the next call, or one that is under way, shows whether the vendor is back. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface Breaker {
  readonly state: BreakerState;
  /** @throws vendor_unavailable, with nothing sent, where it refuses a call now */
  check(): void;
  /** @throws vendor_unavailable, with nothing sent, where it refuses the call */
  run<T>(attempt: Attempt<T>, options: SendOptions): Promise<T>;
}

/** A connection that was closed while nobody used it says nothing about the vendor. */
const isOutage = (error: unknown): boolean =>
  error instanceof GatewayError &&
  !isClosedMeanwhile(error) &&
  (error.code === 'vendor_unavailable' || error.code === 'vendor_timeout');

/** A call that its caller gave up says nothing about the vendor: who leaves ten times must not close a line for all others. */
class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

/** Whether the one who asked has left. Deadlines abort with a TimeoutError. */
export const isGivenUp = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && !(reason instanceof DOMException && reason.name === 'TimeoutError');

const refused = (leftMs: number): GatewayError =>
  new GatewayError(
    'vendor_unavailable',
    `The vendor failed many times in a row. The circuit breaker is open; retrying in ${Math.ceil(leftMs / 1000)} s. Nothing was sent.`,
    { retryAfterMs: leftMs, effect: 'none' },
  );

/** @param onChange hears when it begins to refuse calls, and when it takes them all again */
export const createBreaker = (clock: Clock, onChange: (isDown: boolean) => void = () => undefined): Breaker => {
  // The breaker's own time is the system's, so it has none: the injected clock decides when a probe is due.
  const circuit = circuitBreaker(handleWhen(isOutage), { halfOpenAfter: 0, breaker: new ConsecutiveBreaker(BREAK_AFTER) });
  let openUntil = 0;
  let isDown = false;
  const change = (now: boolean): void => {
    if (isDown === now) return;
    isDown = now;
    onChange(now);
  };
  circuit.onBreak(() => {
    openUntil = clock.now() + BROKEN_MS;
    change(true);
  });
  circuit.onReset(() => change(false));
  const leftMs = (): number => Math.max(0, openUntil - clock.now());

  const counted = <T>(attempt: Attempt<T>, signal: AbortSignal): Promise<T> =>
    circuit
      .execute(() =>
        attempt(signal).catch((thrown: unknown) => {
          throw isGivenUp(signal) ? new GivenUp('', { cause: thrown }) : thrown;
        }),
      )
      .catch((thrown: unknown) => {
        if (thrown instanceof GivenUp) throw asGatewayError(thrown.cause);
        throw thrown instanceof BrokenCircuitError ? refused(BROKEN_MS) : asGatewayError(thrown);
      });

  /** A reading that probes has a deadline of its own: one that is always left early would never show that the vendor is back. */
  const probe = <T>(attempt: Attempt<T>, { kind, call: { signal } }: SendOptions): Promise<T> =>
    kind === 'read' ? untilAborted(counted(attempt, clock.timeout(PROBE_MS)), signal) : counted(attempt, signal);

  const check = (): void => {
    if (circuit.state === CircuitState.HalfOpen) throw refused(BROKEN_MS);
    if (circuit.state !== CircuitState.Closed && leftMs() > 0) throw refused(leftMs());
  };

  return {
    get state() {
      if (circuit.state === CircuitState.Closed) return 'closed';
      return circuit.state !== CircuitState.HalfOpen && leftMs() > 0 ? 'open' : 'half-open';
    },
    check,
    run: async (attempt, options) => {
      check();
      return circuit.state === CircuitState.Closed ? counted(attempt, options.call.signal) : probe(attempt, options);
    },
  };
};
