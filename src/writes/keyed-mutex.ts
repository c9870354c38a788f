/** One owner at a time for each key, first come first served. In memory: the process that holds a domain is alone with it. */
import { onAbort } from '../deadline.js';

export interface KeyedMutex {
  /** Takes those that nobody has or waits for, or that are the owner's already. @returns those that the owner has now */
  take(owner: string, keys: readonly string[]): ReadonlySet<string>;
  release(owner: string, keys: readonly string[]): void;
  /** All that the owner has. */
  releaseAll(owner: string): void;
  /** Resolves when the owner has the key; when the signal aborts, with or without it. */
  turn(owner: string, key: string, signal: AbortSignal): Promise<void>;
}

interface Waiter {
  readonly owner: string;
  grant(): void;
}

interface Entry {
  owner: string;
  readonly waiting: Set<Waiter>;
}

export const createKeyedMutex = (): KeyedMutex => {
  const entries = new Map<string, Entry>();

  const release = (owner: string, key: string): void => {
    const entry = entries.get(key);
    if (entry?.owner !== owner) return;
    const [next] = entry.waiting;
    if (!next) {
      entries.delete(key);
      return;
    }
    entry.waiting.delete(next);
    entry.owner = next.owner;
    next.grant();
  };

  const tryToTake = (owner: string, key: string): boolean => {
    const entry = entries.get(key);
    if (!entry) entries.set(key, { owner, waiting: new Set() });
    return !entry || entry.owner === owner;
  };

  return {
    take: (owner, keys) => new Set(keys.filter((key) => tryToTake(owner, key))),

    release: (owner, keys) => {
      for (const key of keys) release(owner, key);
    },

    releaseAll: (owner) => {
      for (const [key, entry] of [...entries]) if (entry.owner === owner) release(owner, key);
    },

    turn: (owner, key, signal) => {
      if (tryToTake(owner, key) || signal.aborted) return Promise.resolve();
      const { waiting } = entries.get(key) as Entry;
      return new Promise((resolve) => {
        const waiter: Waiter = {
          owner,
          grant: () => {
            stop();
            resolve();
          },
        };
        waiting.add(waiter);
        const stop = onAbort(signal, () => {
          waiting.delete(waiter);
          resolve();
        });
      });
    },
  };
};
