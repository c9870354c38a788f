/** Secrets out of texts, in whatever spelling they come back. */
import type { Secret } from '../secret.js';
import { type Canonical, canonicalOf } from './canonical.js';
import { harmless } from './harmless.js';

export const REDACTED = '[redacted]';

/** Vendors quote the text that they signed, parameters and passwords included, after these words. */
const QUOTED_REQUEST = /(string\s{0,8}to\s{0,8}sign)[\s\S]*/i;

/** What belongs to our requests, not to a message about them. */
const REQUEST_PARTS = /https?:\/\/\S+|\b(?:signature|credential|access_?key_?id|security_?token)=\S+/gi;

/** A message without the request that it quotes. */
export const withoutRequest = (message: string): string =>
  message.replace(QUOTED_REQUEST, `$1 ${REDACTED}`).replace(REQUEST_PARTS, REDACTED);

/** Shorter ones are found only as they are: every text has some spelling of two letters. */
const MIN_SPELT = 4;
const MIN_BASE64 = 6;
/** Characters of base64 on either side of what is found that belong to the secret in part. */
const BASE64_EDGE = 2;
const BASE64 = /^[A-Za-z0-9+/_=-]$/;

/** What to look for: the text itself, its decoded form, and pieces of it in base64. */
interface Needles {
  readonly exact: string;
  readonly decoded: readonly string[];
  readonly base64: readonly string[];
}

/** The middle of a text in base64 that is the same whatever is around it, for each of the three places where it may begin. */
const base64Of = (value: string): string[] => {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor(((offset + bytes.length) * 8) / 6);
    const core = encoded.slice(from, to);
    return core.length < MIN_BASE64 ? [] : [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
};

const needlesOf = (secret: Secret): Needles => {
  const exact = secret.unwrap();
  // Backslashes of its own may be lost with those of an escape.
  const forms = [exact, harmless(exact), exact.replaceAll('\\', ''), JSON.stringify(exact).slice(1, -1)];
  const spelt = forms.map((text) => canonicalOf(text).text);
  const hex = Buffer.from(exact).toString('hex');
  const decoded = [...new Set([...spelt, ...(exact.length < MIN_SPELT ? [] : [hex])])].filter(
    ({ length }) => length >= MIN_SPELT,
  );
  const base64 = [...new Set(base64Of(exact).map((core) => canonicalOf(core).text))];
  return { exact, decoded, base64 };
};

const known = new WeakMap<Secret, Needles>();
const knownNeedlesOf = (secret: Secret): Needles => {
  const needles = known.get(secret) ?? needlesOf(secret);
  known.set(secret, needles);
  return needles;
};

type Range = readonly [start: number, end: number];

const placesOf = (needle: string, text: string): Range[] => {
  const places: Range[] = [];
  if (needle === '') return places;
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) places.push([at, at + needle.length]);
  return places;
};

/** With the characters of base64 around it that hold the rest of it. */
const widened = (text: string, [start, end]: Range): Range => {
  let [from, to] = [start, end];
  while (start - from < BASE64_EDGE && BASE64.test(text[from - 1] ?? '')) from--;
  while (to - end < BASE64_EDGE && BASE64.test(text[to] ?? '')) to++;
  return [from, to];
};

const rangesOf = (text: string, canonical: Canonical, all: readonly Needles[]): Range[] => {
  const found = (needles: readonly string[]): Range[] =>
    needles
      .flatMap((needle) => placesOf(needle, canonical.text))
      .map(([start, end]) => [canonical.startOf(start), canonical.endOf(end - 1)]);
  return [
    ...all.flatMap(({ exact }) => placesOf(exact, text)),
    ...all.flatMap(({ decoded }) => found(decoded)),
    ...all.flatMap(({ base64 }) => found(base64)).map((range) => widened(text, range)),
  ].sort(([a], [b]) => a - b);
};

const hide = (text: string, ranges: readonly Range[]): string => {
  const parts: string[] = [];
  let done = 0;
  for (const [start, end] of ranges) {
    if (start >= done) parts.push(text.slice(done, start), REDACTED);
    done = Math.max(done, end);
  }
  return [...parts, text.slice(done)].join('');
};

export interface Redactor {
  (text: string): string;
  /** A text that is shorter has no secret. */
  readonly minLength: number;
  /** A text that has been cut may end in a piece of a secret of up to so many characters. */
  readonly longest: number;
}

/** Hides every spelling of the secrets: encoded in any way and any number of times, in upper or lower case, in hex, in base64. */
export const createRedactor = (secrets: Iterable<Secret>): Redactor => {
  const all = [...secrets].map(knownNeedlesOf).filter(({ exact }) => exact !== '');
  const exact = all.map((needles) => needles.exact);
  const spelt = all.flatMap(({ decoded, base64 }) => [...decoded, ...base64]);
  const minLength = Math.min(...exact.map(({ length }) => length), ...spelt.map(({ length }) => length));

  // Nearly all texts have none: they are left as soon as that is clear.
  const redact = (text: string): string => {
    if (text.length < minLength) return text;
    const canonical = canonicalOf(text);
    const isIn = (needle: string): boolean => needle.length <= canonical.text.length && canonical.text.includes(needle);
    if (!exact.some((needle) => text.includes(needle)) && !spelt.some(isIn)) return text;
    return hide(text, rangesOf(text, canonical, all));
  };
  return Object.assign(redact, { minLength, longest: Math.max(0, ...exact.map(({ length }) => length)) });
};
