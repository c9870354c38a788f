import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { isAxiosError } from 'axios';
import { deadlinePassed } from '../deadline.js';
import { GatewayError } from '../errors.js';
import type { HttpRequest, HttpResponse } from './client.js';

/** One attempt over the network. @throws vendor_unavailable, vendor_timeout */
export type Transport = (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse>;

/** E-HPC runs commands on the cluster while the caller waits, so an attempt gets longer than usual. */
const ATTEMPT_TIMEOUT_MS = 60_000;
const LARGEST_ANSWER_BYTES = 16 * 1024 * 1024;

/** The connection never stood: the vendor cannot have seen the request. */
const NEVER_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const TIMED_OUT: ReadonlySet<string> = new Set(['ECONNABORTED', 'ETIMEDOUT']);

/** Redacts at the source: axios' errors carry the URL, the headers and the body, so only the code goes on. */
const toGatewayError = (error: unknown, signal: AbortSignal): GatewayError => {
  if (signal.aborted) return deadlinePassed();
  const code = (isAxiosError(error) && error.code) || 'ERR_NETWORK';
  const cause = new Error(code);
  if (TIMED_OUT.has(code)) return new GatewayError('vendor_timeout', 'The vendor did not answer in time.', { cause });
  if (isAxiosError(error) && error.message.startsWith('maxContentLength'))
    return new GatewayError('vendor_bad_response', 'The vendor sent more than the gateway takes.', { cause });
  return new GatewayError('vendor_unavailable', `The connection to the vendor failed (${code}).`, {
    cause,
    effect: NEVER_SENT.has(code) ? 'none' : 'open',
  });
};

const plainHeaders = (headers: object): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));

/**
 * The only place that uses axios: keep-alive connections, no redirects (they would resend a signed request elsewhere), no proxy from the
 * environment, every status is an answer (E-HPC uses 406 and 407 for its own errors).
 */
export const createTransport = (userAgent: string): Transport & { close(): void } => {
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 64 });
  const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: 64 });
  const client = axios.create({
    httpAgent,
    httpsAgent,
    proxy: false,
    maxRedirects: 0,
    timeout: ATTEMPT_TIMEOUT_MS,
    maxContentLength: LARGEST_ANSWER_BYTES,
    responseType: 'text',
    validateStatus: () => true,
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
  });

  const send: Transport = async ({ method, url, headers, body }, signal) => {
    try {
      const answer = await client.request<string>({
        method,
        url,
        headers: { 'user-agent': userAgent, accept: 'application/json', ...headers },
        ...(body !== undefined && { data: body }),
        signal,
      });
      return { status: answer.status, headers: plainHeaders(answer.headers), body: String(answer.data ?? '') };
    } catch (error) {
      throw toGatewayError(error, signal);
    }
  };

  return Object.assign(send, {
    close: () => {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  });
};
