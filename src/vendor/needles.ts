/** What is looked for to find a secret in a text, in whatever spelling. */
import type { Secret } from '../secret.js';
import { canonicalOf } from './canonical.js';
import { harmless } from './harmless.js';

/** Shorter ones are found only as they are: every text has some spelling of two letters. */
export const MIN_SPELT = 4;
const MIN_BASE64 = 6;

/** What to look for: the text itself, its decoded form, and pieces of it in base64. */
export interface Needles {
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

const makeNeedles = (secret: Secret): Needles => {
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
export const needlesOf = (secret: Secret): Needles => {
  const needles = known.get(secret) ?? makeNeedles(secret);
  known.set(secret, needles);
  return needles;
};
