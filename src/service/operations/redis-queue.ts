import { Queue as BullQueue, Worker } from 'bullmq';
import { connectRedis, PREFIX, withoutCommand } from '../../store/redis.js';
import { storeUnavailable } from '../../store/store.js';
import type { Queue, QueueTools } from './queue.js';

const NAME = 'operations';
/** Most of them wait; a write to one user must not wait behind batches that wait for a quota. */
const CONCURRENCY = 1_000;

/** An operation may be taken over as often as it has to be: each turn goes on where the last one ended. */
const ANY_NUMBER = Number.MAX_SAFE_INTEGER;

/**
 * BullMQ carries the ids of operations from gateway to gateway; what is to be done stands in the store.
 * @param onAway hears of a Redis that cannot be reached
 */
export const createRedisQueue = (
  url: string,
  onAway: (error: Error) => void,
  { ledger, leaseMs, run, onFault }: QueueTools,
): Queue => {
  const common = { prefix: PREFIX };
  const queueConnection = connectRedis(url);
  const workerConnection = connectRedis(url);
  const queue = new BullQueue(NAME, { ...common, connection: queueConnection });
  const onError = (error: Error): void => onAway(withoutCommand(error));
  const running = new Set<Promise<void>>();

  const work = async (id: string, token: string): Promise<void> => {
    const operation = await ledger.get(id);
    if (operation && (await ledger.claim(id, token, operation.owner))) await run(id, token);
  };

  const worker = new Worker(
    NAME,
    async ({ data }, token = '') => {
      const turn = work((data as { id: string }).id, token);
      running.add(turn);
      await turn.catch(onFault).finally(() => running.delete(turn));
    },
    {
      ...common,
      connection: workerConnection,
      concurrency: CONCURRENCY,
      lockDuration: leaseMs,
      stalledInterval: leaseMs / 2,
      maxStalledCount: ANY_NUMBER,
    },
  );
  queue.on('error', onError);
  worker.on('error', onError);
  for (const connection of [queueConnection, workerConnection]) connection.on('error', onError);

  /** The id of the job is that of the operation, so that one in the queue is not added twice. */
  const add = async (id: string): Promise<void> => {
    await queue.add('work', { id }, { jobId: id, removeOnComplete: true, removeOnFail: true }).catch((error: unknown) => {
      onError(error as Error);
      throw storeUnavailable();
    });
  };

  /** An operation is written down before it is queued: one whose process died in between is queued here. */
  let isAdding = false;
  const addAll = async (): Promise<void> => {
    if (isAdding) return;
    isAdding = true;
    try {
      for (const { id } of await ledger.open()) await add(id);
    } finally {
      isAdding = false;
    }
  };
  const timer = setInterval(() => void addAll().catch(onFault), leaseMs).unref();
  void addAll().catch(onFault);

  return {
    add,
    idle: async () => {
      while (running.size > 0) await Promise.allSettled(running);
    },
    pause: async () => {
      clearInterval(timer);
      await worker.pause(true);
    },
    close: async () => {
      await worker.close(true);
      await queue.close();
      workerConnection.disconnect();
      queueConnection.disconnect();
    },
  };
};
