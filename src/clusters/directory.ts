import type { Call, ClusterListing, VendorCluster } from '../adapter.js';
import { type CallerCall, sees } from '../callers/caller.js';
import { mayEverywhere } from '../callers/rights.js';
import { firstOf, untilAborted } from '../deadline.js';
import { asGatewayError, type GatewayError, type Report } from '../errors.js';
import type { ClusterRef } from '../journal/records.js';
import type { Capabilities, Cluster, UserFeature, Vendor } from '../model.js';
import { createCache } from './cache.js';
import { type Condition, createConditions } from './condition.js';
import { type AccountProblem, createDiscovery, mayMeetOthers, type OnShared, unknownCluster } from './discovery.js';
import { createListings, shared } from './listings.js';
import type { Account, Registry, Target } from './registry.js';

/** A cluster's kind and state are asked for again after this time; a write that the state would forbid asks at once. */
const FACTS_TTL_MS = 60_000;

/** The list of clusters waits for no vendor longer. */
const LIST_MS = 800;

const shownAsOf = (thrown: unknown, at: number): GatewayError => {
  const error = asGatewayError(thrown);
  return error.withMessage(`${error.message} The clusters are shown as of ${new Date(at).toISOString()}.`);
};

export interface Clusters {
  vendors(): Vendor[];
  /** Those that the caller may see. */
  list(call: CallerCall): Promise<{ items: Cluster[]; problems: AccountProblem[]; omitted: number }>;
  /** As the vendor describes it now. @throws cluster_not_found */
  get(clusterId: string, call: CallerCall): Promise<Cluster>;
  /**
   * The cluster and its account; asks a vendor only about discovered clusters. One that the caller may not see is like one that does not exist,
   * and nobody is asked about it.
   * @throws cluster_not_found
   */
  resolve(clusterId: string, call: CallerCall): Promise<Target>;
  /** Those that have a cluster that the caller may see. */
  accounts(call: CallerCall): readonly Account[];
  /** Clusters of the account, as far as they are known. Asks no vendor. */
  known(account: Account): readonly Target[];
  /** Of a cluster of the configuration; null of any other. */
  vendorOf(clusterId: string): string | null;
  /** What is answered about a cluster that is not there, or not for this caller. */
  unknown(clusterId: string, call: CallerCall): GatewayError;
  /** Calls `visit` for each cluster that the caller may see, once, as soon as it is known. @returns accounts that cannot be asked for theirs */
  forEach(call: CallerCall, visit: (target: Target) => Promise<void>): Promise<AccountProblem[]>;
  /** The cluster of work that began earlier, at the address where it was then. Asks no vendor. Undefined when that is no longer served. */
  at(clusterId: string, ref: ClusterRef): Target | undefined;
  /** The vendor's facts, at most a minute old. @throws cluster_not_found */
  facts(target: Target, call: Call): Promise<VendorCluster>;
  /** The vendor's facts as they are now. @throws cluster_not_found */
  freshFacts(target: Target, call: Call): Promise<VendorCluster>;
}

const READING: ReadonlySet<UserFeature> = new Set(['list', 'get']);

/** What may be done with a cluster that accounts of several write domains show. */
const permitted = ({ writtenBy }: Target, capabilities: Capabilities): Capabilities =>
  writtenBy === undefined
    ? capabilities
    : { ...capabilities, features: capabilities.features.filter((feature) => READING.has(feature)) };

export const capabilitiesOf = (target: Target, cluster?: VendorCluster): Capabilities =>
  permitted(target, target.account.module.capabilities(cluster, target.account.settings));

/** A cluster of the configuration, or one that was discovered before, that its vendor does not have. */
const missingAtVendor = ({ id, account, vendorClusterId, discovered }: Target, cause: GatewayError): GatewayError =>
  cause.withMessage(
    `The account ${account.name} has no cluster ${vendorClusterId}${discovered ? '' : `, which the configuration gives for ${id}`}.`,
    'cluster_not_found',
  );

const toCluster = (target: Target, facts: VendorCluster | undefined, condition: Condition): Cluster => ({
  id: target.id,
  name: facts?.name ?? null,
  vendor: target.account.module.vendor,
  account: target.account.name,
  vendorClusterId: target.vendorClusterId,
  region: facts?.region ?? null,
  zone: facts?.zone ?? null,
  state: facts?.state ?? 'unknown',
  vendorState: facts?.vendorState ?? null,
  createdAt: facts?.createdAt ?? null,
  discovered: target.discovered,
  capabilities: capabilitiesOf(target, facts),
  ...condition,
});

export const createClusters = (
  { modules, accounts, targets }: Registry,
  report: Report,
  onShared: OnShared = () => undefined,
): Clusters => {
  const configured = new Map(targets.map((target) => [target.id, target]));
  const factsCache = createCache<VendorCluster>(FACTS_TTL_MS);
  /** One question for all lists of clusters that are made meanwhile. */
  const factsOfList = createCache<VendorCluster>(LIST_MS);
  const listings = createListings();
  const discovery = createDiscovery({ accounts, targets }, listings, onShared);

  const targetOf = async (clusterId: string, call: CallerCall): Promise<Target> => {
    if (!sees(call, clusterId)) throw unknownCluster(clusterId, targets, call);
    return configured.get(clusterId) ?? discovery.find(clusterId, call);
  };

  /** Whether one of the account's clusters, or of those that it may have, is the caller's to see. */
  const mayHaveFor = (account: Account, call: CallerCall): boolean =>
    (account.discover && mayMeetOthers(targets, call)) ||
    targets.some((target) => target.account === account && sees(call, target.id));

  const knownOf = (account: Account): readonly Target[] => [
    ...targets.filter((target) => target.account === account),
    ...(account.discover ? discovery.targetsIn(account, listings.last(account)?.listing) : []),
  ];

  const factsKey = ({ account, vendorClusterId }: Target): string => `${account.name}/${vendorClusterId}`;

  const freshFacts = async (target: Target, call: Call): Promise<VendorCluster> => {
    try {
      const facts = await target.account.adapter.getCluster(target.vendorClusterId, call);
      factsCache.set(factsKey(target), facts);
      return facts;
    } catch (thrown) {
      const error = asGatewayError(thrown);
      factsCache.forget(factsKey(target));
      throw error.code === 'cluster_not_found' ? missingAtVendor(target, error) : error;
    }
  };

  return {
    vendors: () =>
      Object.values(modules).map(({ vendor, title, capabilities }) => ({ name: vendor, title, capabilities: capabilities() })),

    list: async (call) => {
      const problems: AccountProblem[] = [];
      const note = (account: Account, thrown: unknown): void => {
        const error = asGatewayError(thrown);
        if (error.code === 'internal_error') report(error, call.requestId);
        if (discovery.isKnownTo(account, call)) problems.push({ account: account.name, error });
      };
      const soon = { ...call, signal: firstOf([call.signal, AbortSignal.timeout(LIST_MS)]) };
      const asked = accounts.filter((account) => mayHaveFor(account, call));
      const found = new Map<Account, ClusterListing>();
      await Promise.all(
        asked.map(async (account) => {
          try {
            found.set(account, await listings.fresh(account, soon));
          } catch (thrown) {
            const known = listings.last(account);
            if (known) found.set(account, known.listing);
            if (!known || !listings.isRecent(known)) note(account, known ? shownAsOf(thrown, known.at) : thrown);
          }
        }),
      );
      const seen = new Set(configured.keys());
      const discovered = asked
        .filter(({ discover }) => discover)
        .flatMap((account) => discovery.targetsIn(account, found.get(account)))
        .filter(({ id }) => !seen.has(id) && seen.add(id) && sees(call, id))
        .map((target) => discovery.owned(target, found));
      const factsOf = async (target: Target): Promise<VendorCluster | undefined> => {
        const { account, vendorClusterId } = target;
        const listed = found.get(account)?.clusters.find(({ id }) => id === vendorClusterId);
        if (listed || !found.has(account)) return listed;
        // Not every cluster that works is listed: E-HPC's newer generation may not be.
        const question = factsOfList.get(factsKey(target), () => freshFacts(target, shared(call)));
        return untilAborted(question, soon.signal).catch((error: unknown) => {
          note(account, error);
          return undefined;
        });
      };
      const conditionOf = createConditions(call);
      const items = await Promise.all(
        [...targets.filter(({ id }) => sees(call, id)), ...discovered].map(async (target) =>
          toCluster(target, await factsOf(target), await conditionOf(target)),
        ),
      );
      const omitted = [...found]
        .filter(([account]) => discovery.isKnownTo(account, call))
        .reduce((sum, [, { omitted: left = 0 }]) => sum + left, 0);
      return { items, problems, omitted };
    },

    get: async (clusterId, call) => {
      const target = await targetOf(clusterId, call);
      const facts = await freshFacts(target, call);
      return toCluster(target, facts, await createConditions(call)(target));
    },

    resolve: targetOf,

    accounts: (call) =>
      accounts.filter(
        (account) => mayEverywhere(call.caller.rights, 'read') || knownOf(account).some(({ id }) => sees(call, id)),
      ),

    known: knownOf,

    vendorOf: (clusterId) => configured.get(clusterId)?.account.module.vendor ?? null,

    unknown: (clusterId, call) => unknownCluster(clusterId, targets, call),

    forEach: async (call, visit) => {
      const seen = targets.filter(({ id }) => sees(call, id));
      const others = mayMeetOthers(targets, call) ? discovery.forEach(call, visit) : [];
      const [, problems] = await Promise.all([Promise.all(seen.map(visit)), others]);
      for (const { error } of problems) if (error.code === 'internal_error') report(error, call.requestId);
      const known = new Set(accounts.filter((account) => discovery.isKnownTo(account, call)).map(({ name }) => name));
      return problems.filter(({ account }) => known.has(account));
    },

    at: (clusterId, { account: name, vendorClusterId }) => {
      const target = configured.get(clusterId);
      if (target) return target.account.name === name && target.vendorClusterId === vendorClusterId ? target : undefined;
      // A discovered cluster that is missing from one listing is still there to be asked.
      const account = accounts.find((candidate) => candidate.name === name && candidate.discover);
      return account && clusterId === vendorClusterId ? { id: clusterId, account, vendorClusterId, discovered: true } : undefined;
    },

    facts: (target, call) =>
      untilAborted(
        factsCache.get(factsKey(target), () => freshFacts(target, shared(call))),
        call.signal,
      ),

    freshFacts,
  };
};
