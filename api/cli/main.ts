/** The shell command. */
import { CommanderError } from 'commander';
import { EXIT } from './exit.js';
import { outliveReader } from './output.js';
import { createProgram } from './program.js';

/** A gateway continues when nobody reads its output. */
const SERVING: ReadonlySet<string | undefined> = new Set(['serve', 'demo']);

/** The help is no failure; where a command was left out, it is. */
const codeOf = ({ exitCode }: CommanderError): number => (exitCode === 0 ? EXIT.done : EXIT.usage);

/** Runs what the arguments say, and leaves the exit code with the process. */
export const runCommand = async (args: readonly string[]): Promise<void> => {
  if (!SERVING.has(args[0])) outliveReader();
  try {
    await createProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? codeOf(error) : (await import('./failure.js')).report(error);
  }
};
