import { randomUUID } from 'node:crypto';
import type { Leases } from './leases.js';
import type { Queue, QueueTools } from './queue.js';
import type { OperationRecord } from './records.js';

/**
 * The queue of processes that share a store: each works on what it was asked for, and on what a process that is no longer heard of has
 * left behind.
 */
export const createLocalQueue = (leases: Leases, { ledger, leaseMs, run, onFault }: QueueTools): Queue => {
  const instance = randomUUID();
  const running = new Map<string, Promise<void>>();
  let heardOfAt = 0;
  let paused = false;

  const live = async (): Promise<void> => {
    if (Date.now() - heardOfAt < leaseMs / 3) return;
    heardOfAt = Date.now();
    await leases.renew(instance, leaseMs);
  };

  const start = (id: string, previous: string | null): void => {
    if (paused || running.has(id)) return;
    const work = async (): Promise<void> => {
      await live();
      if (await ledger.claim(id, instance, previous)) await run(id, instance);
    };
    running.set(
      id,
      work()
        .catch(onFault)
        .finally(() => running.delete(id)),
    );
  };

  const isOrphan = async ({ id, owner }: OperationRecord): Promise<boolean> =>
    !running.has(id) && (owner === null || owner === instance || !(await leases.isAlive(owner)));

  const adopt = async (): Promise<void> => {
    for (const operation of await ledger.open()) if (await isOrphan(operation)) start(operation.id, operation.owner);
  };

  const every = (ms: number, work: () => Promise<void>): NodeJS.Timeout =>
    setInterval(() => void work().catch(onFault), ms).unref();
  const living = every(leaseMs / 3, async () => {
    if (running.size > 0) await live();
  });
  const adopting = every(leaseMs / 2, adopt);
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
    close: async () => clearInterval(living),
  };
};
