import { type AlibabaEhpcSimulator, type EhpcClusterSeed, type EhpcUserSeed, startAlibabaEhpc } from './alibaba-ehpc/index.js';
import {
  type ShanheClusterSeed,
  type ShanheHpcSimulator,
  type ShanheRole,
  type ShanheUserSeed,
  startShanheHpc,
} from './shanhe-hpc/index.js';

export interface DemoOptions {
  alibabaPort?: number | undefined;
  shanhePort?: number | undefined;
  latencyMs?: number | undefined;
  /** Keys are random where they are not given. */
  alibabaKey?: { readonly accessKeyId: string; readonly accessKeySecret: string } | undefined;
  shanheKey?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

export interface DemoSimulators {
  readonly alibaba: AlibabaEhpcSimulator;
  readonly shanhe: ShanheHpcSimulator;
}

const GIVEN = [
  'alice',
  'bowen',
  'carol',
  'daniel',
  'elena',
  'fatima',
  'george',
  'hannah',
  'isabel',
  'jun',
  'kenji',
  'lihua',
  'mei',
];
const FAMILY = [
  'chen',
  'dupont',
  'garcia',
  'huang',
  'kim',
  'liu',
  'mueller',
  'novak',
  'okafor',
  'patel',
  'rossi',
  'sato',
  'wang',
  'zhou',
];
const SHORT = [
  'chen',
  'gao',
  'hu',
  'kim',
  'li',
  'liu',
  'ma',
  'qian',
  'sato',
  'sun',
  'wang',
  'wu',
  'xu',
  'yang',
  'zhao',
  'zhou',
  'zhu',
];

const at = (list: readonly string[], index: number): string => list[index % list.length] ?? '';
const two = (number: number) => String(number).padStart(2, '0');
/** One account every few hours from the start of the year on. */
const timeAt = (year: number, index: number) => new Date(Date.UTC(year, 0, 5, 8) + index * 31 * 3_600_000).toISOString();
const secondsOf = (time: string) => `${time.slice(0, 19)}Z`;

/** Distinct as long as the count is below 13 * 14 = 182. */
const ehpcUser = (index: number): EhpcUserSeed => ({
  name: `${at(GIVEN, index)}.${at(FAMILY, index)}${index % 9 === 4 ? two(index % 100) : ''}`,
  group: index % 12 === 0 ? 'wheel' : 'users',
  addTime: timeAt(2024, index),
});

/** Two and a half pages of 50. */
const EHPC_CLUSTERS: EhpcClusterSeed[] = [
  {
    id: 'ehpc-hz-demo000001',
    name: 'demo',
    status: 'running',
    users: Array.from({ length: 125 }, (_, index) => ehpcUser(index)),
  },
  { id: 'ehpc-hz-demo000002', name: 'demo-broken', status: 'exception', users: [130, 131, 132].map(ehpcUser) },
  { id: 'ehpc-hz-demo000003', name: 'demo-empty', status: 'running', users: [] },
];

const shanheName = (index: number) => `${at(GIVEN, index * 5).slice(0, 1)}${at(SHORT, index)}${String(index).padStart(3, '0')}`;

const shanheUser = (username: string, role: ShanheRole, index: number): ShanheUserSeed => ({
  username,
  role,
  createTime: secondsOf(timeAt(2023, index)),
});

const members = (count: number, from: number): ShanheUserSeed[] =>
  Array.from({ length: count }, (_, index) => shanheUser(shanheName(from + index), 'member', from + index));

/** Two and a half pages of 100. */
const SHANHE_CLUSTERS: ShanheClusterSeed[] = [
  {
    id: 'ehpc-demo0001',
    name: 'demo-exclusive',
    type: 'ehpc',
    status: 'active',
    users: [shanheUser('admin', 'admin', 0), shanheUser('director', 'boss', 1), ...members(248, 2)],
  },
  { id: 'hpc-demo0001', name: 'demo-shared', type: 'hpc', status: 'active', users: [shanheUser('usr-vceaHsJu', 'boss', 0)] },
  {
    id: 'ehpc-demo0002',
    name: 'demo-stopped',
    type: 'ehpc',
    status: 'stopped',
    users: [shanheUser('admin', 'admin', 0), ...members(3, 1)],
  },
];

/** Both vendors with the same data at every start; only the keys are random. */
export const startDemoSimulators = async (options: DemoOptions = {}): Promise<DemoSimulators> => {
  const { alibabaPort, shanhePort, latencyMs, alibabaKey, shanheKey } = options;
  const alibaba = await startAlibabaEhpc({ port: alibabaPort, latencyMs, clusters: EHPC_CLUSTERS, ...alibabaKey });
  try {
    return { alibaba, shanhe: await startShanheHpc({ port: shanhePort, latencyMs, clusters: SHANHE_CLUSTERS, ...shanheKey }) };
  } catch (cause) {
    await alibaba.close();
    throw cause;
  }
};
