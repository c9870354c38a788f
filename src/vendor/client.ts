import type { Call } from '../adapter.js';
import type { Clock } from '../clock.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { ErrorCode } from '../model.js';
import { ownTurn } from '../own-turn.js';
import type { Secret } from '../secret.js';
import { childOf, type Trace, traceparentOf } from '../telemetry/trace.js';
import { isGivenUp } from './breaker.js';
import type { VendorClock } from './clock.js';
import { createLines, type Lines } from './lines.js';
import { createPolicy } from './policy.js';
import { isClosedMeanwhile, type Transport } from './transport.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Complete and encoded; sent as it is. May hold signatures: never log it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent byte for byte, in UTF-8. */
  readonly body?: string;
  /** Whether it may leave now: asked right before the first byte, on a connection that stands. By default it may. */
  mayLeave?(): boolean;
}

/** A request that is signed, as adapters build it. */
export interface SignedRequest extends HttpRequest {
  /** What is in it and must not be shown where the vendor sends it back: its signature, and keys that the account's settings do not have. */
  readonly secrets: readonly Secret[];
}

export type Build = () => SignedRequest | Promise<SignedRequest>;

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body is not needed any more. */
  release?(): void;
}

/** A call that was made, or tried. */
export interface CallSeen {
  readonly kind: SendOptions['kind'];
  readonly action: string;
  readonly cluster: string | undefined;
  /** From 1: a reading that failed is tried again. */
  readonly attempt: number;
  readonly outcome: 'ok' | ErrorCode;
  readonly durationMs: number;
  /** Of a call that is traced, as far as it came; without its URL, which may hold signatures. */
  readonly http:
    | { readonly method: string; readonly host: string; readonly port: number; readonly status: number | undefined }
    | undefined;
  readonly trace: Trace | undefined;
  /** Of the request of ours that it was made for. */
  readonly requestId: string;
  /** The vendor's name of the call, where they gave one, as it may be shown: that takes a while, so it is found out when it is asked for. */
  vendorRequestId(): string | null;
  /** The one who asked left before the end, which says nothing about the vendor. */
  readonly isGivenUp: boolean;
}

export interface HttpClientOptions {
  readonly lines?: Lines;
  /** Hears of every call. */
  onCall?(call: CallSeen): void;
}

export interface SendOptions {
  /** A read changes nothing and is retried; a write is sent once. */
  readonly kind: 'read' | 'write';
  /** The vendor's name of what is called. */
  readonly action: string;
  /** The cluster that it concerns, by the vendor's id; absent where it concerns the account. */
  readonly cluster?: string | undefined;
  /** On whose behalf. */
  readonly call: Call;
}

export interface HttpClient {
  /**
   * Sends one vendor call. A failure before the first byte of the request was written has the effect `none`.
   * @param build makes the request, and may have to wait for its keys; runs once per attempt, so that each carries a fresh time, nonce and signature
   * @param read turns the answer into a result or throws what it means as a GatewayError; no status is an error by itself
   * @param nameOf the vendor's name of the call in its result, where they gave one
   * @throws vendor_unavailable, vendor_timeout, vendor_rate_limited where the budget is empty, internal_error where `build` fails, or what
   * `read` throws; of a read no `invalid_user`
   */
  send<T>(
    build: Build,
    read: (response: HttpResponse) => T,
    options: SendOptions,
    nameOf?: (result: T) => string | null,
  ): Promise<T>;
}

/**
 * A kept connection that the vendor has closed meanwhile: a reading is sent once more, on another one. A write is not: its sender has to
 * know that it may have been made twice.
 */
const onFreshConnection = (
  send: () => Promise<HttpResponse>,
  { kind }: SendOptions,
  signal: AbortSignal,
): Promise<HttpResponse> =>
  send().catch((thrown: unknown) => {
    if (kind === 'write' || signal.aborted || !isClosedMeanwhile(thrown)) throw thrown;
    return send();
  });

const isSkew = (error: unknown): boolean => error instanceof GatewayError && error.code === 'vendor_clock_skew';

/** A reading carries parameters of the gateway's own: that the vendor refuses one says nothing about a user. */
const refusedReading = (thrown: unknown): never => {
  const error = asGatewayError(thrown);
  throw error.code === 'invalid_user'
    ? error.withMessage('The vendor refused a parameter of a reading of the gateway.', 'vendor_bad_response')
    : error;
};

/** A call under way. */
interface Course {
  readonly trace: Trace | undefined;
  http: CallSeen['http'];
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** The request; a failure to build it changed nothing. */
const built = async (build: Build, { scope, mayLeave }: Call, course: Course): Promise<HttpRequest> => {
  try {
    const { secrets, ...given } = await build();
    for (const secret of secrets) scope?.secrets.add(secret);
    const request = mayLeave ? { ...given, mayLeave } : given;
    if (!course.trace) return request;
    const { hostname: host, port, protocol } = new URL(request.url);
    course.http = { method: request.method, host, port: Number(port) || (DEFAULT_PORTS[protocol] ?? 0), status: undefined };
    return { ...request, headers: { ...request.headers, traceparent: traceparentOf(course.trace) } };
  } catch (thrown) {
    throw asGatewayError(thrown).withEffect('none');
  }
};

/**
 * The client of one vendor account: its policies and its signing clock over the shared transport. A call that the vendor refused for a
 * skewed clock is sent once more with the time of the vendor's `Date` header, a write too: the refused one changed nothing.
 */
export const createHttpClient = (
  transport: Transport,
  vendorClock: VendorClock,
  clock: Clock,
  { lines = createLines(clock), onCall = () => undefined }: HttpClientOptions = {},
): HttpClient => {
  const policy = createPolicy(lines, clock);

  /** The call, of which others hear how it ended. */
  const watched = async <T>(
    attemptOn: (course: Course) => Promise<T>,
    { kind, action, cluster, call: { requestId, scope, tally } }: SendOptions,
    signal: AbortSignal,
    attempt: number,
    nameOf: (result: T) => string | null,
  ): Promise<T> => {
    const beganAt = clock.monotonic();
    if (tally) tally.calls++;
    const course: Course = { trace: scope?.trace && childOf(scope.trace), http: undefined };
    const note = (outcome: CallSeen['outcome'], name: string | null | undefined): void => {
      const durationMs = clock.monotonic() - beganAt;
      const vendorRequestId = (): string | null => (name && scope ? scope.shownId(name) : null);
      const isLeft = outcome === 'vendor_timeout' && isGivenUp(signal);
      const { trace, http } = course;
      onCall({ kind, action, cluster, attempt, outcome, durationMs, http, trace, requestId, vendorRequestId, isGivenUp: isLeft });
    };
    try {
      const result = await attemptOn(course);
      note('ok', nameOf(result));
      return result;
    } catch (thrown) {
      const error = asGatewayError(thrown);
      note(error.code, error.vendor?.requestId);
      throw thrown;
    }
  };

  return {
    send: (build, read, options, nameOf = () => null) => {
      const taken = (response: HttpResponse) => {
        try {
          return read(response);
        } finally {
          response.release?.();
        }
      };
      const exchange = async (signal: AbortSignal, course: Course): Promise<HttpResponse> => {
        const sentAt = clock.now();
        const response = await onFreshConnection(
          async () => transport(await built(build, options.call, course), signal),
          options,
          signal,
        );
        if (course.http) course.http = { ...course.http, status: response.status };
        vendorClock.noteDate(response.headers['date'], sentAt);
        await ownTurn(options.call.owner);
        return response;
      };
      const attempt = async (signal: AbortSignal, course: Course) => {
        const signedAt = vendorClock.now();
        const response = await exchange(signal, course);
        try {
          return taken(response);
        } catch (error) {
          if (!isSkew(error) || !vendorClock.correct(response.headers['date'], signedAt)) throw error;
        }
        const again = await exchange(signal, course);
        try {
          return taken(again);
        } catch (error) {
          if (isSkew(error)) vendorClock.reset();
          throw error;
        }
      };
      let attempts = 0;
      const answer = policy(
        (signal) => watched((course) => attempt(signal, course), options, signal, ++attempts, nameOf),
        options,
      );
      return options.kind === 'read' ? answer.catch(refusedReading) : answer;
    },
  };
};
