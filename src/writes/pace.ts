/**
 * How fast work goes to a vendor that may not be well: waits with back-off, sends one item as a probe, and ends where nothing helps. A
 * vendor that is unavailable is waited for by time; one that answers, but fails on every item, only for a few probes.
 */
import type { Clock } from '../clock.js';
import type { GatewayError } from '../errors.js';

/** `quota`: the vendor counts calls, and says so. `unavailable`: it is busy or down. `failing`: it was reached, and each call fails. */
export type Trouble = 'quota' | 'unavailable' | 'failing';

/** A vendor that says so itself, or whose proxy does, is unavailable; one that breaks off each call is failing. */
export const troubleOf = (error: GatewayError): Trouble => {
  if (error.code === 'vendor_rate_limited') return 'quota';
  const answered = (error.vendor?.status ?? 0) >= 500 || error.effect !== 'open';
  return answered && error.code !== 'cluster_agent_failed' ? 'unavailable' : 'failing';
};

export interface Patience {
  readonly quotaMs: number;
  readonly unavailableMs: number;
  readonly failingMs: number;
  /** Failing calls in a row after which nothing more is sent, however short the time was. */
  readonly failingCalls: number;
}

/** Quotas may be counted by the hour. */
export const BATCH_PATIENCE: Patience = {
  quotaMs: 90 * 60_000,
  unavailableMs: 10 * 60_000,
  failingMs: 60_000,
  failingCalls: 7,
};

/** Of a write whose caller waits. */
export const singlePatience = (ms: number): Patience => ({ quotaMs: ms, unavailableMs: ms, failingMs: ms, failingCalls: 4 });

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 60_000;
const GROWTH = 2;

export interface Pace {
  /** Milliseconds until something may be sent. */
  quietMs(): number;
  /** Whether only one call may be made at a time. */
  isProbing(): boolean;
  /** Whether that call may be for one item only: the vendor is there, and fails. */
  isFailing(): boolean;
  /** Something was settled, or is surely under way. */
  progress(): void;
  /** The vendor took what was sent at `sentAt`, with its end to come: it is there, and no quota is in the way. */
  taken(sentAt: number): void;
  /** The vendor works: a call that was sent at `sentAt` had the effect that was asked for. */
  success(sentAt: number): void;
  /**
   * A call that was sent at `sentAt` met trouble. Calls that were under way when the first one failed count as one.
   * @param waitMs what the vendor asks for
   * @returns whether it makes sense to wait and send again
   */
  trouble(kind: Trouble, waitMs: number | undefined, sentAt: number): boolean;
  /** Whether trouble of this kind would still be waited for, with a wait of so long. */
  hasPatience(kind: Trouble, waitMs?: number): boolean;
}

export const createPace = (clock: Clock, patience: Patience): Pace => {
  let quietUntil = 0;
  /** Troubles in a row. */
  let streak = 0;
  let failing = 0;
  /** Since when nothing has gone well; waiting for a quota does not count. */
  let since = clock.now();
  let quotaSince: number | undefined;
  let lastTroubleAt = Number.NEGATIVE_INFINITY;

  const limitOf: Readonly<Record<Trouble, number>> = {
    quota: patience.quotaMs,
    unavailable: patience.unavailableMs,
    failing: patience.failingMs,
  };

  const startOf = (kind: Trouble): number => (kind === 'quota' ? (quotaSince ?? clock.now()) : since);

  const hasPatience = (kind: Trouble, waitMs = 0): boolean =>
    clock.now() + waitMs - startOf(kind) <= limitOf[kind] && (kind !== 'failing' || failing < patience.failingCalls);

  return {
    quietMs: () => Math.max(quietUntil - clock.now(), 0),
    isProbing: () => streak > 0,
    isFailing: () => failing > 0,
    progress: () => {
      since = clock.now();
      quotaSince = undefined;
    },
    taken: (sentAt) => {
      since = clock.now();
      quotaSince = undefined;
      if (failing > 0 || sentAt < lastTroubleAt) return;
      streak = 0;
      quietUntil = 0;
    },
    success: (sentAt) => {
      since = clock.now();
      quotaSince = undefined;
      if (sentAt < lastTroubleAt) return;
      streak = 0;
      failing = 0;
      quietUntil = 0;
    },
    trouble: (kind, waitMs, sentAt) => {
      const isEcho = sentAt < lastTroubleAt;
      const wait = Math.max(waitMs ?? 0, Math.min(FIRST_WAIT_MS * GROWTH ** streak, MAX_WAIT_MS));
      if (!isEcho) {
        // The patience begins with the first trouble, not with the work.
        if (streak === 0) since = clock.now();
        if (kind === 'failing') failing++;
        streak++;
        lastTroubleAt = clock.now();
      }
      if (kind === 'quota') {
        quotaSince ??= clock.now();
        since = Math.max(since, clock.now() + wait);
      }
      if (!hasPatience(kind, wait)) return false;
      if (!isEcho || waitMs !== undefined) quietUntil = Math.max(quietUntil, clock.now() + wait);
      return true;
    },
    hasPatience,
  };
};
