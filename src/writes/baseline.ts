/**
 * What a listing shows before anything is sent: the proof of who was first where two clocks prove nothing. Read once for an operation,
 * and again when it has become old; never more than a few pages.
 */
import type { Call } from '../adapter.js';
import { type Clock, SKEW_MS } from '../clock.js';
import { firstOf } from '../deadline.js';
import type { ThingRecord } from '../journal/records.js';
import { type Offsets, TEACHERS } from './offsets.js';
import type { Found, ReadOptions, Site, Thing } from './resource.js';
import type { Baseline, Nature } from './verdict.js';

/** Vendor pages that are worth it. A longer list is not read for creates; for removals the thing is most often found before its end. */
const MAX_PAGES = { create: 10, deleteOne: 4, deleteMany: 40 } as const;
/** After so long somebody else may have been there. */
export const FRESH_MS = 45_000;
const READ_MS = { one: 5_000, many: 20_000 } as const;
/** How long one thing is tried to be read, with waits in between. */
const TRY_MS = 1_000;
const WAIT_MS = 300;
/** With more, those that are old are looked for. */
const MAX_NAMES = 5_000;
export interface Baselines {
  /** Whether reading the thing before its step could prove something. */
  wants(nature: Nature, name: string): boolean;
  /** Reads the cluster where that can prove something. Never fails: what cannot be read is `unread`. */
  prepare(names: { readonly created: readonly string[]; readonly deleted: readonly string[] }, call: Call): Promise<void>;
  /** Notes what a complete reading showed, by our clock. */
  note(name: string, thing: Thing | null, at: number): void;
  /**
   * What is known of the thing, in view of what operations did to them since.
   * @param isOwn whether an operation of this process did it, by the same clock
   */
  of(name: string, lately: ThingRecord | undefined, isOwn: boolean): Baseline;
  /** What was known of the thing is void: the call for them is made again, later. */
  forget(name: string): void;
  /** Which thing was there. */
  seen(name: string): string | undefined;
}

interface Noted {
  readonly baseline: Baseline;
  readonly at: number;
  readonly identity?: string;
}

const notedOf = (thing: Thing | null, at: number): Noted =>
  thing ? { baseline: 'present', at, identity: thing.identity } : { baseline: 'absent', at };

export const createBaselines = (
  { key: cluster, read: readThings }: Pick<Site, 'key' | 'read'>,
  offsets: Offsets,
  clock: Clock,
  /** What was noted before then does not count: the store may have lost what operations did since. In milliseconds since 1970. */
  lossesUntil: () => number = () => 0,
): Baselines => {
  const known = new Map<string, Noted>();
  const triedAt = new Map<string, number>();

  const isFresh = (at: number | undefined): boolean => at !== undefined && clock.now() - at <= FRESH_MS;

  const of = (name: string, lately: ThingRecord | undefined, isOwn: boolean): Baseline => {
    const noted = known.get(name);
    if (!noted || !isFresh(noted.at) || noted.at <= lossesUntil()) return 'unread';
    const margin = isOwn ? 0 : SKEW_MS;
    const isSince = (at: number | undefined): boolean => at !== undefined && at + margin >= noted.at;
    const isSurelySince = (at: number | undefined): boolean => at !== undefined && at - margin >= noted.at;
    if (isSince(lately?.touchedAt)) return 'unread';
    // Where both say the same, it does not matter which came first.
    if (isSince(lately?.made?.at)) return noted.baseline === 'present' || isSurelySince(lately?.made?.at) ? 'present' : 'unread';
    if (isSince(lately?.goneAt)) return noted.baseline === 'absent' || isSurelySince(lately?.goneAt) ? 'absent' : 'unread';
    return noted.baseline;
  };

  /** A vendor that cannot be read for a moment is asked again; then the write goes without. */
  const tryToRead = async (
    names: readonly string[],
    bounded: Call,
    options: ReadOptions,
    until: number,
  ): Promise<Found | undefined> => {
    const attempt = () => readThings(names, bounded, { ...options, trustLookUps: true }).catch(() => undefined);
    let read = await attempt();
    while (!read && clock.now() < until && !bounded.signal.aborted) {
      await clock.sleep(WAIT_MS, bounded.signal);
      read = await attempt();
    }
    return read;
  };

  let forgottenAt = 0;
  const forgetOld = (): void => {
    const isDue = triedAt.size + known.size >= MAX_NAMES && !isFresh(forgottenAt);
    if (!isDue) return;
    forgottenAt = clock.now();
    for (const [name, at] of triedAt) if (!isFresh(at)) triedAt.delete(name);
    for (const [name, { at }] of known) if (!isFresh(at)) known.delete(name);
  };

  const isWanted = (name: string): boolean => !isFresh(triedAt.get(name)) && of(name, undefined, true) === 'unread';

  return {
    of,

    // The age of a thing shows whose it is, once the cluster's clock is known.
    wants: (nature, name) => (nature === 'remove' || (nature === 'add' && !offsets.isKnown(cluster))) && isWanted(name),

    forget: (name) => {
      known.delete(name);
      triedAt.delete(name);
    },

    seen: (name) => known.get(name)?.identity,

    note: (name, thing, at) => {
      forgetOld();
      known.set(name, notedOf(thing, at));
    },

    prepare: async ({ created, deleted }, { signal, ...call }) => {
      const judged = offsets.isKnown(cluster) ? deleted : [...new Set([...created, ...deleted])];
      const wanted = judged.filter(isWanted);
      if (wanted.length === 0) return;
      const at = clock.now();
      forgetOld();
      for (const name of wanted) triedAt.set(name, at);
      const isOne = wanted.length === 1;
      const isForDeletes = deleted.some((name) => wanted.includes(name));
      const options: ReadOptions = isForDeletes
        ? { maxPages: isOne ? MAX_PAGES.deleteOne : MAX_PAGES.deleteMany }
        : { maxPages: MAX_PAGES.create, wholeOrNothing: true };
      const bounded = { ...call, signal: firstOf([signal, clock.timeout(isOne ? READ_MS.one : READ_MS.many)]) };
      const names = isOne ? wanted : [...wanted, ...offsets.awaited(cluster).slice(0, TEACHERS)];
      const read = await tryToRead(names, bounded, options, isOne ? at + TRY_MS : at);
      // A reading that took long is not repeated before the send.
      for (const name of wanted) triedAt.set(name, clock.now());
      if (!read) return;
      for (const [name, thing] of read.found) if (thing) offsets.observe(cluster, name, thing.createdAt);
      for (const name of wanted) {
        const found = read.found.get(name) ?? null;
        if (found || read.complete) known.set(name, notedOf(found, at));
      }
    },
  };
};
