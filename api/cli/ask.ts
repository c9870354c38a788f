/** Questions to the person at the terminal. */
import { read } from 'read';
import { Interrupted, Unanswered } from './exit.js';
import { readSecret, readSecretFromInput } from './files.js';
import { say } from './output.js';
import { UsageError } from './usage.js';

const MAX_TRIES = 3;

/** @throws Interrupted, Unanswered */
const ask = async (prompt: string, silent: boolean): Promise<string> => {
  let giveUp = (): void => undefined;
  // Ctrl-D closes the question without a word, and nothing is left to wait for.
  const closed = new Promise<never>((_, reject) => {
    giveUp = () => reject(new Unanswered());
  });
  process.once('beforeExit', giveUp);
  let hasLineEnd = false;
  try {
    const answer = await Promise.race([read({ prompt, silent, input: process.stdin, output: process.stderr }), closed]);
    hasLineEnd = !silent;
    return answer;
  } catch (error) {
    throw (error as Error).message === 'canceled' ? new Interrupted() : error;
  } finally {
    process.off('beforeExit', giveUp);
    if (!hasLineEnd) process.stderr.write('\n');
  }
};

const isAtTerminal = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

/** @param without the option that answers the question before it is asked @throws UsageError where there is no terminal */
export const confirm = async (question: string, without: string): Promise<boolean> => {
  if (!isAtTerminal()) throw new UsageError(`There is no terminal to ask at: add ${without}.`);
  const answer = await ask(`${question} [y/N]`, false);
  return /^y(es)?$/i.test(answer.trim());
};

export interface PasswordOptions {
  readonly passwordFile?: string;
  readonly passwordStdin?: true;
}

/** From a file, standard input, or twice from the terminal, which does not show it. @throws UsageError */
export const takePassword = async (username: string, { passwordFile, passwordStdin }: PasswordOptions): Promise<string> => {
  if (passwordFile !== undefined) return readSecret(passwordFile);
  if (passwordStdin) return readSecretFromInput();
  if (!isAtTerminal())
    throw new UsageError('There is no terminal to ask for the password: give --password-file FILE or --password-stdin.');
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const password = await ask(`Password for ${username}:`, true);
    if (password === (await ask('The same again:', true))) return password;
    say('They are not the same.');
  }
  throw new UsageError('The password was not typed the same twice.');
};
