import type { Adapter, AdapterModule, JobState, NewUser, PasswordChange, Receipt } from '../../src/adapter.js';
import { GatewayError } from '../../src/errors.js';
import { byOffset, mapRows } from '../../src/paging.js';
import { readAll, readWindow } from '../../src/read-window.js';
import { badResponse } from '../../src/wire.js';
import { capabilities, MAX_PAGE_SIZE } from './capabilities.js';
import { createClient } from './client.js';
import { configSchema, type ShanheConfig } from './config.js';
import { readJobs } from './jobs.js';
import { toCluster, toJobState, toUser } from './mapping.js';
import type { HpcJob } from './types.js';

const MAX_CLUSTERS = 10_000;
/** Jobs that the list does not show are asked for one by one, so many at a time. */
const MAX_ASKED_APART = 3;
const PAGING = byOffset(MAX_PAGE_SIZE);

/** The contract's lists have exactly one member here: `capabilities.batch` says so. */
/** The vendor names no requests; the job is what it can be asked about. */
const accepted = (job: string): Receipt => ({ state: 'accepted', job, requestId: job });

const only = <T>(items: readonly T[]): T => {
  const [item] = items;
  if (item === undefined || items.length > 1)
    throw new GatewayError('internal_error', 'Shanhe takes one user a call.', { effect: 'none' });
  return item;
};

/** Shanhe HPC, and QingCloud HPC, which is the same software. */
export const shanheHpc: AdapterModule<ShanheConfig> = {
  vendor: 'shanhe-hpc',
  title: 'Shanhe HPC',
  configSchema,
  // https://docsv3.qingcloud.com/compute/hpc/api/get_api/request/
  budget: { calls: 2_000, perSeconds: 3_600 },
  clusterKey: ({ endpoint, zone }, clusterId) => `${endpoint.replace(/\/+$/, '')} ${zone} ${clusterId}`,
  capabilities,

  create: (context): Adapter => {
    const { zone } = context.config;
    const client = createClient(context);

    return {
      listClusters: async (call) => {
        const { rows: clusters, omitted } = await readAll(MAX_CLUSTERS, PAGING, {
          fetch: async (page) => mapRows(await client.listClusters({}, page, call), (item) => toCluster(item, zone)),
          keyOf: ({ id }) => id,
        });
        return { clusters, omitted };
      },

      getCluster: async (clusterId, call) => {
        const page = await client.listClusters({ clusterId }, { start: 0, size: MAX_PAGE_SIZE }, call);
        const { rows } = mapRows(page, (item) => toCluster(item, zone));
        const cluster = rows.find((row) => row?.id === clusterId);
        if (!cluster && rows.includes(null)) throw badResponse('a cluster without a usable name');
        if (!cluster) throw new GatewayError('cluster_not_found', 'The vendor has no such cluster in this zone.');
        return cluster;
      },

      listUsers: async (clusterId, window, call) => {
        const { rows: users, ...rest } = await readWindow(window, PAGING, {
          fetch: async (page) => mapRows(await client.listUsers(clusterId, page, window.search, call), toUser),
          keyOf: ({ username }) => username,
        });
        return { users, ...rest };
      },

      lookUpUser: async (clusterId, username, call) => {
        const page = await client.listUsers(clusterId, { start: 0, size: MAX_PAGE_SIZE }, username, call);
        return mapRows(page, toUser).rows.find((user) => user?.username === username) ?? null;
      },

      createUsers: async (clusterId, users, call) => {
        const { username, password, directoryMode }: NewUser = only(users);
        const user = { username, password, ...(directoryMode !== undefined && { mod: directoryMode }) };
        return accepted(await client.addUser(clusterId, user, call));
      },

      setPasswords: async (clusterId, changes, call) => {
        const { username, password }: PasswordChange = only(changes);
        await client.modifyUser(clusterId, username, password, call);
        return { state: 'applied' };
      },

      deleteUsers: async (clusterId, usernames, call) => accepted(await client.deleteUser(clusterId, only(usernames), call)),

      getJobs: async (jobs, call) => {
        const known = jobs.length > 1 ? await readJobs(client, jobs, call) : new Map<string, HpcJob>();
        const missing = jobs.filter((job) => !known.has(job));
        const asked = new Set(missing.slice(0, MAX_ASKED_APART));
        return Promise.all(
          jobs.map(async (job): Promise<JobState> => {
            const listed = known.get(job);
            if (listed || asked.has(job)) return toJobState(listed ?? (await client.getJob(job, call)));
            // Nobody looked: another look may.
            return { state: 'pending' };
          }),
        );
      },
    };
  },
};
