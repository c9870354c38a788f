/**
 * Reads of one caller at one place, a cluster or a collection, that are at work at once. The others of theirs wait for their turn, so that
 * one caller's many or large reads take neither the processor nor the memory of all.
 */
import PQueue from 'p-queue';
import type { Call } from '../../../src/adapter.js';
import { inPlaces } from '../../../src/place.js';
import { tooBusy } from './in-flight.js';

const SMALL_AT_ONCE = 64;
const LARGE_AT_ONCE = 3;
/** A window of more is large. */
const SMALL_LIMIT = 100;
const MAX_WAIT_MS = 10_000;

export interface Share {
  readonly caller: string;
  readonly place: string;
  /** How many things may be read. */
  readonly limit: number | undefined;
  /** Whose signal aborts when nobody waits for it any more. */
  readonly call: Pick<Call, 'signal'>;
}

/** @throws too_busy where no turn comes in time */
export type Shares = <T>(share: Share, work: () => Promise<T>) => Promise<T>;

export const createShares = (): Shares => {
  const shares = new Map<string, PQueue>();
  return async ({ caller, place, limit = 0, call }, work) => {
    const concurrency = limit > SMALL_LIMIT ? LARGE_AT_ONCE : SMALL_AT_ONCE;
    const name = JSON.stringify([caller, place, concurrency]);
    const share = shares.get(name) ?? new PQueue({ concurrency });
    shares.set(name, share);
    const tooLate = () => tooBusy('The caller has as many reads of this kind at work as they may, and no turn came.');
    try {
      return await inPlaces([share], () => [call.signal, AbortSignal.timeout(MAX_WAIT_MS)], tooLate, work);
    } finally {
      if (share.size === 0 && share.pending === 0) shares.delete(name);
    }
  };
};
