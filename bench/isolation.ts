/** One of 20 accounts hangs while all are asked: the 99th percentile of the other 19, against a run in which none hangs. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAlibabaEhpc } from '../simulators/alibaba-ehpc/index.js';
import { startProgram } from './children.js';
import { quantile } from './load.js';
import { median, table } from './measure.js';

const ACCOUNTS = 20;
const MS = 6_000;
const ROUNDS = 3;
/** Of each account, a second. */
const RATE = 5;

const clusterOf = (index: number): string => `ehpc-hz-isolate${String(index).padStart(2, '0')}`;

export const isolation = async (): Promise<string> => {
  const simulator = await startAlibabaEhpc({
    latencyMs: 20,
    clusters: Array.from({ length: ACCOUNTS }, (_, index) => ({
      id: clusterOf(index),
      name: 'bench',
      status: 'running',
      users: Array.from({ length: 30 }, (__, user) => ({
        name: `user.${String(user).padStart(4, '0')}`,
        group: 'users' as const,
      })),
    })),
  });
  const { endpoint, accessKeyId, accessKeySecret, region } = simulator;
  const account = { vendor: 'alibaba-ehpc', region, endpoint, listing: 'sync', credentials: { accessKeyId, accessKeySecret } };
  const indexes = Array.from({ length: ACCOUNTS }, (_, index) => index);
  const path = join(mkdtempSync(join(tmpdir(), 'gateway-bench-')), 'gateway.json');
  writeFileSync(
    path,
    JSON.stringify({
      server: { port: 0 },
      store: { kind: 'memory' },
      cache: { seconds: 0 },
      limits: { maxRequestsInFlight: 10_000 },
      log: { level: 'silent' },
      accounts: Object.fromEntries(indexes.map((index) => [`a${index}`, account])),
      clusters: indexes.map((index) => ({ id: `c${index}`, account: `a${index}`, vendorClusterId: clusterOf(index) })),
    }),
  );
  const gateway = await startProgram('../api/server.js', { env: { HPC_GATEWAY_CONFIG: path } });

  /** @returns the p99 of all accounts but the first */
  const run = async (): Promise<number> => {
    const times: number[] = [];
    const pending: Promise<void>[] = [];
    const over = new AbortController();
    const ask = async (index: number): Promise<void> => {
      const from = performance.now();
      const answer = await fetch(`${gateway.url}/clusters/c${index}/users?limit=10`, { signal: over.signal }).catch(
        () => undefined,
      );
      await answer?.arrayBuffer().catch(() => undefined);
      if (index > 0) times.push(performance.now() - from);
    };
    const until = performance.now() + MS;
    while (performance.now() < until) {
      for (const index of indexes) pending.push(ask(index));
      await new Promise((resolve) => setTimeout(resolve, 1_000 / RATE));
    }
    setTimeout(() => over.abort(), 1_000);
    await Promise.all(pending);
    return quantile(
      times.sort((one, other) => one - other),
      0.99,
    );
  };

  const well: number[] = [];
  const sick: number[] = [];
  await run();
  for (let round = 0; round < ROUNDS; round++) {
    well.push(await run());
    simulator.inject({ kind: 'hang', clusterId: clusterOf(0), times: -1 });
    sick.push(await run());
    simulator.clearFaults();
  }
  await gateway.stop();
  await simulator.close();
  return [
    `isolation: ${ACCOUNTS} accounts, ${RATE} requests a second each, ${MS / 1_000} s a run, medians of ${ROUNDS} interleaved runs`,
    table([
      ['', 'p99 of the other 19, ms'],
      ['none hangs', median(well).toFixed(0)],
      ['one hangs', median(sick).toFixed(0)],
    ]),
    `ratio ${(median(sick) / median(well)).toFixed(2)}`,
  ].join('\n');
};
