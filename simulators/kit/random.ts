import { createHash, randomInt, randomUUID, timingSafeEqual } from 'node:crypto';

const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ALL = `${LOWER}${UPPER}`;

const pick = (alphabet: string, length: number) =>
  Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');

export const lowerText = (length: number): string => pick(LOWER, length);
export const upperText = (length: number): string => pick(UPPER, length);
export const mixedText = (length: number): string => pick(ALL, length);
export const upperUuid = (): string => randomUUID().toUpperCase();

/** The same lower-case text for the same seed. */
export const derivedText = (seed: string, length: number): string =>
  Array.from(createHash('sha256').update(seed).digest().subarray(0, length), (byte) => LOWER.charAt(byte % LOWER.length)).join(
    '',
  );

export const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};
