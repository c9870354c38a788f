/** The bytes of vendors' answers that are in memory: bounded for all together, since many at once may each be within their own bound. */

/** The bytes of one answer. */
export interface Counted {
  add(bytes: number): void;
  /** Nothing more comes: it goes no more for others. */
  arrived(): void;
  /** They are not in memory any more. */
  release(): void;
}

export interface AnswerBytes {
  /** @param giveUp is called where the answer has to go for the others */
  begin(giveUp: () => void): Counted;
}

interface Arriving {
  size: number;
  readonly giveUp: () => void;
}

export const createAnswerBytes = (max: number): AnswerBytes => {
  const arriving = new Set<Arriving>();
  let all = 0;

  /** The largest one goes: small answers are let through. */
  const giveUpLargest = (): void => {
    const [largest] = [...arriving].sort((one, other) => other.size - one.size);
    if (!largest) return;
    arriving.delete(largest);
    largest.giveUp();
  };

  return {
    begin: (giveUp) => {
      const counted: Arriving = { size: 0, giveUp };
      let isReleased = false;
      arriving.add(counted);
      return {
        add: (bytes) => {
          if (isReleased) return;
          counted.size += bytes;
          all += bytes;
          if (all > max) giveUpLargest();
        },
        arrived: () => void arriving.delete(counted),
        release: () => {
          if (isReleased) return;
          isReleased = true;
          arriving.delete(counted);
          all -= counted.size;
        },
      };
    },
  };
};
