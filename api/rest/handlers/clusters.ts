import type { Clusters } from '../../../src/clusters/directory.js';
import { incompleteOf } from '../incomplete.js';
import type { Handlers } from '../operations.js';
import { toProblem } from '../problem.js';

export const clusterHandlers = (clusters: Clusters): Pick<Handlers, 'listVendors' | 'listClusters' | 'getCluster'> => ({
  listVendors: () => ({ status: 200, body: { items: clusters.vendors() } }),

  listClusters: async ({ call, links }) => {
    const { items, problems, omitted } = await clusters.list(call);
    const about = { instance: '/clusters', requestId: call.requestId, links };
    const shown = problems.map(({ account, error }) => ({ account, problem: toProblem(error, about) }));
    return { status: 200, body: { items, problems: shown, incomplete: incompleteOf(omitted) } };
  },

  getCluster: async ({ params, call }) => ({ status: 200, body: await clusters.get(params.clusterId, call) }),
});
