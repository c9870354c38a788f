/** The time at a vendor, as far as the vendor has told. */
export interface VendorClock {
  readonly now: () => Date;
  /** Takes a `Date` header as the vendor's time. Answers whether that moved the clock, so that another try makes sense. */
  learn(dateHeader: string | undefined): boolean;
}

/** `Date` has seconds only; a smaller difference is none. */
const NOTICEABLE_MS = 2_000;

export const createVendorClock = (localNow: () => Date): VendorClock => {
  let offsetMs = 0;
  const now = () => new Date(localNow().getTime() + offsetMs);
  return {
    now,
    learn: (dateHeader) => {
      const vendorTime = Date.parse(dateHeader ?? '');
      if (Number.isNaN(vendorTime) || Math.abs(vendorTime - now().getTime()) < NOTICEABLE_MS) return false;
      offsetMs = vendorTime - localNow().getTime();
      return true;
    },
  };
};
