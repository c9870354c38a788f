/** Reads that are repeated: how old an answer is, and whether the caller has it already (RFC 9110, sections 8.8.3 and 13.1.2; RFC 9111, 5.1). */
import { createHash } from 'node:crypto';

const TAG_LENGTH = 22;

/** A strong entity tag of what an answer says. */
export const tagOf = (content: unknown): string =>
  `"${createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, TAG_LENGTH)}"`;

/** Whether the field names the tag; whether it is weak does not matter to a read. */
export const isKnown = (ifNoneMatch: string | undefined, tag: string): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === '*' || [...ifNoneMatch.matchAll(/"[^"]*"/g)].some(([known]) => known === tag));

/** @param readAt when the vendor was asked, in milliseconds since 1970 */
export const ageOf = (readAt: number, now: number): { readonly Age: string } => ({
  Age: String(Math.max(0, Math.floor((now - readAt) / 1000))),
});
