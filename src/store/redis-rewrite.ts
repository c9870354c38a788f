/**
 * The append-only file of Redis has what was deleted until it is rewritten. After secrets were deleted this asks for that: at most once an
 * hour for all gateways on one Redis, behind the scenes, and only where the file is used and the account may.
 */
import { type Redis, ReplyError } from 'ioredis';

const HOUR_MS = 60 * 60_000;
/** So that many deletions are one question. */
const SOON_MS = 1_000;
/** When it is looked again where there is no such file now, or no connection. */
const RETRY_MS = 60_000;

/** Refusals that say that the file is being rewritten already. It may have begun before the deletion. */
const IN_PROGRESS = /in progress|scheduled/i;

export interface Rewriting {
  /** Secrets were deleted, or may have been. Never throws, and is not waited for. */
  due(): void;
  close(): void;
}

/**
 * @param key of a mark in Redis that somebody has asked within the hour
 * @param note hears, once, why nobody can ask
 */
export const createRewriting = (redis: Redis, key: string, note: (text: string) => void): Rewriting => {
  let isDue = false;
  /** Closed, or refused for good. */
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  /** @returns for how long nothing is asked */
  const ask = async (): Promise<number> => {
    if (!/^aof_enabled:1/m.test(await redis.info('persistence'))) return RETRY_MS;
    if ((await redis.set(key, '', 'PX', HOUR_MS, 'NX')) === null) return Math.max(await redis.pttl(key), 0) + SOON_MS;
    // What is deleted from here on, the rewritten file may have.
    isDue = false;
    await redis.bgrewriteaof();
    return HOUR_MS + SOON_MS;
  };

  const onThrown = (error: unknown): number => {
    isDue = true;
    if (!(error instanceof ReplyError)) return RETRY_MS;
    const { message } = error as Error;
    if (IN_PROGRESS.test(message)) return HOUR_MS;
    // A replica, or a server without memory, is another one soon.
    if (/^(READONLY|OOM|LOADING|MISCONF|NOREPLICAS|MASTERDOWN)/.test(message)) return RETRY_MS;
    isOver = true;
    note(`Redis does not let the gateway rewrite its append-only file (${message.split(' ')[0]}); rewrite it now and then`);
    return 0;
  };

  /** The timer is kept while it asks, so that nothing asks beside it. */
  const wait = (ms: number): void => {
    if (isOver) return;
    timer = setTimeout(() => {
      if (isDue) void ask().catch(onThrown).then(wait);
      else timer = undefined;
    }, ms);
    timer.unref();
  };

  return {
    due: () => {
      isDue = true;
      if (timer === undefined) wait(SOON_MS);
    },
    close: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
};
