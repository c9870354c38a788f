import { DateTime } from 'luxon';

/**
 * A vendor's time as ISO 8601 in UTC, or null when it is none.
 * @param zone IANA name of the zone to read a time in that names none itself.
 */
export const toUtc = (text: unknown, zone = 'utc'): string | null => {
  if (typeof text !== 'string' || text === '') return null;
  const time = DateTime.fromISO(text, { zone });
  return time.isValid ? time.toUTC().toISO() : null;
};
