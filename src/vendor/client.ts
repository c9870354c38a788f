import { GatewayError } from '../errors.js';
import type { VendorClock } from './clock.js';
import { createPolicy } from './policy.js';
import type { Transport } from './transport.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Complete and encoded; goes on the wire as it is. May hold signatures: never log it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent byte for byte, in UTF-8. */
  readonly body?: string;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SendOptions {
  /** True where sending twice does no more than sending once: reads, and writes that set a value. */
  readonly replayable: boolean;
  readonly signal: AbortSignal;
}

export interface HttpClient {
  /**
   * Sends one vendor call.
   * @param build makes the request; runs once per attempt, so that each carries a fresh time, nonce and signature
   * @param read turns the answer into a result or throws what it means as a GatewayError; no status is an error by itself
   * @throws vendor_unavailable, vendor_timeout, or what `read` throws
   */
  send<T>(build: () => HttpRequest, read: (response: HttpResponse) => T, options: SendOptions): Promise<T>;
}

const isSkew = (error: unknown): boolean => error instanceof GatewayError && error.code === 'vendor_clock_skew';

/**
 * The client of one vendor account: its policies and its clock over the shared transport. A call that the vendor refused for a skewed
 * clock is sent once more when the vendor's `Date` header sets the clock right, writes too: a refused write changed nothing.
 */
export const createHttpClient = (transport: Transport, clock: VendorClock, localNow: () => Date): HttpClient => {
  const policy = createPolicy();

  return {
    send: (build, read, { replayable, signal }) => {
      const exchange = async (): Promise<HttpResponse> => {
        const sentAt = localNow();
        const response = await transport(build(), signal);
        clock.observe(response.headers['date'], sentAt);
        return response;
      };
      const attempt = async () => {
        const signedAt = clock.now();
        const response = await exchange();
        try {
          return read(response);
        } catch (error) {
          if (!isSkew(error) || !clock.correct(response.headers['date'], signedAt)) throw error;
        }
        const again = await exchange();
        try {
          return read(again);
        } catch (error) {
          if (isSkew(error)) clock.reset();
          throw error;
        }
      };
      return policy(attempt, { replayable, signal });
    },
  };
};
