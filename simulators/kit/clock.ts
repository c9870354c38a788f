import type { DateHeader } from './types.js';

export interface Clock {
  now(): Date;
  skew(ms: number, dateHeader: DateHeader): void;
  /** Value of the Date header, or null when none is to be sent. */
  dateHeader(): string | null;
}

export const createClock = (base: () => Date): Clock => {
  let skewMs = 0;
  let header: DateHeader = 'skewed';
  const now = () => new Date(base().getTime() + skewMs);
  return {
    now,
    skew: (ms, dateHeader) => {
      skewMs = ms;
      header = dateHeader;
    },
    dateHeader: () => {
      if (header === 'none') return null;
      return (header === 'true' ? base() : now()).toUTCString();
    },
  };
};
