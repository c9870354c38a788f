/** Clusters that no configuration names: those of the accounts' own lists, which are kept for a while. No account waits long for another one. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Call, ClusterListing } from '../adapter.js';
import { type CallerCall, sees } from '../callers/caller.js';
import { mayEverywhere } from '../callers/rights.js';
import { firstOf } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import type { Listings } from './listings.js';
import { type Account, clusterKeyOf, type Registry, type Target } from './registry.js';

/** Once one account has the cluster, the others are waited for so long since they were asked: they may show it, too. */
const OTHERS_MS = 1_000;
/** So long is waited for accounts whose earlier lists have no such cluster: it may be new. */
const NEW_MS = 5_000;

export interface AccountProblem {
  readonly account: string;
  readonly error: GatewayError;
}

/** Hears once of a cluster that is read only, since accounts of several write domains show it. */
export type OnShared = (clusterId: string, accounts: readonly string[]) => void;

export interface Discovery {
  /** A cluster that the configuration names is known by that id only. */
  targetsIn(account: Account, listing: ClusterListing | undefined): Target[];
  /** A discovered cluster, read only where an account of another write domain shows it, too. @param answered what accounts have now */
  owned(target: Target, answered: ReadonlyMap<Account, ClusterListing>): Target;
  /** Whether the caller may know that there is such an account: it has a cluster that they may see, as far as anybody knows. */
  isKnownTo(account: Account, call: CallerCall): boolean;
  /** @throws cluster_not_found; vendor_bad_response where it may stand in a row that names nobody; why an account cannot be asked */
  find(clusterId: string, call: CallerCall): Promise<Target>;
  /** Calls `visit` for each discovered cluster that the caller may see, once, as soon as it is known. @returns accounts that cannot be asked */
  forEach(call: CallerCall, visit: (target: Target) => Promise<void>): Promise<AccountProblem[]>;
}

type Known = Pick<Target, 'id'> & Partial<Target>;

/** A cluster that is not there, or not for this caller: the answer is the same. What it suggests, the caller may see. */
export const unknownCluster = (clusterId: string, known: readonly Known[], call: CallerCall): GatewayError => {
  const seen = known.filter(({ id }) => sees(call, id));
  const named = seen.find(({ vendorClusterId, discovered }) => discovered === false && vendorClusterId === clusterId);
  const ids = new Set(seen.map(({ id }) => id));
  const help = named ? ` The configuration calls it ${named.id}.` : didYouMean(clusterId, ids);
  return new GatewayError('cluster_not_found', `There is no cluster ${clusterId}.${help}`);
};

/** Whether the caller may see a cluster that the configuration does not name. */
export const mayMeetOthers = (targets: readonly Target[], { caller }: CallerCall): boolean =>
  caller.rights.some(
    ({ clusters, verbs }) =>
      verbs.includes('read') && clusters.some((glob) => glob.includes('*') || !targets.some(({ id }) => id === glob)),
  );

/** In place of the failure of an account that the caller may not know. */
const notFoundOut = (clusterId: string): GatewayError =>
  new GatewayError('vendor_unavailable', `Whether there is a cluster ${clusterId} cannot be found out now.`);

const mayBeLeftOut = (clusterId: string): GatewayError =>
  new GatewayError(
    'vendor_bad_response',
    `An account lists a cluster that has no usable name, so whether there is a cluster ${clusterId} is not known.`,
  );

export const createDiscovery = (
  { accounts, targets }: Pick<Registry, 'accounts' | 'targets'>,
  listings: Listings,
  onShared: OnShared,
): Discovery => {
  const configured = new Set(targets.map(({ id }) => id));
  const discovering = accounts.filter(({ discover }) => discover);
  const warned = new Set<string>();
  const lastOf = (account: Account): ClusterListing | undefined => listings.last(account)?.listing;

  const targetsIn = (account: Account, listing: ClusterListing | undefined): Target[] =>
    (listing?.clusters ?? [])
      .filter(({ id }) => !configured.has(id) && !targets.some((t) => t.account === account && t.vendorClusterId === id))
      .map(({ id }) => ({ id, account, vendorClusterId: id, discovered: true }));

  const withOwner = (target: Target, shown: readonly Target[]): Target => {
    const key = clusterKeyOf(target.account, target.vendorClusterId);
    const rival = [...targets, ...shown].find(
      ({ account, vendorClusterId }) =>
        account.domain !== target.account.domain && clusterKeyOf(account, vendorClusterId) === key,
    );
    if (!rival) return target;
    if (!warned.has(target.id)) onShared(target.id, [target.account.name, rival.account.name]);
    warned.add(target.id);
    return { ...target, writtenBy: rival.account.name };
  };

  /** The cluster at all accounts that show it, or showed it when they answered last: such a one may still write to it. */
  const shownBy = (answered: ReadonlyMap<Account, ClusterListing>, clusterId: string): Target[] =>
    discovering
      .flatMap((account) => targetsIn(account, answered.get(account) ?? lastOf(account)))
      .filter(({ id }) => id === clusterId);

  const wait = (ms: number): Promise<void> => pause(ms, undefined, { ref: false });

  /** The lists of all accounts, as far as they are known when one of them has the cluster. */
  const listsFor = async (clusterId: string, call: Call) => {
    const failures = new Map<Account, unknown>();
    const answered = new Map<Account, ClusterListing>();
    let hit = (): void => undefined;
    const isHit = new Promise<void>((resolve) => {
      hit = resolve;
    });
    const all = Promise.all(
      discovering.map(async (account) => {
        try {
          const listing = await listings.recent(account, call);
          answered.set(account, listing);
          if (listing.clusters.some(({ id }) => id === clusterId)) hit();
        } catch (thrown) {
          failures.set(account, thrown);
        }
      }),
    );
    /** An account that does not answer may still have what it had. */
    const wasThere = discovering.some((account) => lastOf(account)?.clusters.some(({ id }) => id === clusterId));
    const isEnough = async (): Promise<void> => {
      await (wasThere ? Promise.race([isHit, wait(OTHERS_MS)]) : isHit);
      const silent = discovering.filter((account) => !answered.has(account) && !failures.has(account));
      const asked = Math.max(0, ...silent.map(listings.askedAt));
      const left = asked + OTHERS_MS - performance.now();
      if (left > 0) await wait(left);
    };
    const known = discovering.map(listings.last);
    // Most of the time: then there is nothing to wait for.
    if (known.every((one) => one && listings.isRecent(one))) await all;
    else await Promise.race([all, isEnough(), ...(known.includes(undefined) ? [] : [wait(NEW_MS)])]);
    return { answered, failures };
  };

  /** One that never answered may have a cluster for them. */
  const isKnownTo = (account: Account, call: CallerCall): boolean => {
    const known = lastOf(account);
    const isMet = known ? targetsIn(account, known).some(({ id }) => sees(call, id)) : mayMeetOthers(targets, call);
    const isSeen = targets.some((target) => target.account === account && sees(call, target.id));
    return isSeen || mayEverywhere(call.caller.rights, 'read') || (account.discover && isMet);
  };

  return {
    targetsIn,
    isKnownTo,

    owned: (target, answered) => withOwner(target, shownBy(answered, target.id)),

    find: async (clusterId, call) => {
      const { answered, failures } = await listsFor(clusterId, call);
      const inAnswers = discovering.flatMap((account) => targetsIn(account, answered.get(account)));
      const silent = discovering.filter((account) => !answered.has(account));
      const found = [...inAnswers, ...silent.flatMap((account) => targetsIn(account, lastOf(account)))];
      const [target] = found.filter(({ id }) => id === clusterId);
      if (target) return withOwner(target, shownBy(answered, clusterId));
      if (silent.some((account) => !failures.has(account))) throw notFoundOut(clusterId);
      for (const [account, failure] of failures) throw isKnownTo(account, call) ? failure : notFoundOut(clusterId);
      const isUnsure = discovering.some((account) => (answered.get(account)?.omitted ?? 0) > 0);
      if (isUnsure) throw mayBeLeftOut(clusterId);
      throw unknownCluster(clusterId, [...targets, ...found], call);
    },

    forEach: async (call, visit) => {
      const problems: AccountProblem[] = [];
      const seen = new Set<string>();
      await Promise.all(
        discovering.map(async (account) => {
          const known = lastOf(account);
          const soon = known ? { ...call, signal: firstOf([call.signal, AbortSignal.timeout(OTHERS_MS)]) } : call;
          const fail = (thrown: unknown): void => void problems.push({ account: account.name, error: asGatewayError(thrown) });
          const listing = await listings.recent(account, soon).catch((thrown: unknown) => {
            fail(thrown);
            return known;
          });
          const fresh = targetsIn(account, listing).filter(({ id }) => !seen.has(id) && sees(call, id));
          for (const { id } of fresh) seen.add(id);
          await Promise.all(fresh.map(visit)).catch(fail);
        }),
      );
      return problems;
    },
  };
};
