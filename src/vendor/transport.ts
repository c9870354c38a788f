import axios, { type AxiosAdapter } from 'axios';
import { type Clock, systemClock } from '../clock.js';
import { deadlinePassed, limitOf } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import { isObject } from '../wire.js';
import { type AnswerBytes, createAnswerBytes } from './answer-bytes.js';
import type { HttpRequest, HttpResponse } from './client.js';
import { CONNECT_TIMEOUT, type ConnectorOptions, createConnector, proxyAnswer } from './connector.js';
import { type Answer, CROWDED, createExchanges, HELD_BACK, type Progress, type Stage, TOO_LARGE } from './exchange.js';

/**
 * One attempt over the network. Whatever fails before the first byte of the request was written has the effect `none`.
 * @throws vendor_unavailable, vendor_timeout, vendor_bad_response where the answer is too large
 */
export type Transport = (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse>;

export type ClosableTransport = Transport & { close(): void };

export interface TransportOptions extends ConnectorOptions {
  /** Of all answers of all transports. */
  readonly answerBytes?: AnswerBytes;
  readonly clock?: Clock;
  /** Bound of a whole attempt, the body of its answer included. */
  readonly callMs?: number;
  /** Bound of establishing a connection. */
  readonly connectMs?: number;
}

const CALL_MS = 30_000;
const CONNECT_MS = 10_000;
/** Of all answers at once. */
export const MAX_BYTES_AT_ONCE = 64 * 1024 * 1024;

const CROWDED_RETRY_MS = 1_000;

const codeOf = (error: unknown): string => {
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' ? code : 'ERR_NETWORK';
};

/** Codes for a connection that the other side has closed. */
const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET']);

/** Failures of requests on kept connections that the vendor had closed by then. */
const closedMeanwhile = new WeakSet<GatewayError>();

export const isClosedMeanwhile = (error: unknown): boolean => error instanceof GatewayError && closedMeanwhile.has(error);

/** Redacts at the source: errors may carry the URL, the headers and the body, so only the code is passed on. */
const causeOf = (error: unknown): Error => new Error(codeOf(error));

/** Node's codes for what is the proxy's fault, where there is one: it looks up the vendor's name, and connects to it. */
const NOT_REACHED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

const notConnected = (error: unknown, connectMs: number, hasProxy: boolean): GatewayError => {
  const code = codeOf(error);
  if (code === HELD_BACK)
    return new GatewayError('vendor_unavailable', 'Another process works for this account now. Nothing was sent.', {
      effect: 'none',
    });
  const refusal = proxyAnswer(code);
  if (refusal !== undefined) {
    const help = refusal === '407' ? '; its URL in the configuration needs a user and a password' : '';
    const message = `The proxy of the account opened no tunnel to the vendor (it answered ${refusal}${help}). Nothing was sent.`;
    return new GatewayError('vendor_unavailable', message, { cause: causeOf(error), effect: 'none' });
  }
  const proxied = NOT_REACHED.has(code) ? 'the proxy of the account' : 'the vendor through the proxy of the account';
  const whom = hasProxy ? proxied : 'the vendor';
  const what = code === CONNECT_TIMEOUT ? `in ${connectMs / 1000} s` : `(${code})`;
  return new GatewayError('vendor_unavailable', `The gateway could not connect to ${whom} ${what}. Nothing was sent.`, {
    cause: causeOf(error),
    effect: 'none',
  });
};

/** The vendor did nothing wrong. */
const crowded = (): GatewayError =>
  new GatewayError('too_busy', 'Answers of vendors were more than the gateway takes at once, and this one was given up.', {
    effect: 'open',
    retryAfterMs: CROWDED_RETRY_MS,
  });

const interrupted = (error: unknown): GatewayError => {
  const code = codeOf(error);
  if (code === CROWDED) return crowded();
  const cause = causeOf(error);
  return code === TOO_LARGE
    ? new GatewayError('vendor_bad_response', 'The vendor sent more than the gateway takes.', { cause })
    : new GatewayError('vendor_unavailable', `The connection to the vendor failed (${code}).`, { cause });
};

const late = (callMs: number, stage: Stage): GatewayError =>
  stage === 'sent'
    ? new GatewayError('vendor_timeout', `The vendor did not answer in ${callMs / 1000} s.`)
    : new GatewayError('vendor_timeout', `No connection to the vendor was established in ${callMs / 1000} s. Nothing was sent.`, {
        effect: 'none',
      });

const plainHeaders = (headers: object): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/**
 * The only place that uses axios, with undici under it: kept connections, no redirects (they would resend a signed request elsewhere), a proxy
 * only where the account has one, every status is an answer (E-HPC uses 406 and 407 for its own errors).
 */
export const createTransport = (
  userAgent: string,
  {
    clock = systemClock,
    callMs = CALL_MS,
    connectMs = CONNECT_MS,
    answerBytes = createAnswerBytes(MAX_BYTES_AT_ONCE),
    ...options
  }: TransportOptions = {},
): ClosableTransport => {
  const exchanges = createExchanges(createConnector(clock, connectMs, options), answerBytes);
  const client = axios.create({
    validateStatus: () => true,
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
  });

  const send: Transport = async ({ method, url, headers, body, mayLeave = () => true }, signal) => {
    const progress: Progress = { stage: 'building', isReused: false, hasAnswer: false, release: () => undefined };
    const limit = limitOf(clock, callMs, signal);
    // The headers of an answer are read here: axios would make objects of its own of them.
    let answer: Answer | undefined;
    const adapter: AxiosAdapter = async (config) => {
      const exchange = {
        method,
        url,
        headers: config.headers.toJSON() as Record<string, string>,
        body,
        signal: limit.signal,
        mayLeave,
      };
      answer = await exchanges.run(exchange, progress);
      const { status, body: data } = answer;
      return { status, statusText: '', headers: {}, data, config };
    };
    try {
      const { status, data } = await client.request<string>({
        method,
        url,
        headers: { 'user-agent': userAgent, accept: 'application/json', 'accept-encoding': 'identity', ...headers },
        adapter,
      });
      return { status, headers: plainHeaders(answer?.headers ?? {}), body: data, release: progress.release };
    } catch (error) {
      progress.release();
      const { stage } = progress;
      if (signal.aborted) throw deadlinePassed(stage === 'sent' ? 'open' : 'none');
      if (limit.signal.aborted) throw late(callMs, stage);
      if (stage === 'building') throw asGatewayError(causeOf(error)).withEffect('none');
      if (stage !== 'sent') throw notConnected(error, connectMs, options.proxy !== undefined);
      const failure = interrupted(error);
      if (progress.isReused && !progress.hasAnswer && CLOSED.has(codeOf(error))) {
        closedMeanwhile.add(failure);
        exchanges.dropIdle();
      }
      throw failure;
    } finally {
      limit.stop();
    }
  };

  return Object.assign(send, { close: exchanges.close });
};
