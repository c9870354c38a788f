import { refuse } from './validation.js';

/** Section 5.6; generated clients of Java leave seconds out that are zero. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/;

/** A time of a query, in milliseconds since 1970. @throws invalid_request */
export const millisecondsOf = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (!RFC_3339.test(text) || Number.isNaN(ms))
    refuse('must be a time with its zone, such as 2026-03-01T00:00:00Z', `/query/${name}`);
  return ms;
};
