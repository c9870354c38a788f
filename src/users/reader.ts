/** Reading users of one cluster by name. */
import type { Call, VendorUser } from '../adapter.js';
import type { Target } from '../clusters/registry.js';
import type { FindOptions } from './find.js';
import type { SharedReads } from './shared-reads.js';

/** Up to so many users are looked up one by one, where the vendor can. */
export const ONE_BY_ONE = 3;

const MAX_CLUSTERS = 10_000;

export interface Found {
  readonly found: ReadonlyMap<string, VendorUser | null>;
  /** Whether a name that is not found is not there. */
  readonly complete: boolean;
}

export interface ReadOptions extends FindOptions {
  /** Whether a look-up that finds nobody will do, where look-ups of this cluster have found users before. */
  readonly trustLookUps?: boolean;
}

export interface Reader {
  /** Users by name: by the vendor's own look-up where there is one and it finds them, else by one listing. */
  read(usernames: readonly string[], call: Call, options?: ReadOptions): Promise<Found>;
}

/** Clusters whose look-ups are known to find users by their names. */
export interface LookUps {
  works(cluster: string): boolean;
  noteFound(cluster: string): void;
}

export const createLookUps = (): LookUps => {
  const proven = new Set<string>();
  return {
    works: (cluster) => proven.has(cluster),
    noteFound: (cluster) => {
      if (proven.size < MAX_CLUSTERS) proven.add(cluster);
    },
  };
};

/** What readers share: which look-ups work, and readings under way. */
export interface ReaderDeps {
  readonly lookUps: LookUps;
  readonly reads: SharedReads;
}

export const createReader = (target: Target, cluster: string, { lookUps, reads }: ReaderDeps): Reader => {
  const { adapter } = target.account;

  const lookUp = async (usernames: readonly string[], call: Call): Promise<Map<string, VendorUser | null>> => {
    const found = new Map<string, VendorUser | null>();
    if (!adapter.lookUpUser || usernames.length > ONE_BY_ONE) return found;
    for (const username of usernames) {
      const hit = await adapter.lookUpUser(target.vendorClusterId, username, call);
      if (hit?.username !== username) continue;
      found.set(username, hit);
      lookUps.noteFound(cluster);
    }
    return found;
  };

  return {
    read: async (usernames, call, { trustLookUps = false, ...options } = {}) => {
      const found = await lookUp(usernames, call);
      const rest = usernames.filter((username) => !found.has(username));
      const isLookedUp = adapter.lookUpUser !== undefined && usernames.length <= ONE_BY_ONE;
      if (rest.length === 0 || (trustLookUps && isLookedUp && lookUps.works(cluster))) return { found, complete: true };
      const listed = await reads.find(target, rest, call, options);
      return { found: new Map([...found, ...listed.found]), complete: listed.complete };
    },
  };
};
