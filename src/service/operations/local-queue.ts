import { randomUUID } from 'node:crypto';
import type { Queue, QueueTools } from './queue.js';

/** How often operations that nobody works on are looked for. */
const LOOK_MS = 2_500;

/** The queue of a process that has its store to itself: it works on all that is open, whoever began it. */
export const createLocalQueue = ({ ledger, run, onFault }: QueueTools): Queue => {
  const instance = randomUUID();
  const running = new Map<string, Promise<void>>();
  let paused = false;

  const start = (id: string, previous: string | null): void => {
    if (paused || running.has(id)) return;
    const work = async (): Promise<void> => {
      if (await ledger.claim(id, instance, previous)) await run(id, instance);
    };
    running.set(
      id,
      work()
        .catch(onFault)
        .finally(() => running.delete(id)),
    );
  };

  const adopt = async (): Promise<void> => {
    for (const { id, owner } of await ledger.open()) start(id, owner);
  };

  const adopting = setInterval(() => void adopt().catch(onFault), LOOK_MS).unref();
  void adopt().catch(onFault);

  return {
    add: async (id) => start(id, null),
    idle: async () => {
      while (running.size > 0) await Promise.allSettled(running.values());
    },
    pause: async () => {
      paused = true;
      clearInterval(adopting);
    },
    close: async () => clearInterval(adopting),
  };
};
