import type { Fault } from '../kit/index.js';
import { describeCluster, listClusters } from './clusters.js';
import { refuse } from './errors.js';
import { createAsyncListing, type ListingOptions, listUsers } from './listing.js';
import type { EhpcQuirks } from './quirks.js';
import type { EhpcCall } from './urls.js';
import { runWrite, WRITES, type WriteTools } from './writes.js';

type Action = (call: EhpcCall, twist: Fault | null) => Readonly<Record<string, unknown>>;

const clusterIdOf = (call: EhpcCall): string => call.clusterId || refuse('MissingClusterId');

/** Action name → handler. A handler returns the fields of the answer or throws a Refusal. */
export const createActions = (tools: WriteTools, quirks: EhpcQuirks, options: ListingOptions): Record<string, Action> => {
  const { state } = tools;
  const listAsync = createAsyncListing(state, quirks, options);
  const writes = Object.entries(WRITES).map(([name, write]): [string, Action] => [
    name,
    (call, twist) => {
      runWrite(write, call, clusterIdOf(call), twist?.kind === 'half_batch', tools);
      return {};
    },
  ]);
  return {
    ...Object.fromEntries(writes),
    ListUsers: (call) => listUsers(call, clusterIdOf(call), state, quirks),
    ...(options.asyncListing === 'unsupported' ? {} : { ListUsersAsync: (call) => listAsync(call, clusterIdOf(call)) }),
    ListClusters: (call) => listClusters(call, state, options.region, 'simple'),
    ListClustersMeta: (call) => listClusters(call, state, options.region, 'meta'),
    DescribeCluster: (call) => describeCluster(clusterIdOf(call), state, options.region, quirks),
  };
};
