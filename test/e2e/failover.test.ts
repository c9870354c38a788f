/** A failover of Redis to a replica that has not seen the last changes. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { SHANHE_CLUSTER, shanheAccount } from '../support/backends.js';
import { endProcesses, READY, type Run, server } from '../support/process.js';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { pause, until } from '../support/wait.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const PASSWORD = 'Abcdefg1@klm';
const USERS = 150;

/** The name under which the present primary is reached. */
const startName = async (port: number) => {
  let target = port;
  const open = new Set<Socket>();
  const name: Server = createServer((socket) => {
    const onward = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }).listen(0, '127.0.0.1');
  await once(name, 'listening');
  return {
    url: `redis://127.0.0.1:${(name.address() as AddressInfo).port}`,
    leadTo: (other: number): void => {
      target = other;
      for (const socket of open) socket.destroy();
    },
    close: (): void => {
      name.close();
      for (const socket of open) socket.destroy();
    },
  };
};

interface Operation {
  readonly done: boolean;
  readonly state: string;
  readonly progress: { readonly settled: number };
  readonly results: readonly { readonly status: string }[];
}

describeWithRedis('a failover to a replica that lags', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-failover-'));
  const path = join(folder, 'gateway.yaml');
  let primary: TestRedis;
  let replica: TestRedis;
  let name: Awaited<ReturnType<typeof startName>>;
  let simulator: ShanheHpcSimulator;

  beforeEach(async () => {
    [primary, replica] = await Promise.all([startRedis(), startRedis()]);
    await replica.command('REPLICAOF', '127.0.0.1', String(primary.port));
    // A replica that has all answers with the primary's value.
    await primary.command('SET', 'synced', 'yes');
    await until(async () => (await replica.command('STRLEN', 'synced')) === ':3');
    name = await startName(primary.port);
    simulator = await startShanheHpc({
      jobMs: 150,
      latencyMs: 30,
      clusters: [{ id: SHANHE_CLUSTER, name: 'c', type: 'ehpc', status: 'active', users: [] }],
    });
    const config = {
      server: { settleSeconds: 1, callSeconds: 2 },
      store: { kind: 'redis', url: name.url, encryptionKey: KEY, leaseSeconds: 1.5 },
      accounts: { a: shanheAccount(simulator) },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: SHANHE_CLUSTER }],
    };
    writeFileSync(path, JSON.stringify(config));
  });
  afterEach(async () => {
    endProcesses();
    name.close();
    await simulator.close();
    await Promise.all([primary.stop(), replica.stop()]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = async (): Promise<Run & { url: string }> => {
    const run = server({ HPC_GATEWAY_CONFIG: path });
    return { ...run, url: (await run.until(READY))[1] as string };
  };
  const post = (url: string, body: unknown, headers = {}) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  const begin = async (url: string): Promise<string> => {
    const items = Array.from({ length: USERS }, (_, at) => ({ op: 'create', username: `u${at}`, password: PASSWORD }));
    const answer = await post(`${url}/clusters/c/users/batch`, { items }, { prefer: 'respond-async' });
    expect(answer.status).toBe(202);
    return answer.headers.get('location') as string;
  };
  const get = async (url: string, location: string): Promise<Operation> =>
    (await (await fetch(`${url}${location}`)).json()) as Operation;
  const untilSettled = (url: string, location: string, count: number) =>
    until(
      () => get(url, location),
      ({ progress }) => progress?.settled >= count,
    );
  const untilDone = (url: string, location: string) =>
    until(
      () => get(url, location),
      ({ done }) => done === true,
      100,
    );
  const made = (): string[] => simulator.journal.map(({ username }) => username as string).sort();

  it('loses no operation and no outcome that the working gateway knows', async () => {
    const { url } = await start();
    const location = await begin(url);
    await untilSettled(url, location, 10);
    // From here on the replica lags.
    await replica.command('REPLICAOF', 'NO', 'ONE');
    const { progress } = await get(url, location);
    simulator.inject({ kind: 'job_slow', delayMs: 3_000, times: 4 });
    const single = post(`${url}/clusters/c/users`, { username: 'waits', password: PASSWORD });
    await untilSettled(url, location, progress.settled + 20);
    // Its job is known to the gateway: a call whose answer meets the failover may be found by nobody before its slow job ends.
    await until(() => simulator.calls.some(({ params }) => JSON.stringify(params).includes('waits')));
    await pause(500);
    name.leadTo(replica.port);
    await primary.down('SIGKILL');
    const { state, results } = await untilDone(url, location);
    expect([state, new Set(results.map(({ status }) => status)), results.length]).toEqual([
      'succeeded',
      new Set(['created']),
      USERS,
    ]);
    const answer = await single;
    expect(answer.status).toBe(201);
    expect(made()).toEqual([...new Set(made())]);
    expect(made()).toHaveLength(USERS + 1);
  }, 60_000);

  it('together with the end of the gateway: another one tells nobody that what it made was there before', async () => {
    const dying = await start();
    const location = await begin(dying.url);
    await untilSettled(dying.url, location, 10);
    await replica.command('REPLICAOF', 'NO', 'ONE');
    const { progress } = await get(dying.url, location);
    await untilSettled(dying.url, location, progress.settled + 20);
    dying.child.kill('SIGKILL');
    await dying.exit;
    name.leadTo(replica.port);
    await primary.down('SIGKILL');
    await pause(100);
    const { url } = await start();
    const { results } = await untilDone(url, location);
    const statuses = new Set(results.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 'created' && status !== 'unknown')).toEqual([]);
    expect(statuses.has('created')).toBe(true);
    expect(made()).toEqual([...new Set(made())]);
    expect(made()).toHaveLength(USERS);
  }, 60_000);
});
