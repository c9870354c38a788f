import { isSecret } from './secret-records.js';

/**
 * What this process read or wrote last of records that others may change too. A change may be decided upon a guess, since it is refused
 * where the guess is wrong: most are right, and save a reading. Secrets are not remembered.
 */
export interface Guesses {
  /** Unknown records are guessed to be absent: most are new. */
  of(key: string): string | undefined;
  note(key: string, text: string | undefined): void;
  forget(keys: readonly string[]): void;
}

const MAX_RECORDS = 20_000;

export const createGuesses = (): Guesses => {
  const known = new Map<string, string | undefined>();
  return {
    of: (key) => known.get(key),
    note: (key, text) => {
      if (isSecret(key)) return;
      // The one that was used longest ago is forgotten first.
      known.delete(key);
      known.set(key, text);
      if (known.size > MAX_RECORDS) known.delete(known.keys().next().value as string);
    },
    forget: (keys) => {
      for (const key of keys) known.delete(key);
    },
  };
};
