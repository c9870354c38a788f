/** Users, as the engine writes them. */
import { type Clusters, capabilitiesOf } from '../clusters/directory.js';
import { type Account, clusterRefOf, type Target } from '../clusters/registry.js';
import { asGatewayError, type GatewayError } from '../errors.js';
import { stepOf } from '../journal/item.js';
import type { Resource, Site } from '../writes/resource.js';
import type { Word } from '../writes/verdict.js';
import type { Admission } from './admission.js';
import { checkUser } from './precondition.js';
import { createReader, type ReaderDeps } from './reader.js';
import { checkBound } from './steps/bounded.js';
import { stepsOf } from './steps/index.js';
import { wordOf } from './steps/word.js';

export interface UsersDeps extends ReaderDeps {
  readonly clusters: Clusters;
  readonly admission: Admission;
}

export const USERS = 'users';

const createSite = (target: Target, deps: UsersDeps): Site => {
  const { clusters, admission } = deps;
  const { account } = target;
  const cluster = clusterRefOf(target);
  const { getJobs } = account.adapter;
  const { key } = cluster;
  const step = stepsOf(target, (requirement, call) => admission.refusalOf(target, requirement, call));
  const read = createReader(target, key, deps);

  /** Refusals of the account or the cluster that may pass when they are waited for. */
  const mayPass = async (failure: GatewayError, call: Parameters<Site['wordOf']>[1]): Promise<boolean> => {
    if (failure.code !== 'cluster_not_ready') return true;
    return clusters.freshFacts(target, call).then(
      ({ state }) => state === 'ready' || state === 'unknown',
      () => true,
    );
  };

  return {
    clusterId: target.id,
    cluster,
    key,
    account: { name: account.name, vendor: account.module.vendor, ...(getJobs && { getJobs }) },
    conceal: account.conceal,
    hasJobs: capabilitiesOf(target).writes === 'job',
    step,
    read,

    limits: async (call) => {
      const facts = await clusters.facts(target, call).catch(() => undefined);
      const { concurrency, ...sizes } = capabilitiesOf(target, facts).batch;
      return { concurrency, sizes };
    },

    wordOf: async (failure, call) => {
      const error = await admission.explainDenial(target, call, Promise.reject(failure)).then(() => failure, asGatewayError);
      const word: Word = wordOf(error);
      return { error, word: word === 'busy_free' && !(await mayPass(error, call)) ? 'refused_all' : word };
    },

    check: async (items, call) => {
      const found = await read(
        items.map(({ name }) => name),
        call,
      );
      return items.map(
        (item) =>
          (item.ifMatch === undefined ? undefined : checkUser(target, step(stepOf(item)), item, found)) ??
          checkBound(target, item, found),
      );
    },
  };
};

export interface UsersResource extends Resource {
  /** What the `Date` header of the cluster's vendor shows now, less our clock, in milliseconds. */
  dateOffsetOf(key: string): number | null;
}

export const createUsersResource = (deps: UsersDeps): UsersResource => {
  /** Through which account a cluster is written to. */
  const accounts = new Map<string, Account>();
  return {
    name: USERS,
    at: (clusterId, cluster) => {
      const target = deps.clusters.at(clusterId, cluster);
      if (!target) return undefined;
      const site = createSite(target, deps);
      accounts.set(site.key, target.account);
      return site;
    },
    dateOffsetOf: (key) => accounts.get(key)?.dateOffsetMs() ?? null,
  };
};
