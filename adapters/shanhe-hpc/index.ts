import type { Adapter, AdapterModule, NewUser, PasswordChange } from '../../src/adapter.js';
import { GatewayError } from '../../src/errors.js';
import { byOffset } from '../../src/paging.js';
import { readAll, readWindow } from '../../src/read-window.js';
import { text } from '../../src/wire.js';
import { capabilities, MAX_PAGE_SIZE } from './capabilities.js';
import { createClient } from './client.js';
import { configSchema, type ShanheConfig } from './config.js';
import { toCluster, toJobState, toUser } from './mapping.js';

const MAX_CLUSTERS = 10_000;
const PAGING = byOffset(MAX_PAGE_SIZE);

/** The contract's lists have exactly one member here: `capabilities.batch` says so. */
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
  capabilities,

  create: (context): Adapter => {
    const { zone } = context.config;
    const client = createClient(context);

    return {
      listClusters: async (call) => {
        const rows = await readAll(MAX_CLUSTERS, PAGING, {
          fetch: (page) => client.listClusters({}, page, call),
          keyOf: (item) => toCluster(item, zone).id,
        });
        return rows.map((item) => toCluster(item, zone));
      },

      getCluster: async (clusterId, call) => {
        const { rows } = await client.listClusters({ clusterId }, { start: 0, size: MAX_PAGE_SIZE }, call);
        const cluster = rows.map((item) => toCluster(item, zone)).find(({ id }) => id === clusterId);
        if (!cluster) throw new GatewayError('cluster_not_found', 'The vendor has no such cluster in this zone.');
        return cluster;
      },

      listUsers: async (clusterId, window, call) => {
        const { rows, total, incomplete } = await readWindow(window, PAGING, {
          fetch: (page) => client.listUsers(clusterId, page, window.search, call),
          keyOf: ({ username }) => text(username),
        });
        return { users: rows.map(toUser), total, incomplete };
      },

      lookUpUser: async (clusterId, username, call) => {
        const { rows } = await client.listUsers(clusterId, { start: 0, size: MAX_PAGE_SIZE }, username, call);
        return rows.map(toUser).find((user) => user.username === username) ?? null;
      },

      createUsers: async (clusterId, users, call) => {
        const { username, password, directoryMode }: NewUser = only(users);
        const user = { username, password, ...(directoryMode !== undefined && { mod: directoryMode }) };
        return { state: 'accepted', job: await client.addUser(clusterId, user, call) };
      },

      setPasswords: async (clusterId, changes, call) => {
        const { username, password }: PasswordChange = only(changes);
        await client.modifyUser(clusterId, username, password, call);
        return { state: 'applied' };
      },

      deleteUsers: async (clusterId, usernames, call) => ({
        state: 'accepted',
        job: await client.deleteUser(clusterId, only(usernames), call),
      }),

      getJobs: async (jobs, call) => {
        const listed = jobs.length > 1 ? await client.listJobs(call) : [];
        const known = new Map(listed.map((job) => [text(job.job_id), job]));
        return Promise.all(jobs.map(async (job) => toJobState(known.get(job) ?? (await client.getJob(job, call)))));
      },
    };
  },
};
