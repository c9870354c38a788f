/** A draft as bytes, and as a command that a person can repeat. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { type Exchange, exchange } from '../support/wire.js';
import { type CallerName, type Coding, type Draft, filled, type Kept } from './draft.js';

/** Headers of each caller. */
export type Credentials = Readonly<Record<CallerName, readonly (readonly [string, string])[]>>;

export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
  /** All of it. */
  readonly bytes: Buffer;
  /** Whether the connection ended before all was sent. */
  readonly isHalf: boolean;
}

const BOMB_BYTES = 8 * 1_048_576;
/** The same for all. */
const bomb = gzipSync(Buffer.alloc(BOMB_BYTES, 0x20));

const coded = (body: Buffer, coding: Coding): Buffer => {
  switch (coding) {
    case 'gzip':
      return gzipSync(body);
    case 'br':
      return brotliCompressSync(body);
    case 'deflate':
      return deflateSync(body);
    case 'cut':
      return gzipSync(body).subarray(0, 12);
    case 'bomb':
      return bomb;
    default:
      return body;
  }
};

const ENCODING_NAMES: Readonly<Record<Coding, string | undefined>> = {
  identity: undefined,
  gzip: 'gzip',
  br: 'br',
  deflate: 'deflate',
  wrong: 'gzip',
  cut: 'gzip',
  bomb: 'gzip',
  unknown: 'compress, x-none',
};

const inChunks = (body: Buffer): Buffer => {
  const half = Math.ceil(body.length / 2);
  const parts = [body.subarray(0, half), body.subarray(half)].filter((part) => part.length > 0);
  const chunks = parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
};

const framed = (body: Buffer, framing: Draft['framing']): { readonly fields: [string, string][]; readonly bytes: Buffer } => {
  switch (framing) {
    case 'length':
      return { fields: [['Content-Length', String(body.length)]], bytes: body };
    case 'half':
      return { fields: [['Content-Length', String(body.length + 1)]], bytes: body };
    case 'extra':
      return { fields: [['Content-Length', String(Math.max(body.length - 1, 0))]], bytes: body };
    case 'chunked':
      return { fields: [['Transfer-Encoding', 'chunked']], bytes: inChunks(body) };
    case 'both':
      return {
        fields: [
          ['Content-Length', String(body.length)],
          ['Transfer-Encoding', 'chunked'],
        ],
        bytes: inChunks(body),
      };
    case 'none':
      return { fields: [], bytes: Buffer.alloc(0) };
  }
};

const has = (headers: Draft['headers'], name: string): boolean => headers.some(([each]) => each.toLowerCase() === name);

export const prepare = (draft: Draft, credentials: Credentials, kept: Kept): Sent => {
  const { method, caller, coding, framing } = draft;
  const target = filled(draft.target, kept);
  const body = draft.body === undefined ? undefined : coded(Buffer.from(filled(draft.body, kept)), coding);
  const encoding = ENCODING_NAMES[coding];
  const frame = body && framed(body, framing);
  const given = draft.headers.map(([name, value]) => [name, filled(value, kept)] as const);
  const fields = [
    ...(has(given, 'host') ? [] : [['Host', 'localhost'] as const]),
    ...(has(given, 'authorization') || has(given, 'x-api-key') ? [] : credentials[caller]),
    ...given,
    ...(body && encoding !== undefined ? [['Content-Encoding', encoding] as const] : []),
    ...(frame?.fields ?? []),
    ['Connection', 'close'] as const,
  ];
  const head = [`${method} ${target} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  const bytes = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), frame?.bytes ?? Buffer.alloc(0)]);
  return { method, target, fields, body, bytes, isHalf: body !== undefined && framing === 'half' };
};

export const transmit = (url: string, { bytes, isHalf }: Sent): Promise<Exchange> =>
  exchange(url, [bytes], { halfClose: isHalf });

const MAX_SHOWN = 4_000;

const quoted = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text)
    ? `'${text.replaceAll("'", "'\\''")}'`
    : `$'${[...Buffer.from(text)].map((byte) => (byte > 0x1f && byte < 0x7f && byte !== 0x27 && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)).join('')}'`;

/** Keys are left to the environment. @param names of the keys, by key */
export const toCurl = (url: string, { method, target, fields, body }: Sent, names: ReadonlyMap<string, string>): string => {
  const headers = fields
    .filter(([name]) => name !== 'Connection')
    .map(([name, value]) => {
      const key = [...names.keys()].find((each) => value.includes(each));
      return key === undefined
        ? `-H ${quoted(`${name}: ${value}`)}`
        : `-H "${name}: ${value.replace(key, `$${names.get(key)}`)}"`;
    });
  const data = body === undefined ? [] : ['--data-binary @-'];
  const command = [
    'curl -sSi --path-as-is -X',
    quoted(method),
    ...headers,
    ...data,
    '--request-target',
    quoted(target),
    quoted(url),
  ].join(' ');
  if (body === undefined) return command;
  const text = body.subarray(0, MAX_SHOWN).toString('base64');
  const cut = body.length > MAX_SHOWN ? ` # the first ${MAX_SHOWN} of ${body.length} bytes` : '';
  return `echo ${text} | base64 -d | ${command}${cut}\n  body: ${JSON.stringify(body.subarray(0, 300).toString('utf8'))}`;
};
