/** The bytes of vendors' answers that are in memory: bounded for all together, since many at once may each be within their own bound. */
import type { Readable } from 'node:stream';

export interface AnswerBytes {
  /** Counts an answer while it arrives. @param giveUp is called where it has to go for the others @returns gives its bytes back */
  count(answer: Readable, giveUp: () => void): () => void;
}

export const createAnswerBytes = (max: number): AnswerBytes => {
  const sizes = new Map<Readable, { size: number; readonly giveUp: () => void }>();
  let all = 0;

  /** The largest one goes: small answers are let through. */
  const giveUpLargest = (): void => {
    const arriving = [...sizes].filter(([{ destroyed }]) => !destroyed);
    const [largest] = arriving.sort(([, one], [, other]) => other.size - one.size);
    if (!largest) return;
    const [answer, { giveUp }] = largest;
    giveUp();
    answer.destroy();
  };

  return {
    count: (answer, giveUp) => {
      const counted = { size: 0, giveUp };
      sizes.set(answer, counted);
      answer.on('data', (chunk: Buffer) => {
        if (!sizes.has(answer)) return;
        counted.size += chunk.length;
        all += chunk.length;
        if (all > max) giveUpLargest();
      });
      return () => {
        if (sizes.delete(answer)) all -= counted.size;
      };
    },
  };
};
