/**
 * Reads of one caller at one place, a cluster or a collection, that are at work at once. The others of theirs wait for their turn, so that
 * one caller's many or large reads take neither the processor nor the memory of all.
 */
import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import { onAbort } from '../../../src/deadline.js';
import { tooBusy } from './in-flight.js';

const SMALL_AT_ONCE = 64;
const LARGE_AT_ONCE = 3;
/** A window of more is large. */
const SMALL_LIMIT = 100;
const MAX_WAIT_MS = 10_000;
/** More than there can be in flight. */
const MAX_WAITING = 1_000_000;

export interface Share {
  readonly caller: string;
  readonly place: string;
  /** How many things may be read. */
  readonly limit: number | undefined;
  /** Aborts when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** @throws too_busy where no turn comes in time */
export type Shares = <T>(share: Share, work: () => Promise<T>) => Promise<T>;

/** The work in its turn, which is waited for as long as the signal lets, and not for long. @throws too_busy */
const inTurn = <T>(share: BulkheadPolicy, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
  let stopWaiting = (): void => undefined;
  let isLate = false;
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      isLate = true;
      stopWaiting();
      reject(tooBusy('The caller has as many reads of this kind at work as they may, and no turn came.'));
    };
    const timer = setTimeout(giveUp, MAX_WAIT_MS);
    const stopListening = onAbort(signal, giveUp);
    stopWaiting = () => {
      clearTimeout(timer);
      stopListening();
    };
    if (isLate) stopWaiting();
  });
  const turn = share.execute(async () => {
    stopWaiting();
    return isLate ? late : work();
  });
  return Promise.race([turn, late]);
};

export const createShares = (): Shares => {
  const shares = new Map<string, BulkheadPolicy>();
  return async ({ caller, place, limit = 0, signal }, work) => {
    const atOnce = limit > SMALL_LIMIT ? LARGE_AT_ONCE : SMALL_AT_ONCE;
    const name = JSON.stringify([caller, place, atOnce]);
    const share = shares.get(name) ?? bulkhead(atOnce, MAX_WAITING);
    shares.set(name, share);
    try {
      return await (share.executionSlots > 0 ? share.execute(work) : inTurn(share, signal, work));
    } finally {
      if (share.executionSlots === atOnce && share.queueSlots === MAX_WAITING) shares.delete(name);
    }
  };
};
