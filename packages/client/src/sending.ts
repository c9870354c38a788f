/** Requests that are repeated where that is safe and can help, with one `Idempotency-Key` for each write. */
import { GatewayProblem, GatewayUnreachable, type Operation, toProblem, UnexpectedAnswer } from './errors.js';
import { exchange, type Fetch, type Sent } from './exchange.js';
import { poll } from './polling.js';
import { backoffMs, retryAfterOf, type Timing } from './timing.js';

export interface Bounds {
  /** How often one request is sent at most. */
  readonly attempts: number;
  /** How long one answer is waited for, in milliseconds. */
  readonly attemptMs: number;
  /** How long a request is repeated, all attempts and pauses together, in milliseconds. */
  readonly totalMs: number;
}

const REPEATED: ReadonlySet<number> = new Set([408, 429, 503]);
const WAIT_SECONDS = 20;
const KEY_HEADER = 'idempotency-key';

const isJson = (headers: Headers): boolean => /^application\/([\w.-]+\+)?json\b/.test(headers.get('content-type') ?? '');

/** @throws UnexpectedAnswer */
const parse = (text: string, { status, headers }: Response, origin: string): unknown => {
  try {
    if (isJson(headers)) return JSON.parse(text);
  } catch {
    // The same as another type.
  }
  const type = headers.get('content-type') ?? 'no type';
  throw new UnexpectedAnswer(
    `${origin} answered ${status} with ${type}, not JSON. Check that the URL is the gateway's, path included.`,
    status,
  );
};

/** @throws GatewayProblem, UnexpectedAnswer where it is no success */
const check = async (response: Response, origin: string, takesAnyType: boolean): Promise<void> => {
  const { ok, status, headers } = response;
  if (status === 204 || status === 304 || (ok && takesAnyType)) return;
  const value = parse(await response.clone().text(), response, origin);
  if (ok) return;
  const problem = toProblem(value);
  if (problem) throw new GatewayProblem(problem, retryAfterOf(headers));
  throw new UnexpectedAnswer(`${origin} answered ${status} with JSON that is no problem of the gateway.`, status);
};

const isRepeatable = (error: unknown): boolean => {
  if (error instanceof GatewayUnreachable) return true;
  // A proxy before the gateway, most often.
  if (error instanceof UnexpectedAnswer) return REPEATED.has(error.status);
  if (!(error instanceof GatewayProblem)) return false;
  return error.code === 'idempotency_key_in_flight' || (error.retryable && REPEATED.has(error.status));
};

/**
 * @param base the URL of the gateway, without a slash at its end
 * @returns a `fetch` that answers successes only. It throws GatewayProblem, GatewayUnreachable, UnexpectedAnswer, or the reason of the request's signal
 */
export const createSender = (base: string, fetch: Fetch, bounds: Bounds, timing: Timing) => {
  const { origin } = new URL(base);

  const once = async (sent: Sent, until: number, signal: AbortSignal): Promise<Response> => {
    const ms = Math.max(1, Math.min(bounds.attemptMs, until - timing.now()));
    const response = await exchange(fetch, sent, ms, signal);
    // A request that names its Accept takes any type.
    await check(response, origin, sent.headers.has('accept'));
    return response;
  };

  /** Again while that can help. @param attempts of this request so far; it counts on */
  const repeated = async (sent: Sent, until: number, signal: AbortSignal, attempts = { count: 0 }): Promise<Response> => {
    for (;;) {
      attempts.count++;
      try {
        return await once(sent, until, signal);
      } catch (error) {
        if (signal.aborted || attempts.count >= bounds.attempts || !isRepeatable(error)) throw error;
        const pauseMs = (error instanceof GatewayProblem ? error.retryAfterMs : undefined) ?? backoffMs(attempts.count);
        if (timing.now() + pauseMs >= until) throw error;
        await timing.sleep(pauseMs, signal);
      }
    }
  };

  /** Until the operation is done, or the time is over. */
  const follow = async (id: string, { headers }: Sent, until: number, signal: AbortSignal): Promise<void> => {
    const look = async (waitSeconds: number) => {
      const own = new Headers({ prefer: `wait=${waitSeconds}` });
      const authorization = headers.get('authorization');
      if (authorization !== null) own.set('authorization', authorization);
      const url = `${base}/operations/${encodeURIComponent(id)}`;
      const response = await repeated({ method: 'GET', url, headers: own, body: undefined }, until, signal);
      return { operation: (await response.json()) as Operation, headers: response.headers };
    };
    await poll(look, { waitSeconds: WAIT_SECONDS, until, timing, signal });
  };

  return async (request: Request): Promise<Response> => {
    const { method, url, signal } = request;
    const headers = new Headers(request.headers);
    const isWrite = method !== 'GET';
    if (isWrite && !headers.has(KEY_HEADER)) headers.set(KEY_HEADER, crypto.randomUUID());
    const body = isWrite ? (await request.text()) || undefined : undefined;
    const sent = { method, url, headers, body };
    const until = timing.now() + bounds.totalMs;
    const attempts = { count: 0 };
    try {
      return await repeated(sent, until, signal, attempts);
    } catch (error) {
      const id = error instanceof GatewayProblem && error.code === 'still_running' ? error.operationId : undefined;
      if (id === undefined || signal.aborted || attempts.count >= bounds.attempts) throw error;
      // The operation may go on all the same, and only the first problem says which it is.
      await follow(id, sent, until, signal).catch((thrown: unknown) => {
        throw signal.aborted ? thrown : error;
      });
      if (timing.now() >= until) throw error;
      // The repetition of a write whose operation is done gets its answer.
      return await repeated(sent, until, signal, attempts).catch((thrown: unknown) => {
        throw !signal.aborted && isRepeatable(thrown) ? error : thrown;
      });
    }
  };
};
