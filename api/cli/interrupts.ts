/** Ctrl-C. */
import { EXIT } from './exit.js';
import { say } from './output.js';

let note: (() => string) | undefined;

/** Ends the process with 130 on Ctrl-C, once all is said that has to be. */
export const endOnInterrupt = (): void => {
  process.on('SIGINT', () => {
    if (note) say(note());
    process.exit(EXIT.interrupted);
  });
};

/** What is said on Ctrl-C while the work is done. */
export const whenInterrupted = async <Result>(words: () => string, work: () => Promise<Result>): Promise<Result> => {
  note = words;
  try {
    return await work();
  } finally {
    note = undefined;
  }
};
