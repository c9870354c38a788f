/** One request and its answer: bounded in bytes and time, without redirects. */
import { GatewayUnreachable, UnexpectedAnswer } from './errors.js';
import { MAX_TIMER_MS } from './timing.js';

/** Far more than the largest answer of a gateway. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const STREAMED = /^(application\/x-ndjson|text\/csv)\b/;
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | undefined;
}

const readText = async (response: Response): Promise<string> => {
  if (!response.body) return '';
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength;
    if (bytes > MAX_ANSWER_BYTES) {
      await reader.cancel();
      throw new UnexpectedAnswer(`The answer is over ${MAX_ANSWER_BYTES / 1024 / 1024} MiB.`, response.status);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
};

const codeOf = (error: unknown): string | undefined => {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as Error & { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return undefined;
};

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/;

const unreachable = (origin: string, error: unknown, ms: number): GatewayUnreachable => {
  const code = codeOf(error);
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return new GatewayUnreachable(`The gateway at ${origin} did not answer within ${ms / 1000} s.`, { cause: error });
  const help =
    code !== undefined && CERTIFICATE.test(code)
      ? 'Its certificate is not trusted: check the host name, and name the certificate authority in NODE_EXTRA_CA_CERTS.'
      : 'Check the URL (http or https, host, port), and that the gateway runs there.';
  return new GatewayUnreachable(`The gateway at ${origin} cannot be reached${code ? ` (${code})` : ''}. ${help}`, {
    cause: error,
  });
};

/**
 * The body of the answer is read as a whole, but for streams of lines.
 * @throws GatewayUnreachable; UnexpectedAnswer; the reason of the signal
 */
export const exchange = async (
  fetch: Fetch,
  { url, method, headers, body }: Sent,
  ms: number,
  signal?: AbortSignal,
): Promise<Response> => {
  signal?.throwIfAborted();
  const { origin } = new URL(url);
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(() => controller.abort(new DOMException('timeout', 'TimeoutError')), Math.min(ms, MAX_TIMER_MS));
  let isStreamed = false;
  try {
    const init: RequestInit = {
      method,
      headers,
      redirect: 'manual',
      signal: controller.signal,
      ...(body !== undefined && { body }),
    };
    const response = await fetch(url, init);
    const { status, statusText } = response;
    // Following it would send the key and the passwords to another address.
    if (response.type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304))
      throw new UnexpectedAnswer(`${origin} redirects to another address. Give the URL of the gateway itself.`, status);
    isStreamed = response.ok && STREAMED.test(response.headers.get('content-type') ?? '');
    if (isStreamed) return response;
    const text = await readText(response);
    return new Response(WITHOUT_BODY.has(status) ? null : text, { status, statusText, headers: response.headers });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw error instanceof UnexpectedAnswer ? error : unreachable(origin, error, ms);
  } finally {
    clearTimeout(timer);
    if (!isStreamed) signal?.removeEventListener('abort', stop);
  }
};
