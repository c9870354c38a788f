import type { Clock } from '../clock.js';

/** The time that signatures of one account carry. */
export interface VendorClock {
  /** The local clock, corrected after the vendor refused it. */
  readonly now: () => Date;
  /** Corrects the clock by an answer that refused the time `signedAt`. Returns whether another attempt makes sense. */
  correct(dateHeader: string | undefined, signedAt: Date): boolean;
  /** Returns to the local clock: the vendor refused the correction too. */
  reset(): void;
  /** Notes the `Date` of an answer to what was sent at `sentAt`, in milliseconds since 1970; slow answers show nothing. */
  noteDate(dateHeader: string | undefined, sentAt: number): void;
  /** The vendor's `Date` less our clock, by the last answer, in milliseconds; null before the first one. */
  readonly dateOffsetMs: () => number | null;
}

/** `Date` has whole seconds; a smaller difference is none. */
const NOTICEABLE_MS = 2_000;

export const createVendorClock = (clock: Clock): VendorClock => {
  let offsetMs = 0;
  let dateOffsetMs: number | null = null;

  return {
    now: () => new Date(clock.now() + offsetMs),
    correct: (dateHeader, signedAt) => {
      const vendorMs = Date.parse(dateHeader ?? '');
      if (Number.isNaN(vendorMs) || Math.abs(vendorMs - signedAt.getTime()) < NOTICEABLE_MS) return false;
      offsetMs = vendorMs - clock.now();
      return true;
    },
    reset: () => {
      offsetMs = 0;
    },
    noteDate: (dateHeader, sentAt) => {
      const vendorMs = Date.parse(dateHeader ?? '');
      const now = clock.now();
      if (!Number.isNaN(vendorMs) && now - sentAt < NOTICEABLE_MS) dateOffsetMs = vendorMs - now;
    },
    dateOffsetMs: () => dateOffsetMs,
  };
};
