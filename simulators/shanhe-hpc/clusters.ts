import { type Fault, inventedName, takePage } from '../kit/index.js';
import { derivedText } from '../kit/random.js';
import { refuse } from './errors.js';
import type { ShanheQuirks } from './quirks.js';
import { isDescending, pageOf } from './rules.js';
import type { ShanheClusterSeed } from './seed.js';
import type { ShanheState } from './state.js';
import type { ShanheCall } from './urls.js';

const CREATED = '2021-08-17T09:11:16Z';
const MOUNT_POINT = '/public/shanhe/s0723';

const fieldsOf = (seed: ShanheClusterSeed) => ({
  app_cluster_id: `cl-${derivedText(seed.id, 8)}`,
  cluster_id: seed.id,
  cluster_name: seed.name,
  cluster_status: seed.status,
  cluster_sw: [],
  cluster_type: seed.type,
  cpu_hours: 446.200560295289,
  mem_hours: 1.76339637934081,
  create_time: seed.createTime ?? CREATED,
  deleted_job_count: 0,
  finished_job_count: 2,
  pending_job_count: 1,
  running_job_count: 2,
  stopped_job_count: 1,
  description: ' ',
  nas_id: derivedText(`${seed.id}/nas`, 8),
  nas_mount_point: seed.mountPoint ?? MOUNT_POINT,
  nas_path: `10.0.0.7@o2ib:/lustrefs${MOUNT_POINT.slice('/public'.length)}`,
  nas_shared_path: '/s0723',
  paid_type: 'PayForUsed',
  project_info: { shared_status: 'not_shared', project_role: 'none' },
  scheduler_type: '默认调度器',
  total_node_count: 1,
});

/** 8.17: siblings of `app_cluster`, or collapsed into it as the printed example reads. */
const rowOf = (seed: ShanheClusterSeed, quirks: ShanheQuirks) =>
  quirks.clusterFields === 'inside' ? { app_cluster: fieldsOf(seed) } : { app_cluster: {}, ...fieldsOf(seed) };

export interface ClusterScope {
  readonly state: ShanheState;
  readonly quirks: ShanheQuirks;
}

const inventedCluster = (position: number): ShanheClusterSeed => ({
  id: `ehpc-${inventedName(position)}`,
  name: inventedName(position),
  type: 'ehpc',
  status: 'active',
  users: [],
});

/** 5.1. */
export const listClusters = (call: ShanheCall, fault: Fault | null, owner: string | undefined, scope: ClusterScope) => {
  const { state, quirks } = scope;
  const asked = call.query.get('owner') ?? '';
  if (quirks.ownerRequired && asked === '') refuse('1100', 'parameter [owner] is missing');
  if (owner !== undefined && asked !== '' && asked !== owner) refuse('1400', `not the owner [${asked}]`);
  const same = (name: string, value: string) => [undefined, '', value].includes(call.query.get(name));
  const word = (call.query.get('search_word') ?? '').toLowerCase();
  const found = [...state.clusters.values()]
    .map(({ seed }) => seed)
    .filter((seed) => same('cluster_id', seed.id) && same('cluster_type', seed.type) && same('status', seed.status))
    .filter((seed) => seed.name.toLowerCase().includes(word));
  const ordered = isDescending(call, 0) ? found.toReversed() : found;
  const { total, rows } = takePage(ordered, pageOf(call, quirks, fault), fault, inventedCluster);
  return { total, rows: rows.map((seed) => rowOf(seed, quirks)) };
};
