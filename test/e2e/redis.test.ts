/** Gateways that share a Redis: one dies, or Redis does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { shanheAccount } from '../support/backends.js';
import { endProcesses, READY, type Run, server } from '../support/process.js';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

const CLUSTERS = Array.from({ length: 6 }, (_, index) => `ehpc-shared${index}`);
const KEY = Buffer.alloc(32, 7).toString('base64');
const PASSWORD = 'Abcdefg1@klm';

interface Operation {
  readonly state: string;
  readonly progress: { readonly settled: number };
  readonly results: readonly { readonly username: string; readonly status: string }[];
}

interface Started extends Run {
  readonly url: string;
}

describeWithRedis('on one Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-shared-redis-'));
  const path = join(folder, 'gateway.yaml');
  let redis: TestRedis;
  let simulator: ShanheHpcSimulator;
  beforeEach(async () => {
    redis = await startRedis();
    const clusters = CLUSTERS.map((id) => ({ id, name: id, type: 'ehpc' as const, status: 'active', users: [] }));
    simulator = await startShanheHpc({ latencyMs: 40, jobMs: 200, clusters });
    const config = {
      server: { settleSeconds: 1, callSeconds: 2 },
      store: { kind: 'redis', url: redis.url, encryptionKey: KEY, leaseSeconds: 1 },
      accounts: { a: shanheAccount(simulator) },
      clusters: CLUSTERS.map((id) => ({ id, account: 'a', vendorClusterId: id })),
    };
    writeFileSync(path, JSON.stringify(config));
  });
  afterEach(async () => {
    endProcesses();
    await simulator.close();
    await redis.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = async (): Promise<Started> => {
    const run = server({ HPC_GATEWAY_CONFIG: path });
    return { ...run, url: (await run.until(READY))[1] as string };
  };
  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `u${index}`);
  const begin = async ({ url }: Started, cluster: string, count: number): Promise<string> => {
    const items = names(count).map((username) => ({ op: 'create', username, password: PASSWORD }));
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
    const answer = await fetch(`${url}/clusters/${cluster}/users/batch`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ items }),
    });
    expect(answer.status).toBe(202);
    return answer.headers.get('location') as string;
  };
  const get = async ({ url }: Started, location: string): Promise<Operation> =>
    (await (await fetch(`${url}${location}`)).json()) as Operation;
  const untilFinal = (gateway: Started, location: string): Promise<Operation> =>
    until(
      () => get(gateway, location),
      ({ state }) => !['pending', 'running', undefined].includes(state),
      100,
    );
  const untilBegun = async (gateway: Started, locations: readonly string[]): Promise<void> => {
    await until(
      () => Promise.all(locations.map(async (location) => (await get(gateway, location)).progress.settled)),
      (done) => done.every((count) => count > 0),
    );
  };
  const expectAllMade = (cluster: string, { state, results }: Operation, count: number): void => {
    const made = simulator.journal.filter(({ clusterId }) => clusterId === cluster).map(({ username }) => username);
    expect([state, results.map(({ status }) => status)]).toEqual(['succeeded', names(count).map(() => 'created')]);
    expect(made.sort()).toEqual(names(count).sort());
    expect(simulator.checkPassword(cluster, 'u0', PASSWORD)).toBe(true);
  };

  it('the one that is left finishes what the one that is killed had begun, whichever it is', async () => {
    const gateways = [await start(), await start()];
    for (const at of [0, 1]) {
      const [dying, surviving] = [gateways[at] as Started, gateways[1 - at] as Started];
      const clusters = CLUSTERS.slice(at * 3, at * 3 + 3);
      const locations = await Promise.all(clusters.map((cluster) => begin(dying, cluster, 60)));
      await untilBegun(surviving, locations);
      dying.child.kill('SIGKILL');
      await dying.exit;
      for (const [index, location] of locations.entries())
        expectAllMade(clusters[index] as string, await untilFinal(surviving, location), 60);
      gateways[at] = await start();
    }
  }, 60_000);

  it('a request to one is answered by the work of the other', async () => {
    const [one, other] = [await start(), await start()];
    const headers = { 'content-type': 'application/json' };
    const create = ({ url }: Started, username: string) =>
      fetch(`${url}/clusters/${CLUSTERS[0]}/users`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ username, password: PASSWORD }),
      });
    const answers = await Promise.all(names(20).map((username, index) => create(index % 2 ? one : other, username)));
    expect(answers.map(({ status }) => status)).toEqual(names(20).map(() => 201));
    const again = await create(one, 'u3');
    expect(again.status).toBe(409);
  }, 30_000);

  it('both have one user to make: one of them makes it, the other says so', async () => {
    const [one, other] = [await start(), await start()];
    simulator.inject({ kind: 'delay', delayMs: 600, action: '/user/addUser' });
    simulator.inject({ kind: 'reset_before', action: '/user/addUser' });
    const body = (password: string) => JSON.stringify({ username: 'twice', password });
    const create = ({ url }: Started, password: string) =>
      fetch(`${url}/clusters/${CLUSTERS[0]}/users`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: body(password),
      });
    const first = create(one, PASSWORD);
    await until(() => simulator.calls.some(({ action }) => action === '/user/addUser'));
    const second = create(other, `${PASSWORD}2`);
    expect([(await first).status, (await second).status]).toEqual([201, 409]);
    expect(simulator.checkPassword(CLUSTERS[0] as string, 'twice', PASSWORD)).toBe(true);
  }, 30_000);

  it('one that stops leaves its job to the other, and answers the request that waits for it', async () => {
    const [stopping, other] = [await start(), await start()];
    simulator.inject({ kind: 'job_slow', delayMs: 3_000 });
    const answer = fetch(`${stopping.url}/clusters/${CLUSTERS[0]}/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'waits', password: PASSWORD }),
    });
    await until(() => simulator.calls.some(({ action }) => action === '/operation'));
    stopping.child.kill('SIGTERM');
    expect((await answer).status).toBe(201);
    expect((await stopping.exit).code).toBe(0);
    expect(other.errors()).toContain('operation resumed');
    expect(simulator.calls.filter(({ action }) => action === '/user/addUser')).toHaveLength(1);
  }, 30_000);

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'Redis ended by %s and started again in the middle: nothing is lost',
    async (ending) => {
      const gateway = await start();
      const location = await begin(gateway, CLUSTERS[0] as string, 300);
      await untilBegun(gateway, [location]);
      await redis.restart(ending);
      expectAllMade(CLUSTERS[0] as string, await untilFinal(gateway, location), 300);
    },
    60_000,
  );

  it('says so while Redis is away, begins nothing, and goes on when it is back', async () => {
    const gateway = await start();
    const location = await begin(gateway, CLUSTERS[0] as string, 100);
    await untilBegun(gateway, [location]);
    await redis.down();
    const ready = await fetch(`${gateway.url}/readyz`);
    expect([ready.status, ((await ready.json()) as { code: string }).code]).toEqual([503, 'store_unavailable']);
    const refused = await fetch(`${gateway.url}/clusters/${CLUSTERS[1]}/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'never', password: PASSWORD }),
    });
    const problem = (await refused.json()) as { code: string; detail: string };
    expect([refused.status, problem.code, problem.detail]).toEqual([
      503,
      'store_unavailable',
      expect.stringContaining('Nothing was begun'),
    ]);
    await redis.up();
    expectAllMade(CLUSTERS[0] as string, await untilFinal(gateway, location), 100);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    expect(simulator.journal.filter(({ username }) => username === 'never')).toEqual([]);
  }, 60_000);

  it.each([
    ['a read-only replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], 'READONLY'],
    ['out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'], 'OOM'],
  ] as const)(
    'started while Redis is %s, it is not ready, says why, and takes writes when that is over',
    async (_, begin, end, word) => {
      await redis.command(...begin);
      const gateway = await start();
      const ready = async () => {
        const answer = await fetch(`${gateway.url}/readyz`);
        return [answer.status, ((await answer.json()) as { detail?: string }).detail ?? ''] as const;
      };
      const create = () =>
        fetch(`${gateway.url}/clusters/${CLUSTERS[0]}/users`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ username: 'later', password: PASSWORD }),
        });
      expect(await ready()).toEqual([503, expect.stringContaining(word)]);
      const refused = await create();
      expect(await refused.json()).toMatchObject({
        status: 503,
        code: 'store_unavailable',
        detail: expect.stringContaining('Nothing was begun'),
      });
      await redis.command(...end);
      await until(async () => (await ready())[0] === 200);
      expect((await create()).status).toBe(201);
      expect(gateway.errors().match(/"store unavailable/g)).toHaveLength(1);
      expect(gateway.errors().match(/"store available"/g)).toHaveLength(1);
    },
    60_000,
  );

  it('stops on SIGTERM in the middle, and the next one goes on at once', async () => {
    const gateway = await start();
    const location = await begin(gateway, CLUSTERS[0] as string, 200);
    await untilBegun(gateway, [location]);
    gateway.child.kill('SIGTERM');
    expect((await gateway.exit).code).toBe(0);
    const left = simulator.journal.length;
    expect(left).toBeLessThan(200);
    const next = await start();
    expectAllMade(CLUSTERS[0] as string, await untilFinal(next, location), 200);
  }, 60_000);
});
