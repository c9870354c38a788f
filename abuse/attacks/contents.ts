/** Bodies that are small on the wire, or cheap to make, and dear to read. */
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';

const MIB = 1024 * 1024;
/** What the gateway inflates a bomb to where nothing stops it. */
const LARGE_BYTES = 64 * MIB;
const TINY_MEMBERS = 349_000;

/** `text` as often as it fits. */
const filled = (bytes: number, text: string): Buffer => Buffer.alloc(bytes - (bytes % text.length), text);

/** Each kind as large as a body may be, and far larger. */
const CONTENTS: Readonly<Record<string, () => Buffer>> = {
  zeros: () => Buffer.alloc(LARGE_BYTES),
  'zeros, 1 MiB': () => Buffer.alloc(MIB),
  arrays: () => filled(LARGE_BYTES, '['),
  'arrays, 1 MiB': () => filled(MIB, '['),
  objects: () => filled(LARGE_BYTES, '{"a":'),
  'objects, 1 MiB': () => filled(MIB, '{"a":'),
  'tiny members, 1 MiB': () => Buffer.from(`{"items":[${'{},'.repeat(TINY_MEMBERS)}{}]}`),
  'tiny members': () => Buffer.from(`{"items":[${'{},'.repeat(LARGE_BYTES / 3)}{}]}`),
  'long string': () => Buffer.from(`{"items":"${'a'.repeat(LARGE_BYTES)}"}`),
  'long string, 1 MiB': () => Buffer.from(`{"items":"${'a'.repeat(MIB - 20)}"}`),
};

const brotli = (content: Buffer, windowBits: number = constants.BROTLI_DEFAULT_WINDOW): Buffer =>
  brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: windowBits },
  });

const COMPRESS: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  gzip: (content) => gzipSync(content),
  deflate: (content) => deflateSync(content),
  br: (content) => brotli(content),
};

export interface Bomb {
  readonly kind: string;
  readonly body: Buffer;
}

/** The largest window of brotli: the most that so few bytes can hold. */
const WINDOW_BYTES = 16 * MIB;

export const bombs = (encoding: string): Bomb[] => {
  const compress = COMPRESS[encoding];
  if (compress === undefined) throw new Error(`there is no encoding ${encoding}`);
  const all = Object.entries(CONTENTS).map(([kind, make]) => ({ kind, body: compress(make()) }));
  if (encoding !== 'br') return all;
  const tiny = [constants.BROTLI_DEFAULT_WINDOW, constants.BROTLI_MAX_WINDOW_BITS].map((bits) => {
    const body = brotli(Buffer.alloc(WINDOW_BYTES), bits);
    return { kind: `${body.length} bytes of 16 MiB, window of ${bits} bits`, body };
  });
  return [...all, ...tiny];
};

const COLUMNS = 100_000;
const EMPTY_LINES = 1_000_000;
const KEYS = 300_000;
/** As many members as a body may hold: the same short name again and again. */
const REPEATED_KEYS = 209_000;

/** As many different names as fit. */
const distinctKeys = (): string => {
  let text = '{"items":[]';
  for (let at = 0; text.length < MIB - 16; at++) text += `,"${at.toString(36)}":1`;
  return `${text}}`;
};

export const WIDE_BODIES: readonly (Bomb & { readonly type: string })[] = [
  { kind: 'CSV of 100,000 columns', type: 'text/csv', body: Buffer.from(`${'a,'.repeat(COLUMNS)}b\n`) },
  {
    kind: 'CSV of 100,000 columns and 8 rows',
    type: 'text/csv',
    body: Buffer.from(`op,username,password${','.repeat(COLUMNS)}\n${`create,x,y${','.repeat(COLUMNS)}\n`.repeat(8)}`),
  },
  { kind: 'CSV of 1,000,000 empty lines', type: 'text/csv', body: Buffer.from(`op,username\n${'\n'.repeat(EMPTY_LINES)}`) },
  { kind: 'JSON of 1 MiB of different keys', type: 'application/json', body: Buffer.from(distinctKeys()) },
  {
    kind: 'JSON of 300,000 keys',
    type: 'application/json',
    body: Buffer.from(`{${Array.from({ length: KEYS }, (_, at) => `"${at.toString(36)}":1`).join(',')}}`),
  },
  {
    kind: 'JSON of 209,000 repeated keys',
    type: 'application/json',
    body: Buffer.from(`{${'"":1,'.repeat(REPEATED_KEYS)}"":1}`),
  },
];

const MAX_ITEMS = 1_000;

/** Every field of every item is wrong. */
export const invalidBatch = (): Buffer =>
  Buffer.from(
    JSON.stringify({
      items: Array.from({ length: MAX_ITEMS }, (_, at) => ({
        op: 'explode',
        username: { at },
        password: at,
        role: ['king'],
        [`unknown${at}`]: null,
        '/~': '\u0000',
      })),
      stopOnError: 'perhaps',
      dryRun: [],
    }),
  );
