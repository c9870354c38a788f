/**
 * How far a cluster's own times are from our clock, learned from what the cluster acknowledged: a thing that was made between our send and
 * its acknowledgement has a time of the cluster's that lies between the two.
 */
import type { Clock } from '../clock.js';
import type { Age } from './verdict.js';

/** A larger uncertainty says nothing about who was first. */
export const MAX_UNCERTAINTY_MS = 2_000;
/** Clocks drift and are set: what was learned is kept for so long. */
const KEPT_MS = 60 * 60_000;
/** A time without a zone may be read in the wrong one (at most 14 h), on a clock that is minutes off. */
const UNKNOWN_UNCERTAINTY_MS = 15 * 60 * 60_000;
/** Most vendors write whole seconds. */
const SECOND_MS = 1_000;
const MAX_CLUSTERS = 10_000;
/** Acknowledged names that the next listing of a cluster may show. */
const MAX_NAMES = 100;
/** Names beside those asked for, from whose times the cluster's clock is learned. */
export const TEACHERS = 3;
/** After so long, somebody else may have made a thing of that name. */
const ACKNOWLEDGED_MS = 60_000;

/** The cluster's clock less ours, in milliseconds, is within these. */
interface Interval {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  /** What the vendor's `Date` header showed then, compared with our clock. */
  readonly date: number | null;
}

interface Acknowledged {
  readonly sentAt: number;
  readonly endedAt: number;
}

interface Learned {
  interval: Interval | undefined;
  /** Contradicts what was known before: one of the two is wrong, and the next one decides. */
  contradicting: Interval | undefined;
  readonly acknowledged: Map<string, Acknowledged>;
}

export interface Offsets {
  /** Notes that the cluster made this between two of our times, in milliseconds since 1970. */
  acknowledged(cluster: string, name: string, sentAt: number, endedAt: number): void;
  /** The name is being made or removed again: what was acknowledged of it is void. */
  forget(cluster: string, name: string): void;
  /** Names that were acknowledged lately and whose times have not been seen, newest first. */
  awaited(cluster: string): readonly string[];
  /** Learns from a listing, where the name was acknowledged. @param madeAt ISO 8601, the cluster's own time */
  observe(cluster: string, name: string, madeAt: string | null): void;
  /** Whether the offset is known to `MAX_UNCERTAINTY_MS`. */
  isKnown(cluster: string): boolean;
  /** When something with the cluster's time `madeAt` was made, compared with our time `since`. */
  age(cluster: string, madeAt: string | null, since: number): Age;
  /** Whether it was made after our time `since`, beyond all uncertainty. */
  isSurelyAfter(cluster: string, madeAt: string | null, since: number): boolean;
}

const precisionOf = (madeAtMs: number): number => (madeAtMs % SECOND_MS === 0 ? SECOND_MS : 1);

/** Undefined where the two contradict each other. */
const intersect = (known: Interval, fresh: Interval): Interval | undefined => {
  const [from, to] = [Math.max(known.from, fresh.from), Math.min(known.to, fresh.to)];
  return from <= to ? { ...fresh, from, to } : undefined;
};

const learn = (learned: Learned, fresh: Interval): void => {
  const known = learned.interval ?? learned.contradicting;
  const both = known ? intersect(known, fresh) : fresh;
  learned.interval = both;
  learned.contradicting = both ? undefined : fresh;
};

/** @param dateOffsetOf what the `Date` header of the cluster's vendor shows now, less our clock, in milliseconds */
export const createOffsets = (clock: Clock, dateOffsetOf: (cluster: string) => number | null = () => null): Offsets => {
  const clusters = new Map<string, Learned>();

  /** A `Date` that has moved since shows that a clock was set; one that is wrong, but steady, shows nothing. */
  const isVoid = (cluster: string, { at, date }: Interval): boolean => {
    const current = dateOffsetOf(cluster);
    const hasMoved = date !== null && current !== null && Math.abs(current - date) > MAX_UNCERTAINTY_MS + SECOND_MS;
    return hasMoved || clock.now() - at > KEPT_MS;
  };

  const learnedOf = (cluster: string): Learned => {
    const learned = clusters.get(cluster) ?? {
      interval: undefined,
      contradicting: undefined,
      acknowledged: new Map<string, Acknowledged>(),
    };
    // The cluster that was used longest ago is forgotten first.
    clusters.delete(cluster);
    clusters.set(cluster, learned);
    if (clusters.size > MAX_CLUSTERS) clusters.delete(clusters.keys().next().value as string);
    return learned;
  };

  const known = (cluster: string): Interval | undefined => {
    const interval = clusters.get(cluster)?.interval;
    if (!interval || isVoid(cluster, interval)) return undefined;
    return interval.to - interval.from <= MAX_UNCERTAINTY_MS ? interval : undefined;
  };

  return {
    acknowledged: (cluster, name, sentAt, endedAt) => {
      const { acknowledged } = learnedOf(cluster);
      acknowledged.delete(name);
      acknowledged.set(name, { sentAt, endedAt });
      if (acknowledged.size > MAX_NAMES) acknowledged.delete(acknowledged.keys().next().value as string);
    },

    forget: (cluster, name) => void clusters.get(cluster)?.acknowledged.delete(name),

    awaited: (cluster) =>
      [...(clusters.get(cluster)?.acknowledged ?? [])]
        .filter(([, { endedAt }]) => clock.now() - endedAt <= ACKNOWLEDGED_MS)
        .map(([name]) => name)
        .reverse(),

    observe: (cluster, name, madeAt) => {
      const learned = clusters.get(cluster);
      const acknowledged = learned?.acknowledged.get(name);
      if (!learned || !acknowledged) return;
      learned.acknowledged.delete(name);
      if (clock.now() - acknowledged.endedAt > ACKNOWLEDGED_MS) return;
      const made = Date.parse(madeAt ?? '');
      if (Number.isNaN(made)) return;
      const fresh: Interval = {
        from: made - acknowledged.endedAt,
        to: made + precisionOf(made) - acknowledged.sentAt,
        at: clock.now(),
        date: dateOffsetOf(cluster),
      };
      if (learned.interval && isVoid(cluster, learned.interval)) learned.interval = undefined;
      learn(learned, fresh);
    },

    isKnown: (cluster) => known(cluster) !== undefined,

    age: (cluster, madeAt, since) => {
      const made = Date.parse(madeAt ?? '');
      if (Number.isNaN(made)) return 'uncertain';
      const interval = known(cluster);
      if (!interval) return made + UNKNOWN_UNCERTAINTY_MS < since ? 'before' : 'uncertain';
      if (made + precisionOf(made) < since + interval.from) return 'before';
      return made > clock.now() + interval.to + SECOND_MS ? 'uncertain' : 'after';
    },

    isSurelyAfter: (cluster, madeAt, since) => {
      const made = Date.parse(madeAt ?? '');
      const interval = known(cluster);
      return !Number.isNaN(made) && interval !== undefined && made > since + interval.to;
    },
  };
};
