/** The time at a vendor, as far as its `Date` headers have told. */
export interface VendorClock {
  /** For signing: the local clock, unless the vendor refused it. */
  readonly now: () => Date;
  /** For comparing with the vendor's own times: what its answers showed last. */
  readonly vendorNow: () => Date;
  /** Notes what an answer showed. `Date` is written when the answer begins, so a slow one shows little. */
  observe(dateHeader: string | undefined, sentAt: Date): void;
  /** Sets the signing clock by an answer that refused the time `signedAt`. Answers whether another try makes sense. */
  correct(dateHeader: string | undefined, signedAt: Date): boolean;
  /** Goes back to the local clock for signing: the correction was refused too. */
  reset(): void;
}

/** `Date` has seconds only; a smaller difference is none. */
const NOTICEABLE_MS = 2_000;
const SLOW_MS = 2_000;

export const createVendorClock = (localNow: () => Date): VendorClock => {
  let signingOffsetMs = 0;
  let vendorOffsetMs = 0;
  const at = (offsetMs: number): Date => new Date(localNow().getTime() + offsetMs);
  const parse = (dateHeader: string | undefined): number => Date.parse(dateHeader ?? '');

  return {
    now: () => at(signingOffsetMs),
    vendorNow: () => at(vendorOffsetMs),
    observe: (dateHeader, sentAt) => {
      const told = parse(dateHeader);
      const local = localNow().getTime();
      if (Number.isNaN(told) || local - sentAt.getTime() > SLOW_MS) return;
      const difference = told - local;
      vendorOffsetMs = Math.abs(difference) < NOTICEABLE_MS ? 0 : difference;
    },
    correct: (dateHeader, signedAt) => {
      const told = parse(dateHeader);
      if (Number.isNaN(told) || Math.abs(told - signedAt.getTime()) < NOTICEABLE_MS) return false;
      signingOffsetMs = told - localNow().getTime();
      return true;
    },
    reset: () => {
      signingOffsetMs = 0;
    },
  };
};
