/**
 * What writes cost: the store's share of a create with a slow disk, syncs and Redis commands, and calls of a vendor with jobs when batches
 * meet on one account.
 */
import { fork, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startShanheHpc } from '../simulators/shanhe-hpc/index.js';
import { table } from './measure.js';
import { startRedis } from './redis.js';
import { serve } from './serve.js';

const CREATES = 300;
const AT_ONCE = 50;
const SYNC_MS = [0, 5, 10];
const BATCHES = [1, 2, 4];
const BATCH_ITEMS = 50;
const JOB_MS = 20_000;
const PASSWORD = 'Choose@Your0wn';

interface Measured {
  readonly ms: number;
  readonly longest: number;
  readonly cpuMs: number;
}

const childPath = fileURLToPath(new URL('./creates.js', import.meta.url));

/** @param atReady runs when the first create is over */
const creates = (
  store: object,
  count: number,
  atOnce: number,
  env: NodeJS.ProcessEnv = {},
  atReady = () => undefined as unknown,
) =>
  new Promise<Measured>((resolve, reject) => {
    const child = fork(childPath, [JSON.stringify(store), String(count), String(atOnce)], { env: { ...process.env, ...env } });
    child.on('message', (message: Measured | { ready: true }) => {
      if ('ready' in message) void atReady();
      else resolve(message);
    });
    child.once('exit', (code) => code === 0 || reject(new Error(`ended with ${code}`)));
  });

/** The library that makes syncs slow; undefined without a C compiler. */
const slowSync = (folder: string): string | undefined => {
  const source = fileURLToPath(new URL('../../bench/slow-sync.c', import.meta.url));
  const library = join(folder, 'slow-sync.so');
  return spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']).status === 0 ? library : undefined;
};

const onLmdb = async (folder: string): Promise<string[][]> => {
  const library = slowSync(folder);
  const rows: string[][] = [];
  for (const syncMs of library ? SYNC_MS : [0]) {
    const path = join(folder, `lmdb${syncMs}`);
    const env = library ? { LD_PRELOAD: library, SLOW_SYNC_MS: String(syncMs), SYNC_COUNT: join(folder, 'count') } : {};
    const { ms, longest, cpuMs } = await creates({ kind: 'lmdb', path }, CREATES, AT_ONCE, env);
    rows.push([
      `LMDB, syncs ${syncMs} ms slower, ${AT_ONCE} at once`,
      (CREATES / (ms / 1000)).toFixed(0),
      longest.toFixed(0),
      (cpuMs / CREATES).toFixed(2),
    ]);
  }
  if (library) {
    const count = join(folder, 'count');
    const env = { LD_PRELOAD: library, SLOW_SYNC_MS: '0', SYNC_COUNT: count };
    let before = 0;
    const atReady = (): void => {
      before = Number(readFileSync(count, 'utf8'));
    };
    await creates({ kind: 'lmdb', path: join(folder, 'alone') }, CREATES, 1, env, atReady);
    rows.push([
      `syncs per create, one at a time: ${((Number(readFileSync(count, 'utf8')) - before) / CREATES).toFixed(1)}`,
      '',
      '',
      '',
    ]);
  }
  return rows;
};

const onRedis = async (): Promise<string[]> => {
  const redis = await startRedis();
  if (!redis) return ['Redis: redis-server is not installed'];
  try {
    const { store, commands } = redis;
    let before = { all: 0, asked: 0 };
    await creates(store, CREATES, 1, {}, async () => {
      before = await commands();
    });
    const after = await commands();
    const create = `Redis, per create: ${((after.all - before.all) / CREATES).toFixed(1)} commands, ${((after.asked - before.asked) / CREATES).toFixed(1)} of them asked by the gateway`;
    const { url, gateway } = await serve({
      store,
      accounts: { a: { vendor: 'memory', clusters: { c: { users: [] } } } },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: 'c' }],
    });
    const items = Array.from({ length: CREATES }, (_, at) => ({ op: 'create', username: `b${at}`, password: PASSWORD }));
    const start = await commands();
    await fetch(`${url}/clusters/c/users/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ items }),
    });
    const end = await commands();
    await gateway.stop();
    return [create, `Redis, per item of a batch of ${CREATES}: ${((end.all - start.all) / CREATES).toFixed(1)} commands`];
  } finally {
    redis.stop();
  }
};

const meeting = async (count: number): Promise<string[]> => {
  const id = 'ehpc-bench0001';
  const clusters = [{ id, name: 'bench', type: 'ehpc' as const, status: 'active' as const, users: [] }];
  const simulator = await startShanheHpc({ latencyMs: 150, jobMs: JOB_MS, quota: 1_000_000, clusters });
  const { endpoint, accessKeyId, secretAccessKey, zone } = simulator;
  const account = {
    vendor: 'shanhe-hpc',
    budget: { calls: 1_000_000_000, perSeconds: 3_600 },
    endpoint,
    zone,
    credentials: { accessKeyId, secretAccessKey },
  };
  const { url, gateway } = await serve({ accounts: { a: account }, clusters: [{ id: 'c', account: 'a', vendorClusterId: id }] });
  const importUsers = async (batch: number): Promise<void> => {
    const items = Array.from({ length: BATCH_ITEMS }, (_, at) => ({
      op: 'create',
      username: `u${batch}x${at}`,
      password: PASSWORD,
    }));
    const headers = { 'content-type': 'application/json', prefer: 'respond-async, wait=30' };
    const answer = await fetch(`${url}/clusters/c/users/batch`, { method: 'POST', headers, body: JSON.stringify({ items }) });
    let result = (await answer.json()) as { done?: boolean };
    for (const path = answer.headers.get('location'); result.done === false; )
      result = (await (await fetch(`${url}${path}`, { headers: { prefer: 'wait=30' } })).json()) as { done?: boolean };
  };
  await Promise.all(Array.from({ length: count }, (_, batch) => importUsers(batch)));
  const looks = simulator.calls.filter(({ action }) => action === '/operation').length;
  const calls = simulator.calls.length;
  await gateway.stop();
  await simulator.close();
  return [`${count} batches of ${BATCH_ITEMS}`, String(looks), String(calls)];
};

export const writes = async (): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  try {
    const lmdb = await onLmdb(folder);
    const redis = await onRedis();
    const batches: string[][] = [];
    for (const count of BATCHES) batches.push(await meeting(count));
    return [
      `writes: ${CREATES} single creates at the memory adapter`,
      table([['', 'creates/s', 'longest gap of a 20 ms timer, ms', 'CPU ms per create, caller included'], ...lmdb]),
      ...redis,
      table([[`Shanhe, jobs of ${JOB_MS / 1000} s, one account`, 'looks at jobs', 'all calls'], ...batches]),
    ].join('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
};
