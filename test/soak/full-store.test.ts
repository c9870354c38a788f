/** A store that holds much when the gateway starts: thousands of operations whose time is over, or that are open. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { createJournal } from '../../src/journal/journal.js';
import { type ClusterRef, type LoadedOperation, summarise } from '../../src/journal/records.js';
import { openLmdbStore } from '../../src/store/lmdb.js';
import { endProcesses, READY, server } from '../support/process.js';
import { pause, until } from '../support/wait.js';

const OPERATIONS = 5_000;
const OPEN_OPERATIONS = 3_000;
const WORKING_MS = 8_000;
const ITEMS = 10;
const AT_ONCE = 100;
/** The promise is 3 s and 50 ms on a quiet machine; before, it took 9 s and 7.9 s. */
const MAX_START_MS = 6_000;
const MAX_ANSWER_MS = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'gateway-full-'));
afterAll(() => {
  endProcesses();
  rmSync(folder, { recursive: true });
});

const operation = (number: number, cluster: ClusterRef): LoadedOperation => {
  const at = new Date().toISOString();
  return {
    id: `op_${String(number).padStart(6, '0')}`,
    order: number,
    resource: 'users',
    kind: 'batchUsers',
    isBatch: true,
    clusterId: 'c',
    cluster,
    state: 'pending',
    total: ITEMS,
    summary: summarise([]),
    stopOnError: false,
    cancelling: false,
    domain: cluster.account,
    process: 'p',
    caller: null,
    address: null,
    vendor: 'toy',
    requestId: 'r',
    path: '/',
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
    items: Array.from({ length: ITEMS }, (_, index) => ({ index, op: 'delete', name: `u${number}x${index}`, steps: ['delete'] })),
  };
};

const ENDED: ClusterRef = { account: 'a', vendorClusterId: 'v', key: 'v' };
const OPEN: ClusterRef = { account: 'down', vendorClusterId: 'ehpc-down', key: 'down' };

const fill = async (path: string, count: number, cluster: ClusterRef): Promise<void> => {
  const store = openLmdbStore(path);
  const journal = createJournal(store, { operationMs: 0, keyMs: 0 });
  await journal.takeDomain(cluster.account, 'p');
  for (let from = 0; from < count; from += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, at) => from + at);
    await Promise.all(
      numbers.map(async (number) => {
        const record = operation(number, cluster);
        const work = { id: record.id, domain: cluster.account, epoch: 1, process: 'p', resource: 'users', cluster };
        await journal.begin(record, undefined);
        if (cluster === ENDED)
          await journal.settle(work, record.items, new Map(record.items.map(({ index }) => [index, { status: 'deleted' }])));
      }),
    );
  }
  await store.close();
};

interface Watched {
  readonly url: string;
  /** The longest answer so far, in milliseconds. */
  longest(): number;
  stop(): Promise<void>;
}

/** Starts the gateway, and asks it all the time. */
const watch = async (raw: object): Promise<Watched> => {
  const config = join(folder, 'gateway.yaml');
  writeFileSync(config, JSON.stringify(raw));
  const since = performance.now();
  const run = server({ HPC_GATEWAY_CONFIG: config });
  const url = (await run.until(READY))[1] as string;
  expect(performance.now() - since).toBeLessThan(MAX_START_MS);
  let longest = 0;
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const asked = performance.now();
      await fetch(`${url}/healthz`);
      longest = Math.max(longest, performance.now() - asked);
      await pause(5);
    }
  })();
  return {
    url,
    longest: () => longest,
    stop: async () => {
      isOver = true;
      await asking;
      run.child.kill('SIGKILL');
      await run.exit;
    },
  };
};

it(`starts and answers while it removes ${OPERATIONS} operations`, async () => {
  const path = join(folder, 'ended');
  await fill(path, OPERATIONS, ENDED);
  const gateway = await watch({ store: { path }, accounts: { a: { vendor: 'memory', clusters: {} } }, clusters: [] });
  await until(async () => {
    const { items } = (await (await fetch(`${gateway.url}/operations?limit=1`)).json()) as { items: unknown[] };
    return items.length === 0;
  });
  await gateway.stop();
  expect(gateway.longest()).toBeLessThan(MAX_ANSWER_MS);
}, 120_000);

it(`starts and answers while it takes up ${OPEN_OPERATIONS} operations of an account that is down, and works for another one`, async () => {
  const path = join(folder, 'open');
  await fill(path, OPEN_OPERATIONS, OPEN);
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const gateway = await watch({
    store: { path },
    accounts: {
      a: { vendor: 'memory', clusters: { v: { users: [] } } },
      // Nobody listens there.
      down: { vendor: 'shanhe-hpc', endpoint: 'http://127.0.0.1:1', zone: 'z', credentials },
    },
    clusters: [
      { id: 'healthy', account: 'a', vendorClusterId: 'v' },
      { id: 'c', account: 'down', vendorClusterId: OPEN.vendorClusterId },
    ],
  });
  const created = await fetch(`${gateway.url}/clusters/healthy/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'healthy.one', password: 'Choose@Your0wn' }),
  });
  expect(created.status).toBe(201);
  // All of them have been begun by then.
  await pause(WORKING_MS);
  const { items } = (await (await fetch(`${gateway.url}/operations?limit=1&clusterId=c`)).json()) as {
    items: { done: boolean }[];
  };
  expect(items).toMatchObject([{ done: false }]);
  await gateway.stop();
  expect(gateway.longest()).toBeLessThan(MAX_ANSWER_MS);
}, 120_000);
