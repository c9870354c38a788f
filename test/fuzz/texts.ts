/** Texts: those that are likely to mean something here, and those that are likely to hurt. */
import fc from 'fast-check';

/** Names of users and clusters that are there in `world.ts`, and some that are not. */
const READY = ['ali', 'shan'];
const CLUSTERS = [
  ...READY,
  ...READY,
  ...READY,
  ...READY,
  ...READY,
  'ali-broken',
  'ali-missing',
  'shan-shared',
  'shan-stopped',
  'nowhere',
];
const NAMES = ['user.0001', 'user.0002', 'user.0010', 'u0000', 'u0001', 'u0007', 'fuzz0001', 'fuzz0002', 'fuzz0003', 'batch'];
export const PASSWORDS = ['Choose@Your0wn', 'Choose@Your0wn2', 'kUISjs@kkkkkk!', 'Abc1~!@#$%^&*()_+='];

/** Stand for what earlier answers of the plan had, when the request is sent. */
export const MARKS = ['{{operationId}}', '{{cursor}}', '{{etag}}', '{{username}}', '{{key}}'] as const;

/** By the name of a parameter or member. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  clusterId: CLUSTERS,
  username: [...NAMES, ...Array<string>(NAMES.length).fill('{{username}}')],
  password: PASSWORDS,
  operationId: ['{{operationId}}', '{{operationId}}', `op_${'0'.repeat(32)}`],
  cursor: ['{{cursor}}'],
  'If-Match': ['{{etag}}', '*', '"x"', 'W/"x", {{etag}}'],
  'If-None-Match': ['*'],
  'Idempotency-Key': ['{{key}}', '{{key}}', '"{{key}}"', 'k1'],
  Prefer: ['respond-async', 'wait=0', 'wait=1', 'respond-async, wait=1'],
  search: ['user', '0', 'U00', '.'],
  caller: ['admin', 'reader', 'null'],
  code: ['invalid_request', 'forbidden'],
  directoryMode: ['700', '755'],
};

export const meantFor = (name: string): fc.Arbitrary<string> | undefined => {
  const texts = Object.hasOwn(MEANT, name) ? MEANT[name] : undefined;
  return texts && fc.constantFrom(...texts);
};

const LONG = [255, 256, 257, 1_024, 1_025, 2_048, 2_049, 4_000, 20_000];

/** Half characters, control characters, names of prototypes, numbers that are none, and texts with a meaning to somebody else. */
const HOSTILE = [
  ...['', ' ', '\ud800', 'a\udfffb', '\udc00\ud800', '\0', 'a\0b', '\r\nX-Injected: 1', '\n', '\x1b[31m', '\x7f', '\x85'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'length'],
  ...['NaN', 'Infinity', '-Infinity', '-0', '+1', '1e309', '9007199254740993', '0x10', '1_000', '٣', '1.0', '1,0'],
  ...['null', 'true', 'false', 'undefined', '[]', '{}', '[object Object]', 'a,b,,c', ',', '*', '"', "'", '\\', '`', '%', '%2'],
  ...['..', '../..', '.', '/', '//', '%2f', '%252e%252e', '%00', '%ff', '?', '#', '&', '=', ';', '+', '~', '$', '@', ':'],
  ...['\u202e', '\ufeff', '\u200b', '\u0130', 'ß', 'ﬁ', '𝒜', '👩‍👩‍👧', 'e\u0301', '\u2028', '\uffff', '￾'],
  ...['<script>alert(1)</script>', "' OR 1=1 --", '${7*7}', '{{7*7}}', '$(id)', '`id`', '=1+1', '%s%n', '\u0000\u0001\u0002'],
  ...['2026-02-30T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01', '+275760-09-13T00:00:00Z', '0000-01-01T00:00:00+99:99'],
];

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...HOSTILE), fc.constantFrom(...HOSTILE)).map((parts) => parts.join('')) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('x', '"', '中', '\\', '('), fc.constantFrom(...LONG)).map(([one, n]) => one.repeat(n)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...MARKS) },
);

/** Bytes of a text as UTF-8 would have them, half characters too. */
const bytesOf = (char: string): Buffer => {
  const code = char.codePointAt(0) as number;
  if (code < 0xd800 || code > 0xdfff) return Buffer.from(char);
  return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
};

const encodeAll = (char: string): string =>
  [...bytesOf(char)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');

/** `plain`: what has to be; `all`: everything; `raw`: nothing. Marks are left as they are. */
export const ENCODINGS = ['plain', 'all', 'lower', 'twice', 'raw'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export const percentEncode = (text: string, encoding: Encoding): string => {
  if (encoding === 'raw' || (MARKS as readonly string[]).includes(text)) return text;
  const encode = (char: string): string => (encoding === 'plain' && /[\w.~-]/.test(char) ? char : encodeAll(char));
  const once = [...text].map(encode).join('');
  if (encoding === 'lower') return once.toLowerCase();
  return encoding === 'twice' ? once.replaceAll('%', '%25') : once;
};
