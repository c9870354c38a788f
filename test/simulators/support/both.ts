import { type AlibabaEhpcOptions, type AlibabaEhpcSimulator, startAlibabaEhpc } from '../../../simulators/alibaba-ehpc/index.js';
import type { Simulator } from '../../../simulators/kit/index.js';
import { type ShanheHpcOptions, type ShanheHpcSimulator, startShanheHpc } from '../../../simulators/shanhe-hpc/index.js';
import * as ehpc from './ehpc-client.js';
import * as shanhe from './shanhe-client.js';

export const EHPC_CLUSTER = 'ehpc-hz-both00001';
export const SHANHE_CLUSTER = 'ehpc-both0001';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly json: Record<string, unknown>;
}

export interface Listed {
  readonly names: string[];
  readonly total: number;
  readonly pageSize: number | undefined;
}

/** One vendor behind functions that read the same for both; page numbers become offsets. */
export interface Side {
  readonly simulator: Simulator;
  readonly cluster: string;
  readonly actions: { readonly write: string; readonly users: string; readonly clusters: string };
  write(name: string, options?: { timeoutMs?: number }): Promise<Reply>;
  /** The page of this number, from 1, of `size` rows. */
  page(number: number, size: number): Promise<Listed>;
  clusters(): Promise<string[]>;
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `user${String(index).padStart(3, '0')}`);

export const startEhpc = (users = 0, options: AlibabaEhpcOptions = {}): Promise<AlibabaEhpcSimulator> => {
  const seeds = names(users).map((name) => ({ name, group: 'users' as const, addTime: '2024-05-01T08:00:00Z' }));
  return startAlibabaEhpc({
    clusters: [{ id: EHPC_CLUSTER, name: 'both', status: 'running', users: seeds }],
    asyncDelayMs: 5,
    ...options,
  });
};

export const startShanhe = (users = 0, options: ShanheHpcOptions = {}): Promise<ShanheHpcSimulator> => {
  const seeds = names(users).map((username) => ({ username, role: 'member' as const }));
  return startShanheHpc({
    clusters: [{ id: SHANHE_CLUSTER, name: 'both', type: 'ehpc', status: 'active', users: seeds }],
    jobMs: 5,
    ...options,
  });
};

export const ehpcListed = ({ json }: ehpc.Reply): Listed => ({
  names: ((json['Users'] as { UserInfo: ehpc.UserInfo[] } | undefined)?.UserInfo ?? []).map(({ Name }) => Name),
  total: Number(json['TotalCount']),
  pageSize: Number(json['PageSize']),
});

const ehpcSide = (simulator: AlibabaEhpcSimulator): Side => ({
  simulator,
  cluster: EHPC_CLUSTER,
  actions: { write: 'AddUsers', users: 'ListUsers', clusters: 'ListClusters' },
  write: (Name, options) =>
    ehpc.acs3(simulator, 'AddUsers', ehpc.userParams(EHPC_CLUSTER, [{ Name, Group: 'users', Password: 'Passw0rd!' }]), options),
  page: async (number, size) => {
    const params = { ClusterId: EHPC_CLUSTER, PageNumber: String(number), PageSize: String(size) };
    return ehpcListed(await ehpc.acs3(simulator, 'ListUsers', params));
  },
  clusters: async () => {
    const { json } = await ehpc.acs3(simulator, 'ListClusters');
    return (json['Clusters'] as { ClusterInfoSimple: { Id: string }[] }).ClusterInfoSimple.map(({ Id }) => Id);
  },
});

const shanheSide = (simulator: ShanheHpcSimulator): Side => ({
  simulator,
  cluster: SHANHE_CLUSTER,
  actions: { write: '/user/addUser', users: '/user', clusters: '/cluster/list' },
  write: (username, options) => {
    const fields = { cluster_id: SHANHE_CLUSTER, username, password: 'kUISjs@kkkkkk!' };
    return shanhe.post(simulator, '/user/addUser', fields, options);
  },
  page: async (number, size) => {
    const params = { cluster_id: SHANHE_CLUSTER, offset: String((number - 1) * size), limit: String(size) };
    const reply = await shanhe.get(simulator, '/user', params);
    const rows = shanhe.usersOf(reply).map(({ username }) => username);
    return { names: rows, total: Number(reply.json['total_count']), pageSize: undefined };
  },
  clusters: async () => {
    const { json } = await shanhe.get(simulator, '/cluster/list');
    return (json['cluster_set'] as { cluster_id: string }[]).map(({ cluster_id }) => cluster_id);
  },
});

export const VENDORS: [string, (users?: number) => Promise<Side>][] = [
  ['E-HPC', async (users) => ehpcSide(await startEhpc(users))],
  ['Shanhe', async (users) => shanheSide(await startShanhe(users))],
];
