/** 1,000 configured clusters of 20 accounts: how long until it serves, and how much memory it takes idle. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMiB, startProgram } from './children.js';
import { median } from './measure.js';

const CLUSTERS = 1_000;
const ACCOUNTS = 20;
const ROUNDS = 5;

export const clusters = async (): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const path = join(folder, 'gateway.json');
  const credentials = { accessKeyId: 'key', accessKeySecret: 'secret' };
  const accounts = Object.fromEntries(
    Array.from({ length: ACCOUNTS }, (_, index) => [`a${index}`, { vendor: 'alibaba-ehpc', region: 'cn-hangzhou', credentials }]),
  );
  const configured = Array.from({ length: CLUSTERS }, (_, index) => ({
    id: `c${index}`,
    account: `a${index % ACCOUNTS}`,
    vendorClusterId: `ehpc-hz-${index}`,
  }));
  writeFileSync(path, JSON.stringify({ server: { port: 0 }, store: { kind: 'memory' }, accounts, clusters: configured }));
  const seconds: number[] = [];
  const memory: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    const program = await startProgram('../api/server.js', { env: { HPC_GATEWAY_CONFIG: path } });
    const { ok } = await fetch(`${program.url}/readyz`);
    if (!ok) throw new Error('it is not ready');
    seconds.push((performance.now() - from) / 1_000);
    await sleep(1_000);
    memory.push(residentMiB(program));
    await program.stop();
  }
  return `clusters: ${CLUSTERS} configured, of ${ACCOUNTS} accounts: ready in ${median(seconds).toFixed(2)} s, idle ${median(memory).toFixed(0)} MiB (medians of ${ROUNDS})`;
};
