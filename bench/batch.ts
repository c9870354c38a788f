/**
 * 1,000 creates in one request: E-HPC at 300 ms a call, beside the official client with the same batches and no word about each user; and
 * Shanhe at 150 ms a call with jobs of 2 s. Operations are kept in LMDB, as by default.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAlibabaEhpc } from '../simulators/alibaba-ehpc/index.js';
import type { Simulator } from '../simulators/kit/index.js';
import { startShanheHpc } from '../simulators/shanhe-hpc/index.js';
import { table } from './measure.js';
import { officialClient } from './official.js';
import { serve } from './serve.js';

const USERS = 1000;
const EHPC_BATCH = 100;
/** Jobs that one look at Shanhe's list of operations tells of. */
const JOBS_A_LOOK = 100;
const EHPC_CLUSTER = 'ehpc-hz-bench00002';
const SHANHE_CLUSTER = 'ehpc-bench0001';
const PASSWORD = 'Choose@Your0wn';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

interface Result {
  /** Of an operation. */
  readonly done?: boolean;
  readonly summary: { readonly created: number };
}

/** Imports the users and waits for the end of it. */
const importUsers = async (url: string, username: (index: number) => string): Promise<void> => {
  const items = Array.from({ length: USERS }, (_, index) => ({ op: 'create', username: username(index), password: PASSWORD }));
  const headers = { 'content-type': 'application/json', prefer: 'respond-async, wait=30' };
  const answer = await fetch(`${url}/clusters/c/users/batch`, { method: 'POST', headers, body: JSON.stringify({ items }) });
  let result = (await answer.json()) as Result;
  for (const path = answer.headers.get('location'); result.done === false; ) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    result = (await (await fetch(`${url}${path}`)).json()) as Result;
  }
  if (result.summary.created !== USERS) throw new Error(`${result.summary.created} users were created instead of ${USERS}`);
};

/** The gateway over one vendor; calls are counted from the import on. */
const measure = async (
  account: object,
  vendorClusterId: string,
  simulator: Simulator,
  username: (index: number) => string,
): Promise<{ ms: number; calls: number }> => {
  const path = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const { url, gateway } = await serve({
    accounts: { a: account },
    clusters: [{ id: 'c', account: 'a', vendorClusterId }],
    store: { kind: 'lmdb', path },
  });
  simulator.resetCalls();
  const ms = await timed(() => importUsers(url, username));
  const calls = simulator.calls.length;
  await gateway.stop();
  rmSync(path, { recursive: true });
  return { ms, calls };
};

const row = (name: string, ms: number, calls: number, least: number): string[] => [
  name,
  seconds(ms),
  String(calls),
  String(least),
  `${(calls / least).toFixed(2)} : 1`,
];

const ehpc = async (): Promise<string[][]> => {
  const clusters = [{ id: EHPC_CLUSTER, name: 'bench', status: 'running' as const, users: [] }];
  const simulator = await startAlibabaEhpc({ latencyMs: 300, clusters });
  const { endpoint, accessKeyId, accessKeySecret, region } = simulator;
  const account = { vendor: 'alibaba-ehpc', region, endpoint, credentials: { accessKeyId, accessKeySecret } };
  const name = (prefix: string) => (index: number) => `${prefix}.${String(index).padStart(4, '0')}`;
  const { ms, calls } = await measure(account, EHPC_CLUSTER, simulator, name('gateway'));

  const call = officialClient(simulator);
  simulator.resetCalls();
  const official = await timed(async () => {
    for (let from = 0; from < USERS; from += EHPC_BATCH) {
      const users = Array.from({ length: EHPC_BATCH }, (_, index) => index).flatMap((index) => [
        [`User.${index + 1}.Name`, name('official')(from + index)] as const,
        [`User.${index + 1}.Group`, 'users'] as const,
        [`User.${index + 1}.Password`, PASSWORD] as const,
      ]);
      await call('AddUsers', { ClusterId: EHPC_CLUSTER, ...Object.fromEntries(users) });
    }
  });
  const least = USERS / EHPC_BATCH;
  const rows = [
    row('E-HPC, gateway', ms, calls, least),
    row('E-HPC, official client, batches of 100', official, simulator.calls.length, least),
  ];
  await simulator.close();
  return rows;
};

const shanhe = async (): Promise<string[][]> => {
  const clusters = [{ id: SHANHE_CLUSTER, name: 'bench', type: 'ehpc' as const, status: 'active' as const, users: [] }];
  const simulator = await startShanheHpc({ latencyMs: 150, jobMs: 2_000, quota: 2_000, clusters });
  const { endpoint, accessKeyId, secretAccessKey, zone } = simulator;
  const account = {
    vendor: 'shanhe-hpc',
    budget: { calls: 1_000_000_000, perSeconds: 3_600 },
    endpoint,
    zone,
    credentials: { accessKeyId, secretAccessKey },
  };
  const { ms, calls } = await measure(account, SHANHE_CLUSTER, simulator, (index) => `n${index}`);
  await simulator.close();
  return [row('Shanhe, gateway, 8 calls at once', ms, calls, USERS + USERS / JOBS_A_LOOK)];
};

export const batch = async (): Promise<string> => {
  const rows = [...(await ehpc()), ...(await shanhe())];
  return [
    `batch: ${USERS} creates in one request`,
    table([['', 'time', 'vendor calls', 'least possible', 'ratio'], ...rows]),
  ].join('\n');
};
