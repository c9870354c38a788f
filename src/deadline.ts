import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from './errors.js';

export const deadlinePassed = (): GatewayError =>
  new GatewayError('vendor_timeout', 'The vendor did not answer before the deadline of the request.');

/** The promise, or `vendor_timeout` as soon as the signal aborts. What runs on is no longer listened to. */
export const untilAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  if (signal.aborted) {
    work.catch(() => undefined);
    throw deadlinePassed();
  }
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(deadlinePassed());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
};

/** Resolves after `ms`. @throws vendor_timeout as soon as the signal aborts */
export const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw deadlinePassed();
  });
};

/** Milliseconds to wait before poll number `poll` (from 0): at once-ish, then ever slower, so that quotas last. */
export const pollDelay = (poll: number, firstMs: number, mostMs: number): number => Math.min(firstMs * 1.6 ** poll, mostMs);
