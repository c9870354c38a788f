import { DateTime } from 'luxon';

/** In UTC, as vendors mostly write it: `Date` reads it twenty times as fast. */
const PLAIN = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z$/;

const plainToUtc = (text: string): string | null => {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return null;
  const iso = time.toISOString();
  // `Date` takes 30 February, and makes 1 March of it.
  return iso.startsWith(text.slice(0, 'yyyy-mm-ddThh:mm'.length)) ? iso : null;
};

/** Times of other spellings that were read lately: a list that is read again has the same ones. */
const MAX_KNOWN = 20_000;
const known = new Map<string, string | null>();
const DATED = /^\d{4}-/;

const zonedToUtc = (text: string, zone: string): string | null => {
  const key = `${zone} ${text}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const time = DateTime.fromISO(text, { zone });
  const utc = time.isValid ? time.toUTC().toISO() : null;
  if (known.size >= MAX_KNOWN) known.clear();
  // A time without a date is one of today.
  if (DATED.test(text)) known.set(key, utc);
  return utc;
};

/** Longer than any time: what is longer is not kept. */
const MAX_LENGTH = 64;

/**
 * A vendor's time as ISO 8601 in UTC, or null when it is none.
 * @param zone IANA name of the zone to read a time in that names none itself.
 */
export const toUtc = (text: unknown, zone = 'utc'): string | null => {
  if (typeof text !== 'string' || text === '') return null;
  if (PLAIN.test(text)) return plainToUtc(text);
  return text.length > MAX_LENGTH ? null : zonedToUtc(text, zone);
};
