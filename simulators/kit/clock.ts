import type { ClockSkew, DateHeader } from './types.js';

export interface Clock {
  now(): Date;
  skew(ms: number, options?: ClockSkew): void;
  /** Value of the Date header, or null when none is to be sent. */
  dateHeader(): string | null;
}

const DATE_HEADERS: readonly DateHeader[] = ['skewed', 'none', 'true'];

export const createClock = (base: () => Date): Clock => {
  let skewMs = 0;
  let dateMs: number | null = 0;
  const shifted = (ms: number) => new Date(base().getTime() + ms);
  return {
    now: () => shifted(skewMs),
    skew: (ms, { dateHeader = 'skewed', dateMs: own } = {}) => {
      skewMs = ms;
      dateMs = dateHeader === 'none' ? null : (own ?? (dateHeader === 'true' ? 0 : ms));
    },
    dateHeader: () => (dateMs === null ? null : shifted(dateMs).toUTCString()),
  };
};

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Applies the JSON body of the control call. */
export const skewClock = (clock: Clock, body: unknown): void => {
  const { skewMs, dateHeader = 'skewed', dateMs } = (body ?? {}) as Record<string, unknown>;
  if (!isTime(skewMs)) throw new TypeError('"skewMs" must be a number of milliseconds');
  if (dateMs !== undefined && !isTime(dateMs)) throw new TypeError('"dateMs" must be a number of milliseconds');
  const known = DATE_HEADERS.find((name) => name === dateHeader);
  if (known === undefined) throw new TypeError(`"dateHeader" must be one of ${DATE_HEADERS.join(', ')}`);
  clock.skew(skewMs, { dateHeader: known, dateMs });
};
