/** Ways in which a secret may be written somewhere. Shares no code with the gateway, which has its own ways to find them. */
import { createHash } from 'node:crypto';

/** A secret is known by so many characters at its begin, or at its end: a text that was cut shows as well. */
const PIECE = 9;
/** Of base64: of the characters that hold whole pieces alone. */
const BASE64_BITS = 6;

const eachUnit = (text: string, write: (code: number) => string): string =>
  Array.from({ length: text.length }, (_, at) => write(text.charCodeAt(at))).join('');

const hexOf = (code: number, length: number): string => code.toString(16).padStart(length, '0');

const percentRfc = (text: string): string =>
  eachUnit(text, (code) => (/[\w.~-]/.test(String.fromCharCode(code)) ? String.fromCharCode(code) : `%${hexOf(code, 2)}`));
const percentUri = (text: string): string => encodeURIComponent(text);
const percentAll = (text: string): string => eachUnit(text, (code) => `%${hexOf(code, 2)}`);
const form = (text: string): string => percentRfc(text).replaceAll('%20', '+').replaceAll('~', '%7e').replaceAll('%2a', '*');
const NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const html = (text: string): string => text.replace(/[&<>"']/g, (mark) => NAMES[mark] ?? mark);
const htmlApos = (text: string): string => html(text).replaceAll('&#39;', '&apos;');
const json = (text: string): string => JSON.stringify(text).slice(1, -1);
const htmlJson = (text: string): string => text.replace(/[<>&'+]/g, (mark) => `\\u${hexOf(mark.charCodeAt(0), 4)}`);

/** Each writes a text piece by piece, so that a piece of the text is a piece of what is written. */
const WRITERS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  percent: percentRfc,
  'percent, some marks kept': percentUri,
  'percent twice': (text) => percentRfc(percentRfc(text)),
  'percent twice, some marks kept': (text) => percentUri(percentUri(text)),
  'percent three times': (text) => percentRfc(percentRfc(percentRfc(text))),
  'percent, every byte': percentAll,
  'percent, every byte, twice': (text) => percentRfc(percentAll(text)),
  form,
  'form twice': (text) => form(form(text)),
  'HTML names': html,
  'HTML names with apos': htmlApos,
  'HTML names twice': (text) => html(html(text)),
  'HTML numbers': (text) => eachUnit(text, (code) => `&#${code};`),
  'HTML marks as numbers': (text) => text.replace(/\W/g, (mark) => `&#${mark.charCodeAt(0)};`),
  'HTML hex': (text) => eachUnit(text, (code) => `&#x${code.toString(16)};`),
  'escapes \\u': (text) => eachUnit(text, (code) => `\\u${hexOf(code, 4)}`),
  'escapes \\u in JSON': (text) => eachUnit(text, (code) => `\\\\u${hexOf(code, 4)}`),
  'escapes \\u in JSON in JSON': (text) => eachUnit(text, (code) => `\\\\\\\\u${hexOf(code, 4)}`),
  'escapes \\u of marks': htmlJson,
  'escapes \\u of marks in JSON': (text) => json(htmlJson(text)),
  'escapes \\x': (text) => eachUnit(text, (code) => `\\x${hexOf(code, 2)}`),
  JSON: json,
  'JSON in JSON': (text) => json(json(text)),
  'JSON in JSON in JSON': (text) => json(json(json(text))),
  hex: (text) => Buffer.from(text).toString('hex'),
  'hex with blanks': (text) => eachUnit(text, (code) => `${hexOf(code, 2)} `).trimEnd(),
  'UTF-16': (text) => Buffer.from(text, 'utf16le').toString('latin1'),
};

/** The characters of base64 that are the same whatever is around the bytes, for each of the three places where they may begin. */
const base64Cores = (bytes: Buffer): string[] =>
  [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(3)]).toString('base64');
    return text.slice(Math.ceil((before * 8) / BASE64_BITS), Math.floor(((before + bytes.length) * 8) / BASE64_BITS));
  });

const inUrls = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');

export interface Needle {
  readonly spelling: string;
  /** Bytes as characters; upper and lower case count alike. */
  readonly text: string;
}

const piecesOf = (text: string): string[] => [text.slice(0, PIECE), text.slice(-PIECE)];

const reversed = (text: string): string => [...text].reverse().join('');

/** @param secret of ASCII characters */
export const needlesOf = (secret: string): Needle[] => {
  const written = Object.entries(WRITERS).flatMap(([spelling, write]) =>
    piecesOf(secret).map((piece) => ({ spelling, text: write(piece) })),
  );
  const backwards = piecesOf(secret).map((piece) => ({ spelling: 'reversed', text: reversed(piece) }));
  const base64 = piecesOf(secret)
    .flatMap((piece) => [piece, percentRfc(piece), Buffer.from(piece).toString('base64')])
    .flatMap((piece) => base64Cores(Buffer.from(piece)))
    .flatMap((core) => [core, percentRfc(core), inUrls(core)].map((text) => ({ spelling: 'base64', text })));
  const hashes = ['md5', 'sha1', 'sha256'].flatMap((name) => {
    const hash = createHash(name).update(secret).digest();
    const texts = [
      hash.toString('hex'),
      hash.toString('base64').replace(/=+$/, ''),
      hash.toString('base64url'),
      hash.toString('latin1'),
    ];
    return texts.map((text) => ({ spelling: name, text }));
  });
  return [...written, ...backwards, ...base64, ...hashes];
};

/** Of bytes that are no text, such as a key. */
export const needlesOfBytes = (bytes: Buffer): Needle[] => [
  { spelling: 'bytes', text: bytes.toString('latin1') },
  { spelling: 'hex', text: bytes.toString('hex') },
  ...base64Cores(bytes).flatMap((core) => [core, inUrls(core), percentRfc(core)].map((text) => ({ spelling: 'base64', text }))),
];
