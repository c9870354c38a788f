import type { Adapter, AdapterModule, Receipt } from '../../src/adapter.js';
import { numberedPages, readWindow } from '../../src/paging.js';
import { CAPABILITIES } from './capabilities.js';
import { createClient } from './client.js';
import { configSchema, type EhpcConfig } from './config.js';
import { createListing, MAX_PAGE_SIZE, pageNumber } from './listing.js';
import { groupOf, toCluster, toWire } from './mapping.js';

const MOST_CLUSTERS = 10_000;
const APPLIED: Receipt = { state: 'applied' };

/** Alibaba Cloud E-HPC, RPC API 2018-04-12. */
export const alibabaEhpc: AdapterModule<EhpcConfig> = {
  vendor: 'alibaba-ehpc',
  title: 'Alibaba Cloud E-HPC',
  configSchema,
  capabilities: () => CAPABILITIES,

  create: (context): Adapter => {
    const { region, listing, timeZone } = context.config;
    const client = createClient(context);

    return {
      listClusters: async (call) => {
        const window = { offset: 0, limit: MOST_CLUSTERS };
        const { rows } = await readWindow(window, numberedPages(0, MOST_CLUSTERS, MAX_PAGE_SIZE), (page) =>
          client.listClusters(pageNumber(page), call),
        );
        return rows.map((info) => toCluster(info, region));
      },

      getCluster: async (clusterId, call) => toCluster(await client.describeCluster(clusterId, call), region, clusterId),

      listUsers: createListing(client, listing, timeZone),

      createUsers: async (clusterId, users, call) => {
        await client.addUsers(clusterId, users.map(toWire), call);
        return APPLIED;
      },

      setRoles: async (clusterId, changes, call) => {
        await client.modifyUserGroups(
          clusterId,
          changes.map(({ username, role }) => ({ Name: username, Group: groupOf(role) })),
          call,
        );
        return APPLIED;
      },

      setPasswords: async (clusterId, changes, call) => {
        await client.modifyUserPasswords(
          clusterId,
          changes.map(({ username, password }) => ({ Name: username, Password: password })),
          call,
        );
        return APPLIED;
      },

      deleteUsers: async (clusterId, usernames, call) => {
        await client.deleteUsers(
          clusterId,
          usernames.map((username) => ({ Name: username })),
          call,
        );
        return APPLIED;
      },
    };
  },
};
