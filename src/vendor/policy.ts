import type { Clock } from '../clock.js';
import { deadlinePassed, pause } from '../deadline.js';
import { asGatewayError, type GatewayError } from '../errors.js';
import type { Attempt } from './breaker.js';
import type { SendOptions } from './client.js';
import type { Lines } from './lines.js';

const MAX_RETRIES = 2;
const FIRST_DELAY_MS = 200;
/** A vendor that asks for a longer wait gets its answer passed on with `Retry-After` instead. */
const MAX_DELAY_MS = 3_000;

const isWorthRetrying = (error: GatewayError): boolean =>
  error.retryable && error.code !== 'cluster_not_ready' && (error.retryAfterMs ?? 0) <= MAX_DELAY_MS;

const delayMs = ({ retryAfterMs }: GatewayError, retry: number): number =>
  retryAfterMs ?? FIRST_DELAY_MS * 2 ** (retry - 1) * (0.5 + Math.random());

export type Policy = <T>(attempt: Attempt<T>, options: SendOptions) => Promise<T>;

/**
 * Retries on the lines of one vendor account. Reads are retried after an outage or a throttled call. A write is sent once: the write engine,
 * which knows the evidence, decides about sending it again.
 */
export const createPolicy =
  (lines: Lines, clock: Clock): Policy =>
  async (attempt, options) => {
    const { kind } = options;
    const { signal } = options.call;
    if (signal.aborted) throw deadlinePassed('none');
    for (let retry = 1; ; retry++) {
      try {
        return await lines.run(attempt, options);
      } catch (thrown) {
        const error = asGatewayError(thrown);
        if (kind === 'write' || retry > MAX_RETRIES || signal.aborted || !isWorthRetrying(error)) throw error;
        await pause(delayMs(error, retry), signal, clock);
      }
    }
  };
