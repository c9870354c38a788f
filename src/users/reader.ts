/** Reading users of one cluster by name. */
import type { Call } from '../adapter.js';
import type { Target } from '../clusters/registry.js';
import { type Found, MAX_LOOK_UPS, type ReadOptions } from '../writes/resource.js';
import type { SharedReads } from './shared-reads.js';
import { toThing, type UserThing } from './steps/step.js';

const MAX_CLUSTERS = 10_000;

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

/** Users by name: by the vendor's own look-up where there is one and it finds them, else by one listing. */
export type Reader = (usernames: readonly string[], call: Call, options?: ReadOptions) => Promise<Found>;

export const createReader = (target: Target, cluster: string, { lookUps, reads }: ReaderDeps): Reader => {
  const { adapter } = target.account;

  const lookUp = async (usernames: readonly string[], call: Call): Promise<Map<string, UserThing | null>> => {
    const found = new Map<string, UserThing | null>();
    if (!adapter.lookUpUser || usernames.length > MAX_LOOK_UPS) return found;
    for (const username of usernames) {
      const hit = await adapter.lookUpUser(target.vendorClusterId, username, call);
      if (hit?.username !== username) continue;
      found.set(username, toThing(hit));
      lookUps.noteFound(cluster);
    }
    return found;
  };

  return async (usernames, call, { trustLookUps = false, ...options } = {}) => {
    const found = await lookUp(usernames, call);
    const rest = usernames.filter((username) => !found.has(username));
    const isLookedUp = adapter.lookUpUser !== undefined && usernames.length <= MAX_LOOK_UPS;
    if (rest.length === 0 || (trustLookUps && isLookedUp && lookUps.works(cluster)))
      return { found, complete: true, isWhole: true };
    const listed = await reads.find(target, rest, call, options);
    for (const [username, user] of listed.found) found.set(username, user && toThing(user));
    return { found, complete: listed.complete, isWhole: listed.isWhole };
  };
};
