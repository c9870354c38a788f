/** From an action to the exit code of the process. */
import type { Command } from 'commander';
import { EXIT } from './exit.js';
import { endOnInterrupt } from './interrupts.js';
import { checkNeeded } from './options.js';

// biome-ignore lint/suspicious/noExplicitAny: commander knows arguments by their position only
type Action = (...given: any[]) => number | Promise<number>;

/** The action of a command that ends by itself; Ctrl-C ends it before. */
export const ending =
  (action: Action) =>
  async (...given: unknown[]): Promise<void> => {
    // After its arguments and options comes the command itself.
    checkNeeded(given.at(-1) as Command);
    endOnInterrupt();
    // Where nothing is left to wait for, the process ends before the action does.
    process.exitCode = EXIT.notDone;
    process.exitCode = await action(...given);
  };
