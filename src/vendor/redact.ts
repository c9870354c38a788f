/** Secrets out of texts, in whatever spelling they come back. */
import type { Secret } from '../secret.js';
import { type Canonical, canonicalOf } from './canonical.js';
import { MIN_SPELT, type Needles, needlesOf } from './needles.js';
import type { RecentSecrets } from './recent-secrets.js';

export const REDACTED = '[redacted]';

/** Vendors quote the text that they signed, parameters and passwords included, after these words. */
const QUOTED_REQUEST = /(string\s{0,8}to\s{0,8}sign)[\s\S]*/i;

/** What belongs to our requests, not to a message about them. */
const REQUEST_PARTS = /https?:\/\/\S+|\b(?:signature|credential|access_?key_?id|security_?token)=\S+/gi;

/** A message without the request that it quotes. */
export const withoutRequest = (message: string): string =>
  message.replace(QUOTED_REQUEST, `$1 ${REDACTED}`).replace(REQUEST_PARTS, REDACTED);

/** Characters of base64 on either side of what is found that belong to the secret in part. */
const BASE64_EDGE = 2;
const BASE64 = /^[A-Za-z0-9+/_=-]$/;

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
  /** Whether a name shows a secret. One that could be a name itself is not looked for: it would hide a user who is called so. */
  isIn(name: string): boolean;
  /** A text that is shorter has no secret. */
  readonly minLength: number;
  /** A text that has been cut may end in a piece of a secret of up to so many characters. */
  readonly longest: number;
}

/** No password and no key is shorter that a vendor takes. */
const MIN_IN_NAMES = 8;
const LIKE_A_NAME = /^[\w.-]*$/;

const isNoName = ({ exact }: Needles): boolean => exact.length >= MIN_IN_NAMES && !LIKE_A_NAME.test(exact);

/**
 * Hides every spelling of the secrets: encoded in any way and any number of times, in upper or lower case, in hex, in base64.
 * @param secrets those of the call and its account
 * @param recent those of calls before it
 */
export const createRedactor = (secrets: Iterable<Secret>, recent?: RecentSecrets): Redactor => {
  const all = [...secrets].map(needlesOf).filter(({ exact }) => exact !== '');
  const exact = all.map((needles) => needles.exact);
  const spelt = all.flatMap(({ decoded, base64 }) => [...decoded, ...base64]);
  const { longest: longestRecent = 0 } = recent ?? {};
  const minRecent = longestRecent > 0 ? MIN_SPELT : Number.POSITIVE_INFINITY;
  const minLength = Math.min(minRecent, ...exact.map(({ length }) => length), ...spelt.map(({ length }) => length));

  const isOwnIn = (text: string, canonical: string): boolean => {
    const isIn = (needle: string): boolean => needle.length <= canonical.length && canonical.includes(needle);
    return exact.some((needle) => text.includes(needle)) || spelt.some(isIn);
  };

  // Nearly all texts have none: they are left as soon as that is clear.
  const redact = (text: string): string => {
    if (text.length < minLength) return text;
    const canonical = canonicalOf(text);
    const others = recent?.foundIn(canonical.text) ?? [];
    if (others.length === 0 && !isOwnIn(text, canonical.text)) return text;
    return hide(text, rangesOf(text, canonical, [...all, ...others]));
  };

  const isIn = (name: string): boolean => {
    if (name.length < minLength) return false;
    const canonical = canonicalOf(name);
    if (recent?.foundIn(canonical.text).some(isNoName)) return true;
    const isShown = (needles: Needles): boolean =>
      needles.exact.length >= MIN_IN_NAMES && rangesOf(name, canonical, [needles]).length > 0;
    return isOwnIn(name, canonical.text) && all.some(isShown);
  };

  const longest = Math.max(longestRecent, ...exact.map(({ length }) => length));
  return Object.assign(redact, { isIn, minLength, longest });
};
