/** Bytes on a connection, and the answers in them, read strictly and without a client that would mend either. */
import { connect } from 'node:net';

export interface WireAnswer {
  readonly status: number;
  /** As they came: names in any case, repeated ones too. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface Exchange {
  /** All that came until the connection ended. */
  readonly bytes: Buffer;
  readonly ms: number;
  /** Whether the end was no proper one. */
  readonly isReset: boolean;
  /** Whether nobody ended it. */
  readonly isSilent: boolean;
}

export interface ExchangeOptions {
  /** Ends our side once all is written. */
  readonly halfClose?: boolean | undefined;
  readonly silenceMs?: number;
}

const MAX_BYTES = 32 * 1_048_576;
/** A connection on which nothing happens for so long is one that nobody ends. */
const MAX_SILENCE_MS = 20_000;

/** Writes these bytes and reads until the other side ends the connection. */
export const exchange = (
  url: string,
  sent: readonly (string | Uint8Array)[],
  { halfClose = false, silenceMs = MAX_SILENCE_MS }: ExchangeOptions = {},
): Promise<Exchange> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const chunks: Buffer[] = [];
    const since = performance.now();
    let bytes = 0;
    let isReset = false;
    let isSilent = false;
    let isConnected = false;
    const socket = connect(Number(port), hostname, () => {
      isConnected = true;
      for (const part of sent) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
      if (halfClose) socket.end();
    });
    socket.setTimeout(silenceMs, () => {
      isSilent = true;
      socket.destroy();
    });
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) socket.destroy(new Error('the answer is too long'));
      else chunks.push(chunk);
    });
    socket.once('error', (error) => {
      isReset = true;
      if (!isConnected) reject(error);
    });
    socket.once('close', () => resolve({ bytes: Buffer.concat(chunks), ms: performance.now() - since, isReset, isSilent }));
  });

export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

const malformed = (what: string, bytes: Buffer): never => {
  throw new MalformedAnswer(`${what}: ${JSON.stringify(bytes.subarray(0, 2_000).toString('latin1'))}`);
};

const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e]*$/;
/** Without control characters and characters beyond ASCII (RFC 9110, section 5.5). */
const FIELD = /^([!#$%&'*+.^_`|~\w-]+): ?([\t\x20-\x7e]*)$/;

export const valuesOf = ({ fields }: Pick<WireAnswer, 'fields'>, name: string): string[] =>
  fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);

const readChunks = (bytes: Buffer, from: number): { readonly body: Buffer; readonly end: number } => {
  const parts: Buffer[] = [];
  for (let at = from; at < bytes.length; ) {
    const line = bytes.indexOf('\r\n', at);
    const digits = line === -1 ? '' : bytes.subarray(at, line).toString('latin1');
    if (!/^[0-9a-f]+$/i.test(digits)) return malformed('a chunk has no size', bytes.subarray(at));
    const size = Number.parseInt(digits, 16);
    const data = line + 2;
    if (size === 0) return { body: Buffer.concat(parts), end: data + 2 };
    parts.push(bytes.subarray(data, data + size));
    at = data + size + 2;
  }
  return malformed('the last chunk is missing', bytes.subarray(from));
};

const readBody = (
  answer: Pick<WireAnswer, 'fields' | 'status'>,
  isHead: boolean,
  bytes: Buffer,
  from: number,
): { readonly body: Buffer; readonly end: number } => {
  const { status } = answer;
  if (isHead || status < 200 || status === 204 || status === 304) return { body: Buffer.alloc(0), end: from };
  const [length] = valuesOf(answer, 'content-length');
  if (valuesOf(answer, 'transfer-encoding').length > 0) return readChunks(bytes, from);
  if (length === undefined) return { body: bytes.subarray(from), end: bytes.length };
  if (!/^\d+$/.test(length)) return malformed('Content-Length is no number', bytes);
  const end = from + Number(length);
  if (end > bytes.length) return malformed('the body is shorter than Content-Length', bytes);
  return { body: bytes.subarray(from, end), end };
};

/**
 * All answers on a connection, interim ones included.
 * @param methods of the requests in their order; the last one counts for all that follow
 * @throws MalformedAnswer
 */
export const answersIn = (bytes: Buffer, methods: readonly string[] = []): WireAnswer[] => {
  const answers: WireAnswer[] = [];
  let requests = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) return malformed('no end of the headers', bytes.subarray(at));
    const [first = '', ...lines] = bytes.subarray(at, end).toString('latin1').split('\r\n');
    const [, status] = STATUS_LINE.exec(first) ?? malformed('no status line', bytes.subarray(at));
    const fields = lines.map((line) => {
      const [, name = '', value = ''] = FIELD.exec(line) ?? malformed('not a header', Buffer.from(line));
      return [name, value] as const;
    });
    const head = { status: Number(status), fields };
    const method = methods[Math.min(requests, methods.length - 1)];
    const { body, end: next } = readBody(head, method === 'HEAD', bytes, end + 4);
    answers.push({ ...head, body });
    if (head.status >= 200) requests++;
    at = next;
  }
  return answers;
};

export const jsonOf = ({ body }: WireAnswer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};
