/** Every adapter on its simulator, seeded with two and a half vendor pages of users. */
import { type AlibabaEhpcOptions, type AlibabaEhpcSimulator, startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import type { Simulator } from '../../simulators/kit/index.js';
import { type ShanheHpcOptions, type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';

export const CLUSTER = 'main';

export interface Backend {
  readonly name: string;
  readonly vendor: string;
  /** Users at the start, in the vendor's order. */
  readonly seeded: readonly string[];
  readonly vendorPage: number;
  /** A fresh valid name. */
  newName(): string;
  readonly password: string;
  /** Whether the vendor tells how many users there are. */
  readonly knowsTotal: boolean;
  /** Absent features answer 501. */
  readonly setsRoles: boolean;
  readonly gives: readonly string[];
  start(settings?: object): Promise<LiveBackend>;
}

export interface LiveBackend {
  /** Accounts and clusters of a configuration. */
  readonly raw: object;
  readonly vendorClusterId: string;
  readonly simulator: Simulator | null;
  close(): Promise<void>;
}

let fresh = 0;
const numbered = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`);

const toRaw = (account: object, vendorClusterId: string): object => ({
  accounts: { main: account },
  clusters: [{ id: CLUSTER, account: 'main', vendorClusterId }],
});

export const EHPC_CLUSTER = 'ehpc-hz-contract01';
const ehpcNames = numbered(125, 'user.');

export const startEhpc = (options: AlibabaEhpcOptions = {}): Promise<AlibabaEhpcSimulator> =>
  startAlibabaEhpc({
    asyncDelayMs: 20,
    clusters: [
      {
        id: EHPC_CLUSTER,
        name: 'contract',
        status: 'running',
        users: ehpcNames.map((name, index) => ({
          name,
          group: index % 10 === 0 ? ('wheel' as const) : ('users' as const),
          addTime: '2024-03-05T08:00:00.000Z',
        })),
      },
      { id: 'ehpc-hz-broken0001', name: 'broken', status: 'exception', users: [{ name: 'alone.one', group: 'users' }] },
    ],
    ...options,
  });

export const ehpcAccount = (simulator: AlibabaEhpcSimulator): object => ({
  vendor: 'alibaba-ehpc',
  region: simulator.region,
  endpoint: simulator.endpoint,
  credentials: {
    accessKeyId: simulator.accessKeyId,
    accessKeySecret: simulator.accessKeySecret,
    ...(simulator.securityToken && { securityToken: simulator.securityToken }),
  },
});

const ehpc = (name: string, settings: object, options: AlibabaEhpcOptions = {}): Backend => ({
  name: `alibaba-ehpc, ${name}`,
  vendor: 'alibaba-ehpc',
  seeded: ehpcNames,
  vendorPage: 50,
  newName: () => `fresh.${++fresh}`.padEnd(8, 'x'),
  password: 'Abc1~!@#$%^&*()_+=',
  knowsTotal: true,
  setsRoles: true,
  gives: ['member', 'admin'],
  start: async (more) => {
    const simulator = await startEhpc(options);
    return {
      raw: toRaw({ ...ehpcAccount(simulator), ...settings, ...more }, EHPC_CLUSTER),
      vendorClusterId: EHPC_CLUSTER,
      simulator,
      close: () => simulator.close(),
    };
  },
});

export const SHANHE_CLUSTER = 'ehpc-contract1';
const shanheNames = numbered(250, 'u');

export const startShanhe = (options: ShanheHpcOptions = {}): Promise<ShanheHpcSimulator> =>
  startShanheHpc({
    jobMs: 60,
    clusters: [
      {
        id: SHANHE_CLUSTER,
        name: 'contract',
        type: 'ehpc',
        status: 'active',
        users: shanheNames.map((username, index) => ({
          username,
          role: index === 0 ? ('admin' as const) : index === 1 ? ('boss' as const) : ('member' as const),
        })),
      },
      { id: 'hpc-shared001', name: 'shared', type: 'hpc', status: 'active', users: [{ username: 'usr-vceaHsJu', role: 'boss' }] },
      { id: 'ehpc-stopped1', name: 'stopped', type: 'ehpc', status: 'stopped', users: [{ username: 'admin', role: 'admin' }] },
    ],
    ...options,
  });

export const shanheAccount = (simulator: ShanheHpcSimulator): object => ({
  vendor: 'shanhe-hpc',
  // Tests call more often than the vendor would take.
  budget: { calls: 1_000_000, perSeconds: 3_600 },
  endpoint: simulator.endpoint,
  zone: simulator.zone,
  credentials: { accessKeyId: simulator.accessKeyId, secretAccessKey: simulator.secretAccessKey },
});

const shanhe = (name: string, settings: object, options: ShanheHpcOptions = {}): Backend => ({
  name: `shanhe-hpc, ${name}`,
  vendor: 'shanhe-hpc',
  seeded: shanheNames,
  vendorPage: 100,
  newName: () => `n${++fresh}`,
  password: 'kUISjs@kkkkkk!',
  knowsTotal: options.quirks?.totalCount !== 'missing',
  setsRoles: false,
  gives: ['member'],
  start: async (more) => {
    const simulator = await startShanhe(options);
    return {
      raw: toRaw({ ...shanheAccount(simulator), ...settings, ...more }, SHANHE_CLUSTER),
      vendorClusterId: SHANHE_CLUSTER,
      simulator,
      close: () => simulator.close(),
    };
  },
});

const memoryNames = numbered(125, 'user.');

const memory: Backend = {
  name: 'memory',
  vendor: 'memory',
  seeded: memoryNames,
  vendorPage: 1000,
  newName: () => `fresh${++fresh}`,
  password: 'Passw0rd!',
  knowsTotal: true,
  setsRoles: true,
  gives: ['member', 'admin', 'owner'],
  start: async () => ({
    raw: toRaw({ vendor: 'memory', clusters: { [CLUSTER]: { users: memoryNames.map((username) => ({ username })) } } }, CLUSTER),
    vendorClusterId: CLUSTER,
    simulator: null,
    close: async () => undefined,
  }),
};

export const BACKENDS: readonly Backend[] = [
  memory,
  ehpc('acs3, async listing', { signature: 'acs3', listing: 'async' }),
  ehpc('acs3, sync listing', { signature: 'acs3', listing: 'sync' }),
  ehpc('rpc-v1, async listing', { signature: 'rpc-v1', listing: 'async' }),
  ehpc('rpc-v1, sync listing', { signature: 'rpc-v1', listing: 'sync' }),
  ehpc('acs3 with an STS token', {}, { securityToken: 'token/+=x' }),
  ehpc('rpc-v1 with an STS token', { signature: 'rpc-v1' }, { securityToken: 'token/+=x' }),
  ehpc('an endpoint without ListUsersAsync', {}, { asyncListing: 'unsupported' }),
  ehpc('numbers for ids, Users as a bare array', {}, { quirks: { ids: 'number', users: 'bare-array', noUsers: 'missing' } }),
  shanhe('gateway search', {}),
  shanhe('native search', { search: 'native' }),
  shanhe('user_set, number ids, total_sum', {}, { quirks: { usersKey: 'user_set', ids: 'number', totalCount: 'total_sum' } }),
  shanhe('no totals, 5000 for a taken name', {}, { quirks: { totalCount: 'missing', duplicateUser: '5000' } }),
  shanhe(
    'fields in app_cluster, 2110 and 2100',
    {},
    { quirks: { clusterFields: 'inside', duplicateUser: '2110', unknownUser: '2100' } },
  ),
  shanhe(
    'HTTP statuses, unfiltered operations, failing jobs',
    {},
    { quirks: { httpStatus: 'mapped', ignoreJobFilter: true, unknownUser: 'job' } },
  ),
];

export const backendNamed = (name: string): Backend => {
  const backend = BACKENDS.find((candidate) => candidate.name === name);
  if (!backend) throw new Error(`There is no back-end ${name}.`);
  return backend;
};
