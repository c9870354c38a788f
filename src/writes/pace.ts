/**
 * How fast writes go to a vendor that may not be well: waits with back-off, and one call as a probe. It is the cluster's; how long somebody
 * waits is each operation's own. A vendor that is unavailable is waited for by time; one that answers, but fails on every item, only for a
 * few probes.
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
  /** A longer back-off is not waited for where the vendor has not asked for it: somebody waits, and may as well make the probe. */
  readonly maxWaitMs: number;
}

/** Quotas may be counted by the hour. */
export const BATCH_PATIENCE: Patience = {
  quotaMs: 90 * 60_000,
  unavailableMs: 10 * 60_000,
  failingMs: 60_000,
  failingCalls: 7,
  maxWaitMs: 60_000,
};

/** Of a write whose caller waits. */
export const singlePatience = (ms: number): Patience => ({
  quotaMs: ms,
  unavailableMs: ms,
  failingMs: ms,
  failingCalls: 4,
  maxWaitMs: 4_000,
});

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 60_000;
const GROWTH = 2;

/** How long is waited after so many failures in a row before this one. */
export const backOffMs = (failures: number): number => Math.min(FIRST_WAIT_MS * GROWTH ** failures, MAX_WAIT_MS);

/** How fast something is written to. */
export interface Pace {
  /** Milliseconds until something may be sent. @param maxWaitMs of a back-off that the vendor has not asked for */
  quietMs(maxWaitMs: number): number;
  /** Whether only one call may be made at a time. */
  isProbing(): boolean;
  /** Whether that call may be for one item only: the vendor is there, and fails. */
  isFailing(): boolean;
  /** The last trouble, and since when there has been some without a success; undefined where all is well. */
  trouble(): { readonly kind: Trouble; readonly since: number } | undefined;
  /** The vendor took what was sent at `sentAt`, with its end to come: it is there, and no quota is in the way. */
  noteTaken(sentAt: number): void;
  /** The vendor works: a call that was sent at `sentAt` had the effect that was asked for. @returns whether it ends the trouble */
  noteSuccess(sentAt: number): boolean;
  /**
   * A call that was sent at `sentAt` met trouble. Calls that were under way when the first one failed count as one.
   * @param askedMs what the vendor asks to wait for
   * @returns whether it counts
   */
  noteTrouble(kind: Trouble, askedMs: number | undefined, sentAt: number): boolean;
}

export const createPace = (clock: Clock): Pace => {
  /** By our own back-off, and by what the vendor asked for. */
  let quietUntil = 0;
  let askedUntil = 0;
  /** Troubles in a row. */
  let streak = 0;
  let failing = 0;
  let last: { readonly kind: Trouble; readonly at: number } | undefined;
  let since = 0;

  const calm = (): void => {
    streak = 0;
    quietUntil = 0;
    askedUntil = 0;
  };
  const isOlder = (sentAt: number): boolean => last !== undefined && sentAt < last.at;

  return {
    quietMs: (maxWaitMs) => {
      const own = Math.min(quietUntil, (last?.at ?? 0) + maxWaitMs);
      return Math.max(askedUntil - clock.now(), own - clock.now(), 0);
    },
    isProbing: () => streak > 0,
    isFailing: () => failing > 0,
    trouble: () => (last && streak > 0 ? { kind: last.kind, since } : undefined),
    noteTaken: (sentAt) => {
      if (failing === 0 && !isOlder(sentAt)) calm();
    },
    noteSuccess: (sentAt) => {
      if (isOlder(sentAt)) return false;
      calm();
      failing = 0;
      return true;
    },
    noteTrouble: (kind, askedMs = 0, sentAt) => {
      const now = clock.now();
      const counts = !isOlder(sentAt);
      // Nobody waits longer; the next operation tries.
      if (askedMs <= BATCH_PATIENCE.quotaMs) askedUntil = Math.max(askedUntil, now + askedMs);
      if (!counts) return false;
      if (streak === 0) since = now;
      quietUntil = Math.max(quietUntil, now + backOffMs(streak));
      streak++;
      if (kind === 'failing') failing++;
      last = { kind, at: now };
      return true;
    },
  };
};

/** The pace of each step of one cluster: quotas are counted for each, all other trouble is of the whole cluster. */
export const createPaces = (clock: Clock): ((step: string) => Pace) => {
  const whole = createPace(clock);
  const steps = new Map<string, Pace>();

  const make = (own: Pace): Pace => ({
    quietMs: (maxWaitMs) => Math.max(own.quietMs(maxWaitMs), whole.quietMs(maxWaitMs)),
    isProbing: () => own.isProbing() || whole.isProbing(),
    isFailing: whole.isFailing,
    trouble: () => own.trouble() ?? whole.trouble(),
    noteTaken: (sentAt) => {
      own.noteTaken(sentAt);
      whole.noteTaken(sentAt);
    },
    noteSuccess: (sentAt) => {
      const counts = own.noteSuccess(sentAt);
      return whole.noteSuccess(sentAt) && counts;
    },
    noteTrouble: (kind, askedMs, sentAt) => {
      if (kind !== 'quota') return whole.noteTrouble(kind, askedMs, sentAt);
      // A vendor that counts is there.
      whole.noteTaken(sentAt);
      return own.noteTrouble(kind, askedMs, sentAt);
    },
  });

  return (step) => {
    const pace = steps.get(step) ?? make(createPace(clock));
    steps.set(step, pace);
    return pace;
  };
};

/** How long one operation waits for a vendor in trouble, counted by its own calls and by the time since its own last success. */
export interface Endurance {
  readonly maxWaitMs: number;
  /** Something of it was settled, or is surely under way. */
  noteProgress(): void;
  /** @param ends whether its trouble is over with it */
  noteSuccess(ends: boolean): void;
  /** A call of its own met trouble. @param counts false for a call that was under way when an earlier one failed */
  noteTrouble(kind: Trouble, waitMs: number, counts: boolean): void;
  /** Whether trouble of this kind is still waited for, with a wait of so long. */
  isLeft(kind: Trouble, waitMs: number): boolean;
  /** The same for trouble that only others have met. @param since when it began */
  isLeftFor(trouble: { readonly kind: Trouble; readonly since: number }, waitMs: number): boolean;
}

export const createEndurance = (clock: Clock, patience: Patience): Endurance => {
  let streak = 0;
  let failing = 0;
  /** Since when nothing has gone well; waiting for a quota does not count. */
  let since = clock.now();
  let quotaSince: number | undefined;
  const limitOf: Readonly<Record<Trouble, number>> = {
    quota: patience.quotaMs,
    unavailable: patience.unavailableMs,
    failing: patience.failingMs,
  };

  const noteProgress = (): void => {
    since = clock.now();
    quotaSince = undefined;
  };

  return {
    maxWaitMs: patience.maxWaitMs,
    noteProgress,
    noteSuccess: (ends) => {
      noteProgress();
      if (!ends) return;
      streak = 0;
      failing = 0;
    },
    noteTrouble: (kind, waitMs, counts) => {
      // The patience begins with the first trouble, not with the work.
      if (counts && streak++ === 0) since = clock.now();
      if (counts && kind === 'failing') failing++;
      if (kind !== 'quota') return;
      quotaSince ??= clock.now();
      if (waitMs <= patience.quotaMs) since = Math.max(since, clock.now() + waitMs);
    },
    isLeft: (kind, waitMs) => {
      const start = kind === 'quota' ? (quotaSince ?? clock.now()) : since;
      return clock.now() + waitMs - start <= limitOf[kind] && (kind !== 'failing' || failing < patience.failingCalls);
    },
    isLeftFor: (trouble, waitMs) => {
      const limit = trouble.kind === 'quota' ? patience.quotaMs : patience.unavailableMs;
      return clock.now() + waitMs - Math.max(trouble.since, since) <= limit;
    },
  };
};
