import { type Fault, inventedName, takePage } from '../kit/index.js';
import { derivedText } from '../kit/random.js';
import { refuse } from './errors.js';
import type { EhpcQuirks } from './quirks.js';
import { pageOf } from './rules.js';
import type { EhpcClusterSeed } from './seed.js';
import type { EhpcState } from './state.js';
import type { EhpcCall } from './urls.js';

const CREATED = '2020-10-30T07:39:20.000Z';

const metaOf = (seed: EhpcClusterSeed) => ({
  Id: seed.id,
  Name: seed.name,
  Status: seed.status,
  AccountType: seed.accountType ?? 'nis',
  SchedulerType: seed.scheduler ?? 'slurm',
  OsTag: 'CentOS_7.6_64',
  DeployMode: 'Standard',
  Location: 'PublicCloud',
  ClientVersion: '1.0.64',
  IsComputeEss: false,
});

const simpleOf = (seed: EhpcClusterSeed, region: string) => ({
  ...metaOf(seed),
  RegionId: seed.regionId ?? region,
  ZoneId: `${seed.regionId ?? region}-b`,
  VpcId: `vpc-${derivedText(seed.id, 21)}`,
  CreateTime: seed.createTime ?? CREATED,
  EhpcVersion: '1.0.0',
  Count: 2,
  LoginNodes: JSON.stringify([{ InstanceId: `i-${derivedText(`${seed.id}/login`, 20)}`, IpAddress: '192.168.0.10' }]),
});

export interface ClusterScope {
  readonly state: EhpcState;
  readonly quirks: EhpcQuirks;
  readonly region: string;
}

const inventedCluster = (position: number): EhpcClusterSeed => ({
  id: `ehpc-hz-${inventedName(position)}`,
  name: inventedName(position),
  status: 'running',
  users: [],
});

/** 9.12: the region of the host decides what is listed. */
export const listClusters = (call: EhpcCall, fault: Fault | null, detail: 'simple' | 'meta', scope: ClusterScope) => {
  const { state, quirks, region } = scope;
  const page = pageOf(call.values, quirks, fault);
  const seeds = [...state.clusters.values()].map(({ seed }) => seed).filter(({ regionId = region }) => regionId === region);
  const { total, rows } = takePage(seeds, page, fault, inventedCluster);
  const shown = rows.map((seed) => (detail === 'meta' ? metaOf(seed) : simpleOf(seed, region)));
  return { PageNumber: page.number, PageSize: page.size, TotalCount: total, Clusters: { ClusterInfoSimple: shown } };
};

export const describeCluster = (clusterId: string, { state, region, quirks }: ClusterScope) => {
  const { seed } = state.clusters.get(clusterId) ?? refuse('ClusterNotFound');
  const { Count: _count, LoginNodes: _nodes, ...info } = simpleOf(seed, region);
  const Id = quirks.describedId === 'instance' ? `i-${derivedText(seed.id, 20)}` : seed.id;
  return { ClusterInfo: { ...info, Id, Description: '', HaEnable: false, KeyPairName: '' } };
};
