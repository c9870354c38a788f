/** Callers that wait for the end of operations. */
import type { Journal } from '../journal/journal.js';
import { isFinal, type LoadedOperation } from '../journal/records.js';
import { inTime } from '../store/in-time.js';

/** How often a waiter looks without being woken: a wake-up may be lost. */
const LOOK_MS = 1_000;

export interface Waiter {
  /** Aborts when there is something to look at. */
  news: AbortController;
  ended: LoadedOperation | undefined;
}

export interface Waiters {
  register(id: string): Waiter;
  /** @param ended the operation, where it has ended here */
  wake(id: string, ended?: LoadedOperation): void;
  /**
   * The operation at its end, or as it is when the patience is over, or when it is left to another process.
   * @param begun of an operation that was begun just now: its waiter, registered before anybody could end it, and how to begin it again
   * where the store has lost it
   */
  wait(known: LoadedOperation, patience: AbortSignal, progress: Progress, begun?: Begun): Promise<LoadedOperation>;
  /** Sends all away. */
  close(): void;
}

export interface Begun {
  readonly waiter: Waiter;
  beginAgain(): Promise<void>;
}

export interface Progress {
  /** Whether this process works on the operation: then it says when it has ended. */
  isRunning(id: string): boolean;
  /** Whether the operation is left to another process, while this one stops. */
  isLeft(id: string): boolean;
}

/** Resolves after so long, or as soon as a signal aborts. */
const sleep = (ms: number, ...signals: readonly AbortSignal[]): Promise<void> =>
  new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    for (const signal of signals) signal.addEventListener('abort', over, { once: true });
    if (signals.some(({ aborted }) => aborted)) over();
  });

export const createWaiters = (journal: Pick<Journal, 'get' | 'load'>): Waiters => {
  const waiting = new Map<string, Set<Waiter>>();
  let isClosed = false;

  const register = (id: string): Waiter => {
    const waiter: Waiter = { news: new AbortController(), ended: undefined };
    waiting.set(id, (waiting.get(id) ?? new Set()).add(waiter));
    return waiter;
  };

  const leave = (id: string, waiter: Waiter): void => {
    const waiters = waiting.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) waiting.delete(id);
  };

  const wake = (id: string, ended?: LoadedOperation): void => {
    for (const waiter of waiting.get(id) ?? []) {
      waiter.ended = ended;
      waiter.news.abort();
    }
  };

  const load = (id: string): Promise<LoadedOperation | undefined> => inTime(journal.load(id)).catch(() => undefined);

  /** A store that is unavailable is waited for. */
  const lookAt = async (id: string, { isLeft }: Progress, begun: Begun | undefined): Promise<LoadedOperation | undefined> => {
    const record = await inTime(journal.get(id)).catch(() => null);
    if (record === undefined) await begun?.beginAgain().catch(() => undefined);
    return record && (isFinal(record) || isLeft(id)) ? load(id) : undefined;
  };

  return {
    register,
    wake,

    wait: async (known, patience, progress, begun) => {
      const { id } = known;
      const own = begun?.waiter ?? register(id);
      try {
        for (let isDue = begun === undefined; ; isDue = !progress.isRunning(id)) {
          // Who works on it here says when it ends. For others, or where that was lost, it is looked at.
          const ended = own.ended ?? (isDue ? await lookAt(id, progress, begun) : undefined);
          if (ended) return ended;
          if (patience.aborted || isClosed) return (await load(id)) ?? known;
          await sleep(LOOK_MS, own.news.signal, patience);
          if (own.news.signal.aborted) own.news = new AbortController();
        }
      } finally {
        leave(id, own);
      }
    },

    close: () => {
      isClosed = true;
      for (const id of [...waiting.keys()]) wake(id);
    },
  };
};
