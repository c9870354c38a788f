/** Callers that wait for the end of operations. */
import type { LoadedOperation } from '../journal/records.js';

export interface Waiter {
  /** Aborts when there is something to look at. */
  news: AbortController;
  ended: LoadedOperation | undefined;
}

export interface Waiters {
  register(id: string): Waiter;
  leave(id: string, waiter: Waiter): void;
  /** @param ended the operation, where it has ended here */
  wake(id: string, ended?: LoadedOperation): void;
}

export const createWaiters = (): Waiters => {
  const waiting = new Map<string, Set<Waiter>>();

  return {
    register: (id) => {
      const waiter: Waiter = { news: new AbortController(), ended: undefined };
      waiting.set(id, (waiting.get(id) ?? new Set()).add(waiter));
      return waiter;
    },

    leave: (id, waiter) => {
      const waiters = waiting.get(id);
      waiters?.delete(waiter);
      if (waiters?.size === 0) waiting.delete(id);
    },

    wake: (id, ended) => {
      for (const waiter of waiting.get(id) ?? []) {
        waiter.ended = ended;
        waiter.news.abort();
      }
    },
  };
};
