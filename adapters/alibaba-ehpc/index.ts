import type { Adapter, AdapterModule, Receipt } from '../../src/adapter.js';
import { mapRows } from '../../src/paging.js';
import { readAll } from '../../src/read-window.js';
import { CAPABILITIES } from './capabilities.js';
import { createClient } from './client.js';
import { configSchema, type EhpcConfig, endpointOf } from './config.js';
import { createListing, PAGING, pageNumber } from './listing.js';
import { groupOf, toCluster, toListed, toWire } from './mapping.js';

const MAX_CLUSTERS = 10_000;
const applied = (requestId: string | null): Receipt => ({ state: 'applied', requestId });

/** Alibaba Cloud E-HPC, RPC API 2018-04-12. */
export const alibabaEhpc: AdapterModule<EhpcConfig> = {
  vendor: 'alibaba-ehpc',
  title: 'Alibaba Cloud E-HPC',
  configSchema,
  // The public endpoint of a region and the one of its VPCs lead to the same clusters.
  clusterKey: (config, clusterId) => {
    const endpoint = endpointOf(config);
    return `${/^https:\/\/ehpc(-vpc)?\.[a-z0-9-]+\.aliyuncs\.com$/.test(endpoint) ? config.region : endpoint} ${clusterId}`;
  },
  capabilities: () => CAPABILITIES,

  create: (context): Adapter => {
    const { region } = context.config;
    const client = createClient(context);

    return {
      listClusters: async (call) => {
        const { rows: clusters, omitted } = await readAll(MAX_CLUSTERS, PAGING, {
          fetch: async (page) => mapRows(await client.listClusters(pageNumber(page), call), (info) => toListed(info, region)),
          keyOf: ({ id }) => id,
        });
        return { clusters, omitted };
      },

      getCluster: async (clusterId, call) => toCluster(await client.describeCluster(clusterId, call), region, clusterId),

      listUsers: createListing(client, context),

      createUsers: async (clusterId, users, call) => {
        return applied(await client.addUsers(clusterId, users.map(toWire), call));
      },

      setRoles: async (clusterId, changes, call) => {
        return applied(
          await client.modifyUserGroups(
            clusterId,
            changes.map(({ username, role }) => ({ Name: username, Group: groupOf(role) })),
            call,
          ),
        );
      },

      setPasswords: async (clusterId, changes, call) => {
        return applied(
          await client.modifyUserPasswords(
            clusterId,
            changes.map(({ username, password }) => ({ Name: username, Password: password })),
            call,
          ),
        );
      },

      deleteUsers: async (clusterId, usernames, call) => {
        return applied(
          await client.deleteUsers(
            clusterId,
            usernames.map((username) => ({ Name: username })),
            call,
          ),
        );
      },
    };
  },
};
