import type { Adapter, AdapterModule, Receipt } from '../../src/adapter.js';
import { byNumber, mapRows } from '../../src/paging.js';
import { readAll, readWindow } from '../../src/read-window.js';
import { badResponse } from '../../src/wire.js';
import { CAPABILITIES, MAX_PAGE_SIZE } from './capabilities.js';
import { createClient } from './client.js';
import { type Config, configSchema } from './config.js';
import { toCluster, toUser, toWire } from './mapping.js';

const MAX_CLUSTERS = 10_000;
// EDIT: byOffset for a vendor that takes an offset instead of a page number.
const PAGING = byNumber(MAX_PAGE_SIZE);
const APPLIED: Receipt = { state: 'applied' };

/** EDIT: which product, which version of its API. Until edited, this folder describes a vendor that does not exist. */
export const exampleHpc: AdapterModule<Config> = {
  vendor: 'example-hpc',
  title: 'Example HPC',
  configSchema,
  capabilities: () => CAPABILITIES,

  // EDIT: a method for everything that the vendor can do and none for the rest: no setRoles here, so a role change answers 501.
  // A write that starts a job answers { state: 'accepted', job } and needs getJobs. src/adapter.ts is the manual.
  create: (context): Adapter => {
    const client = createClient(context);

    return {
      listClusters: async (call) => {
        const { rows: clusters, omitted } = await readAll(MAX_CLUSTERS, PAGING, {
          fetch: async (page) => mapRows(await client.listClusters(page, call), toCluster),
          keyOf: ({ id }) => id,
        });
        return { clusters, omitted };
      },

      getCluster: async (clusterId, call) => {
        const cluster = toCluster(await client.describeCluster(clusterId, call));
        if (!cluster) throw badResponse('a cluster without id');
        return cluster;
      },

      listUsers: async (clusterId, window, call) => {
        const { rows: users, ...rest } = await readWindow(window, PAGING, {
          fetch: async (page) => mapRows(await client.listUsers(clusterId, page, call), toUser),
          keyOf: ({ username }) => username,
        });
        return { users, ...rest };
      },

      createUsers: async (clusterId, users, call) => {
        await client.addUsers(clusterId, users.map(toWire), call);
        return APPLIED;
      },

      setPasswords: async (clusterId, changes, call) => {
        const users = changes.map(({ username, password }) => ({ login: username, password }));
        await client.setPasswords(clusterId, users, call);
        return APPLIED;
      },

      deleteUsers: async (clusterId, usernames, call) => {
        const users = usernames.map((username) => ({ login: username }));
        await client.removeUsers(clusterId, users, call);
        return APPLIED;
      },
    };
  },
};
