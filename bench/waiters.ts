/** What it costs when many writers wait at one user: CPU time, Redis commands, and how long a read takes meanwhile. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startShanheHpc } from '../simulators/shanhe-hpc/index.js';
import { table } from './measure.js';
import { type BenchRedis, startRedis } from './redis.js';
import { serve } from './serve.js';

const WRITERS = [0, 300, 2_000];
const WATCHED_MS = 5_000;
/** The job that makes the user; the others wait for its end. */
const JOB_MS = 60_000;
const READS = 50;
const CLUSTER = 'ehpc-bench0001';
const HEADERS = { 'content-type': 'application/json', prefer: 'wait=60' };

/** So often it is looked whether all writes are stored, and wait. */
const LOOKS = 120;
const LOOK_MS = 500;

const openOperations = async (url: string): Promise<number> => {
  let count = 0;
  for (let path: string | null = '/operations?state=pending&limit=200'; path !== null; ) {
    const { items, nextCursor } = (await (await fetch(`${url}${path}`)).json()) as {
      items: unknown[];
      nextCursor: string | null;
    };
    count += items.length;
    path = nextCursor && `/operations?state=pending&limit=200&cursor=${nextCursor}`;
  }
  return count;
};

const untilStored = async (url: string, writers: number): Promise<void> => {
  for (let look = 0; look < LOOKS && (await openOperations(url)) < writers; look++) await sleep(LOOK_MS);
  await sleep(LOOK_MS);
};

const watch = async (writers: number, redis: BenchRedis | undefined): Promise<string[]> => {
  const clusters = [{ id: CLUSTER, name: 'bench', type: 'ehpc' as const, status: 'active' as const, users: [] }];
  const simulator = await startShanheHpc({ jobMs: JOB_MS, quota: 1_000_000, clusters });
  const { endpoint, accessKeyId, secretAccessKey, zone } = simulator;
  const { url, gateway } = await serve({
    ...(redis && { store: redis.store }),
    accounts: {
      a: {
        vendor: 'shanhe-hpc',
        budget: { calls: 1_000_000_000, perSeconds: 3_600 },
        endpoint,
        zone,
        credentials: { accessKeyId, secretAccessKey },
      },
    },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: CLUSTER }],
  });
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  if (writers > 0) {
    const headers = { ...HEADERS, prefer: 'respond-async' };
    const body = JSON.stringify({ username: 'ada', password: 'Choose@Your0wn' });
    await fetch(`${url}/clusters/c/users`, { method: 'POST', headers, body });
  }
  const waiting = Array.from({ length: writers }, (_, at) =>
    fetch(`${url}/clusters/c/users/ada/password`, {
      method: 'PUT',
      headers: HEADERS,
      body: JSON.stringify({ password: `Choose@Your${at}` }),
      signal: leaving.signal,
    }).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await untilStored(url, writers);
  const [cpu, since] = [process.cpuUsage(), performance.now()];
  const before = await redis?.commands();
  await sleep(WATCHED_MS);
  const after = await redis?.commands();
  const seconds = (performance.now() - since) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const times: number[] = [];
  for (let read = 0; read < READS; read++) {
    const start = performance.now();
    await (await fetch(`${url}/clusters/c`)).text();
    times.push(performance.now() - start);
  }
  const [slowest = 0] = times.toSorted((one, other) => other - one);
  const median = times.toSorted((one, other) => one - other)[READS / 2] ?? 0;
  leaving.abort();
  await Promise.all(waiting);
  await gateway.stop();
  await simulator.close();
  return [
    `${writers} writers`,
    `${((user + system) / 10_000 / seconds).toFixed(1)} %`,
    before && after ? ((after.all - before.all) / seconds).toFixed(0) : '-',
    median.toFixed(1),
    slowest.toFixed(1),
  ];
};

export const waiters = async (): Promise<string> => {
  const rows: string[][] = [['at one user', 'CPU of a core', 'Redis commands/s', 'a read, median ms', 'slowest ms']];
  for (const writers of WRITERS) {
    const redis = await startRedis();
    try {
      rows.push(await watch(writers, redis));
    } finally {
      redis?.stop();
    }
  }
  return `waiters: writers that wait for one job of ${JOB_MS / 1_000} s, watched for ${WATCHED_MS / 1_000} s\n${table(rows)}`;
};
