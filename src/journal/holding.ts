/** The right of a process to write for a domain: an epoch in the store, and, where processes share it, a lease that has to be renewed. */
import { setMaxListeners } from 'node:events';
import { type Clock, SKEW_MS } from '../clock.js';

/** Another process works for the domain now: the caller must stop working on it. */
export class OwnershipLost extends Error {
  override readonly name = 'OwnershipLost';
}

/** A domain that this process works for. */
export interface Holding {
  readonly domain: string;
  /** The name of this process. */
  readonly process: string;
  readonly epoch: number;
  /** Whether a vendor may be written to, this very moment. */
  mayWrite(): boolean;
  /** From when on nothing that an earlier holder sent at `sentAt` is under way any more. Both in milliseconds since 1970. */
  quietAfter(sentAt: number): number;
  /** What was begun before then may have been sent without a trace: the store may have lost it. In milliseconds since 1970. */
  readonly traceless: number;
  /** Resolves when all operations that were open have been given to work. Nothing is sent before. */
  readonly adopting: Promise<void>;
  /** Aborts when another process has taken the domain. */
  readonly lost: AbortSignal;
}

/** A moment by both clocks. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export const momentOf = (clock: Clock): Moment => ({ monotonic: clock.monotonic(), wall: clock.now() });

/** No renewal counts any more. */
export const LONG_AGO: Moment = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

/** A holding as its keeper changes it. */
export interface Lease extends Holding {
  epoch: number;
  adopting: Promise<void>;
  /** When the last confirmed renewal began. */
  confirmed: Moment;
  /** Nothing more may be done with it. */
  giveUp(): void;
}

export interface LeaseDeps {
  readonly clock: Clock;
  /** Undefined where the store belongs to this process alone: then it has no end. */
  readonly leaseMs: number | undefined;
  /** How long a call to a vendor may take. */
  readonly callMs: number;
  traceless(): number;
}

export const createLease = (
  given: Pick<Lease, 'domain' | 'process' | 'epoch' | 'confirmed'>,
  { clock, leaseMs, callMs, traceless }: LeaseDeps,
): Lease => {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const since = clock.now();
  const lease: Lease = {
    ...given,
    get traceless() {
      return traceless();
    },
    adopting: Promise.resolve(),
    lost: ending.signal,
    giveUp: () => ending.abort(),
    // A clock that stood still, or was set, does not make a lease longer.
    mayWrite: () => {
      if (ending.signal.aborted) return false;
      if (leaseMs === undefined) return true;
      const { monotonic, wall } = lease.confirmed;
      const limit = leaseMs / 2;
      return clock.monotonic() - monotonic < limit && Math.abs(clock.now() - wall) < limit;
    },
    quietAfter: (sentAt) => {
      // Sent by this process, or by a clock that is ahead.
      if (sentAt >= since) return Math.min(sentAt, clock.now()) + callMs;
      // The earlier holder's fence has let nothing pass since the domain was taken. Where the store was its alone, it has even ended.
      return leaseMs === undefined ? Math.min(sentAt + callMs, since) : Math.min(sentAt + SKEW_MS, since) + callMs;
    },
  };
  return lease;
};
