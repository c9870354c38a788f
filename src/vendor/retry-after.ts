/** How long a vendor asks to wait, within bounds: the only reader of `Retry-After`. */
import { DateTime } from 'luxon';
import type { HttpResponse } from './client.js';

const MIN_MS = 1_000;
const MAX_MS = 3_600_000;

const DECIMAL = /^\d+(?:\.\d+)?(?:e\+?\d+)?$/i;

const bounded = (ms: number): number => Math.min(Math.max(ms, MIN_MS), MAX_MS);

/** A finite number from 0 up. */
const numberOf = (value: string | undefined): number | undefined => {
  const number = DECIMAL.test(value?.trim() ?? '') ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
};

/** One of the three forms of an HTTP-date (RFC 9110, section 5.6.7), in milliseconds since 1970. */
const dateOf = (value: string | undefined): number | undefined => {
  const date = DateTime.fromHTTP(value?.trim() ?? '');
  return date.isValid ? date.toMillis() : undefined;
};

/**
 * `Retry-After` (RFC 9110, section 10.2.3) in milliseconds, from 1 s to an hour: seconds, or an HTTP-date, which counts from the
 * answer's own `Date` where that is valid, and from `now` otherwise. Undefined where the header is missing or makes no sense.
 * @param millisecondsHeader a vendor's own header in milliseconds, in lower case, which is read first
 */
export const retryAfterMs = (headers: HttpResponse['headers'], now: Date, millisecondsHeader?: string): number | undefined => {
  const own = millisecondsHeader === undefined ? undefined : numberOf(headers[millisecondsHeader]);
  if (own !== undefined) return bounded(own);
  const value = headers['retry-after'];
  const seconds = numberOf(value);
  if (seconds !== undefined) return bounded(seconds * 1000);
  const date = dateOf(value);
  return date === undefined ? undefined : bounded(date - (dateOf(headers['date']) ?? now.getTime()));
};
