import { setMaxListeners } from 'node:events';
import { type Clock, systemClock } from './clock.js';
import { type Effect, GatewayError } from './errors.js';

/** @param effect what the call may have changed; `none` where its request was not sent */
export const deadlinePassed = (effect: Effect = 'open'): GatewayError => {
  const sent = effect === 'none' ? ' Nothing was sent.' : '';
  return new GatewayError('vendor_timeout', `The vendor did not answer before the deadline of the request.${sent}`, { effect });
};

const sources = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/**
 * Aborts as soon as one of them does. Node's own combination does not keep what it is made of: a timeout that nobody else knows is collected,
 * and never aborts.
 */
export const firstOf = (signals: readonly AbortSignal[]): AbortSignal => {
  const first = AbortSignal.any([...signals]);
  sources.set(first, signals);
  return first;
};

/** A signal, and what ends it for good: it listens to nothing any more. */
export interface Limit {
  readonly signal: AbortSignal;
  /** Nobody waits any more. */
  giveUp(): void;
  stop(): void;
}

/** Aborts after `ms`, or as soon as the signal does, until it is stopped. Cheaper than signals of Node's own put together. */
export const limitOf = (clock: Clock, ms: number, signal?: AbortSignal): Limit => {
  const limit = new AbortController();
  const timeout = (): void => limit.abort(new DOMException('The time is over.', 'TimeoutError'));
  const stops = [clock.after(ms, timeout), ...(signal ? [onAbort(signal, () => limit.abort(signal.reason))] : [])];
  return {
    signal: limit.signal,
    giveUp: () => limit.abort(),
    stop: () => {
      for (const stop of stops) stop();
    },
  };
};

/** Calls `act` when the signal aborts, at once where it has. @returns a function that stops listening */
export const onAbort = (signal: AbortSignal, act: () => void): (() => void) => {
  // As many listen as calls are under way: that is no leak.
  setMaxListeners(0, signal);
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
  return () => signal.removeEventListener('abort', act);
};

/** The promise, or `vendor_timeout` as soon as the signal aborts; a later result of the promise is ignored. */
export const untilAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  work.catch(() => undefined);
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(deadlinePassed()));
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    stop();
  }
};

/** Resolves after `ms`. @throws vendor_timeout as soon as the signal aborts */
export const pause = async (ms: number, signal: AbortSignal, clock: Clock = systemClock): Promise<void> => {
  await clock.sleep(ms, signal);
  if (signal.aborted) throw deadlinePassed();
};

/** Milliseconds to wait before poll number `poll` (from 0): short at first, then longer, so that quotas last. */
export const pollDelay = (poll: number, firstMs: number, maxMs: number): number => Math.min(firstMs * 1.6 ** poll, maxMs);
