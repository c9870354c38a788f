/**
 * Lists of users that were read whole, kept for a moment: they answer windows, searches and questions for single users without a call. No list is
 * served that is older than a write which was answered: its end changes the revision of the cluster, and every hit compares it. Nothing of the write
 * engine is answered from here; what it reads whole is kept.
 */
import { randomUUID } from 'node:crypto';
import type { Call, VendorUser } from '../adapter.js';
import type { CallerCall } from '../callers/caller.js';
import type { Clock } from '../clock.js';
import { clusterKeyOf, type Target } from '../clusters/registry.js';
import type { Revisions } from '../journal/revisions.js';
import { type SharedWork, shareWork } from '../shared-work.js';
import type { Events } from '../telemetry/events.js';
import { findUsers } from './find.js';

export interface KeptList {
  /** Names it in cursors. */
  readonly id: string;
  /** In the vendor's order. */
  readonly users: readonly VendorUser[];
  /** Rows that name nobody, and are left out. */
  readonly omitted: number;
  /** When its reading began, in milliseconds since 1970. */
  readonly readAt: number;
  get(username: string): VendorUser | undefined;
  /** Those in whose names the text is, upper and lower case alike. */
  search(text: string): readonly VendorUser[];
}

/** What was found out before the vendor is asked. */
export interface Look {
  readonly list: KeptList | undefined;
  /** Undefined where nothing may be kept. */
  readonly revision: string | undefined;
  readonly at: number;
}

export interface KeptLists {
  /** What is kept of the cluster, if it may be served. */
  look(target: Target, call: CallerCall): Promise<Look>;
  /** Before a reading of the engine, which asks the vendor in any case. */
  revisionOf(target: Target): Promise<Look>;
  /** The list that a cursor names, as long as it is kept; those who page through it keep it. */
  pinned(id: string | undefined, target: Target): KeptList | undefined;
  pin(list: KeptList): void;
  /** Keeps a list that was read whole after the look. */
  keep(target: Target, look: Look, users: readonly VendorUser[], omitted: number): KeptList;
  /**
   * One call for all who ask the same meanwhile, after the same writes.
   * @param read gets the look of the one who asked first @returns with when that was
   */
  share<T>(
    target: Target,
    look: Look,
    what: readonly unknown[],
    call: CallerCall,
    read: (call: Call, look: Look) => Promise<T>,
  ): Promise<{ readonly value: T; readonly readAt: number }>;
  /** Users of all lists that are kept. */
  size(): number;
}

export interface KeptListsOptions {
  /** 0: nothing is kept. */
  readonly ms: number;
  readonly maxUsers: number;
}

/** How long a list is kept for cursors after it was last used. */
const PINNED_MS = 5 * 60_000;
/** Callers who do not want what is kept get it all the same where it is younger. */
const FRESH_MS = 1_000;
const SWEEP_MS = 1_000;
/** Of a reading that is shared, which does not end with one asker's deadline. */
const READ_MS = 60_000;

interface Entry {
  readonly list: KeptList;
  readonly cluster: string;
  readonly revision: string;
  usedAt: number;
  isPinned: boolean;
}

/** A reading that others may join. */
interface Reading<T> {
  readonly work: SharedWork<T>;
  readonly readAt: number;
}

export const createList = (users: readonly VendorUser[], omitted: number, readAt: number): KeptList => {
  let byName: Map<string, VendorUser> | undefined;
  let lower: readonly string[] | undefined;
  return {
    id: randomUUID(),
    users,
    omitted,
    readAt,
    get: (username) => {
      byName ??= new Map(users.map((user) => [user.username, user]));
      return byName.get(username);
    },
    search: (text) => {
      const part = text.toLowerCase();
      lower ??= users.map(({ username }) => username.toLowerCase());
      const names = lower;
      return users.filter((_, at) => names[at]?.includes(part));
    },
  };
};

export const createKeptLists = (
  resource: string,
  revisions: Revisions,
  { ms, maxUsers }: KeptListsOptions,
  clock: Clock,
  events: Events,
): KeptLists => {
  /** By id; the one that was used longest ago is first. */
  const entries = new Map<string, Entry>();
  /** The last one of each cluster, as an account sees it. */
  const latest = new Map<string, Entry>();
  const readings = new Map<string, Reading<unknown>>();
  let kept = 0;
  let sweptAt = 0;

  const clusterOf = ({ account, vendorClusterId }: Target): string => JSON.stringify([account.name, vendorClusterId]);

  const drop = (entry: Entry): void => {
    if (!entries.delete(entry.list.id)) return;
    kept -= entry.list.users.length;
    if (latest.get(entry.cluster) === entry) latest.delete(entry.cluster);
  };

  const isOld = (entry: Entry, now: number): boolean =>
    entry.isPinned ? now - entry.usedAt > PINNED_MS : now - entry.list.readAt > ms;

  const sweep = (now: number): void => {
    if (now - sweptAt < SWEEP_MS) return;
    sweptAt = now;
    for (const entry of [...entries.values()]) if (isOld(entry, now)) drop(entry);
  };

  const use = (entry: Entry): KeptList => {
    entry.usedAt = clock.now();
    entries.delete(entry.list.id);
    entries.set(entry.list.id, entry);
    return entry.list;
  };

  const revisionOf = async (target: Target): Promise<Look> => {
    const at = clock.now();
    if (ms === 0) return { list: undefined, revision: undefined, at };
    const key = clusterKeyOf(target.account, target.vendorClusterId);
    return { list: undefined, revision: await revisions.of(resource, { key }), at };
  };

  return {
    revisionOf,

    look: async (target, call) => {
      const look = await revisionOf(target);
      if (ms === 0) return look;
      sweep(look.at);
      const entry = latest.get(clusterOf(target));
      const age = entry ? look.at - entry.list.readAt : Number.POSITIVE_INFINITY;
      const isUsable = entry !== undefined && age < ms && look.revision !== undefined && entry.revision === look.revision;
      const isBypassed = isUsable && call.isFresh === true && age >= FRESH_MS;
      events.emit('list', { result: isBypassed ? 'bypass' : isUsable ? 'hit' : 'miss' });
      return isUsable && !isBypassed ? { ...look, list: use(entry) } : look;
    },

    pinned: (id, target) => {
      const entry = id === undefined ? undefined : entries.get(id);
      return entry && entry.cluster === clusterOf(target) && !isOld(entry, clock.now()) ? use(entry) : undefined;
    },

    pin: ({ id }) => {
      const entry = entries.get(id);
      if (entry) entry.isPinned = true;
    },

    keep: (target, { revision, at }, users, omitted) => {
      const list = createList(users, omitted, at);
      if (ms === 0 || revision === undefined || users.length > maxUsers) return list;
      const cluster = clusterOf(target);
      const before = latest.get(cluster);
      // A reading that began earlier ended later.
      if (before && before.list.readAt > at) return list;
      if (before && !before.isPinned) drop(before);
      const entry: Entry = { list, cluster, revision, usedAt: at, isPinned: false };
      entries.set(list.id, entry);
      latest.set(cluster, entry);
      kept += users.length;
      for (const oldest of entries.values()) {
        if (kept <= maxUsers) break;
        drop(oldest);
      }
      return list;
    },

    share: async <T>(
      target: Target,
      look: Look,
      what: readonly unknown[],
      call: CallerCall,
      read: (call: Call, look: Look) => Promise<T>,
    ) => {
      if (look.revision === undefined) return { value: await read(call, look), readAt: look.at };
      const key = JSON.stringify([clusterOf(target), look.revision, ...what]);
      const known = readings.get(key) as Reading<T> | undefined;
      const isOld = known !== undefined && call.isFresh === true && look.at - known.readAt >= FRESH_MS;
      const running = known?.work.isAbandoned || isOld ? undefined : known;
      if (running) events.emit('list', { result: 'shared' });
      const begin = (): Reading<T> => {
        const work = shareWork(clock, READ_MS, (signal) =>
          read({ ...call, signal }, look).finally(() => {
            if (readings.get(key) === begun) readings.delete(key);
          }),
        );
        const begun: Reading<T> = { work, readAt: look.at };
        readings.set(key, begun);
        return begun;
      };
      const { work, readAt } = running ?? begin();
      return { value: await work.join(call.signal), readAt };
    },

    size: () => kept,
  };
};

/** Finds users as the engine asks for them, at the vendor, and keeps what was read whole. */
export const keepingFind =
  (lists: Pick<KeptLists, 'revisionOf' | 'keep'>): typeof findUsers =>
  async (target, usernames, call, options) => {
    const look = await lists.revisionOf(target);
    return findUsers(target, usernames, call, {
      ...options,
      onWhole: (users, omitted) => lists.keep(target, look, users, omitted),
    });
  };
