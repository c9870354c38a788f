/**
 * Reads of one caller at one place, a cluster or a collection, that are at work at once. The others of theirs wait for their turn, so that
 * one caller's many or large reads take neither the processor nor the memory of all.
 */
import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import { workFor } from '../../../src/own-turn.js';
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
}

export type Shares = <T>(share: Share, work: () => Promise<T>) => Promise<T>;

/** @throws too_busy where a turn does not come in time */
export const createShares = (): Shares => {
  const shares = new Map<string, BulkheadPolicy>();
  return async ({ caller, place, limit = 0 }, work) => {
    const atOnce = limit > SMALL_LIMIT ? LARGE_AT_ONCE : SMALL_AT_ONCE;
    const name = JSON.stringify([caller, place, atOnce]);
    const share = shares.get(name) ?? bulkhead(atOnce, MAX_WAITING);
    shares.set(name, share);
    let giveUp = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      giveUp = () => reject(tooBusy(`The caller has had ${atOnce} such requests at work for ${MAX_WAIT_MS / 1000} seconds.`));
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      giveUp();
    }, MAX_WAIT_MS);
    const turn = share.execute(async () => {
      clearTimeout(timer);
      return isLate ? late : workFor(caller, work);
    });
    try {
      return await Promise.race([turn, late]);
    } finally {
      if (share.executionSlots === atOnce && share.queueSlots === MAX_WAITING) shares.delete(name);
    }
  };
};
