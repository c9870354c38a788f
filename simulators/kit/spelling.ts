/** How a vendor may write a value that it repeats. */

const percent = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

const inLowerCase = (encoded: string): string => encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

const everyByte = (text: string): string =>
  Array.from(bytes(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

/** Code units, so that a pair of surrogates becomes two escapes, as in JSON. */
const unicode = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const reversedCase = (text: string): string =>
  Array.from(text, (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase())).join('');

export const SPELL = {
  plain: (text) => text,
  percent,
  'percent-lower': (text) => inLowerCase(percent(text)),
  'percent-twice': (text) => percent(percent(text)),
  'percent-twice-lower': (text) => inLowerCase(percent(inLowerCase(percent(text)))),
  'percent-every': everyByte,
  form: (text) => new URLSearchParams([['', text]]).toString().slice(1),
  base64: (text) => bytes(text).toString('base64'),
  base64url: (text) => bytes(text).toString('base64url'),
  hex: (text) => bytes(text).toString('hex'),
  'hex-upper': (text) => bytes(text).toString('hex').toUpperCase(),
  html: (text) => text.replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark),
  'html-decimal': (text) => Array.from(text, (letter) => `&#${letter.codePointAt(0)};`).join(''),
  'html-hex': (text) => Array.from(text, (letter) => `&#x${letter.codePointAt(0)?.toString(16)};`).join(''),
  /** Still escaped after the answer was parsed. */
  unicode,
  json: (text) => JSON.stringify({ value: text }),
  'json-twice': (text) => JSON.stringify(JSON.stringify({ value: text })),
  'reversed-case': reversedCase,
} satisfies Record<string, (text: string) => string>;

export type Spelling = keyof typeof SPELL;
export const SPELLINGS = Object.keys(SPELL) as Spelling[];
