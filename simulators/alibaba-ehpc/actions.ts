import type { Fault } from '../kit/index.js';
import { describeCluster, listClusters } from './clusters.js';
import { refuse } from './errors.js';
import { type AsyncUserListing, type ListingOptions, listUsers } from './listing.js';
import type { EhpcCall } from './urls.js';
import { runWrite, WRITES, type WriteTools } from './writes.js';

type Action = (call: EhpcCall, fault: Fault | null) => Readonly<Record<string, unknown>>;

const clusterIdOf = (call: EhpcCall): string => call.clusterId || refuse('MissingClusterId');

/** Action name → handler. A handler returns the fields of the answer or throws a Refusal. */
export const createActions = (tools: WriteTools, async: AsyncUserListing, options: ListingOptions): Record<string, Action> => {
  const { state, quirks } = tools;
  const scope = { state, quirks, region: options.region };
  const writes = Object.entries(WRITES).map(([name, write]): [string, Action] => [
    name,
    (call, fault) => {
      runWrite(write, call, clusterIdOf(call), fault, tools);
      return {};
    },
  ]);
  return {
    ...Object.fromEntries(writes),
    ListUsers: (call, fault) => listUsers(call, fault, clusterIdOf(call), state, quirks),
    ...(options.asyncListing === 'unsupported'
      ? {}
      : { ListUsersAsync: (call, fault) => async.list(call, fault, clusterIdOf(call)) }),
    ListClusters: (call, fault) => listClusters(call, fault, 'simple', scope),
    ListClustersMeta: (call, fault) => listClusters(call, fault, 'meta', scope),
    DescribeCluster: (call) => describeCluster(clusterIdOf(call), scope),
  };
};
