/** The embedded store: what is on disk, and who goes on with it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { SHANHE_CLUSTER, shanheAccount } from '../support/backends.js';
import { endProcesses, READY, type Run, server } from '../support/process.js';
import { until as look, pause } from '../support/wait.js';

jest.setTimeout(60_000);

const PASSWORD = 'Abcdefg1@klm';
const USERS = 120;

describe('operations in a folder', () => {
  let folder: string;
  let config: string;
  let simulator: ShanheHpcSimulator;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-lmdb-'));
    config = join(folder, 'gateway.yaml');
    const clusters = [{ id: SHANHE_CLUSTER, name: 'c', type: 'ehpc' as const, status: 'active', users: [] }];
    simulator = await startShanheHpc({ latencyMs: 30, jobMs: 200, clusters });
    const raw = {
      server: { settleSeconds: 1 },
      store: { path: join(folder, 'data'), leaseSeconds: 1 },
      accounts: { a: shanheAccount(simulator) },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: SHANHE_CLUSTER }],
    };
    writeFileSync(config, JSON.stringify(raw));
  });
  afterEach(async () => {
    endProcesses();
    await simulator.close();
    rmSync(folder, { recursive: true });
  });

  const start = async (): Promise<Run & { url: string }> => {
    const run = server({ HPC_GATEWAY_CONFIG: config });
    return { ...run, url: (await run.until(READY))[1] as string };
  };
  const names = Array.from({ length: USERS }, (_, index) => `u${index}`);
  const begin = async (url: string): Promise<string> => {
    const items = names.map((username) => ({ op: 'create', username, password: PASSWORD }));
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
    const answer = await fetch(`${url}/clusters/c/users/batch`, { method: 'POST', headers, body: JSON.stringify({ items }) });
    expect(answer.status).toBe(202);
    return answer.headers.get('location') as string;
  };
  const get = async (url: string, location: string) =>
    (await (await fetch(`${url}${location}`)).json()) as {
      state: string;
      progress: { settled: number };
      results: { status: string }[];
    };
  const until = (url: string, location: string, fits: (done: number, state: string) => boolean) =>
    look(
      () => get(url, location),
      ({ progress, state }) => fits(progress.settled, state),
      100,
    );
  const untilFinal = (url: string, location: string) =>
    until(url, location, (_, state) => state !== 'running' && state !== 'pending');
  const expectAllMade = ({ state, results }: Awaited<ReturnType<typeof get>>): void => {
    expect([state, results.map(({ status }) => status)]).toEqual(['succeeded', names.map(() => 'created')]);
    expect(simulator.journal.map(({ username }) => username).sort()).toEqual([...names].sort());
  };
  const onDisk = (): string => {
    const data = join(folder, 'data');
    return readdirSync(data)
      .map((file) => readFileSync(join(data, file), 'latin1'))
      .join('\n');
  };

  it('has its key beside it, for the owner alone, and no password in the clear', async () => {
    const { url, child, exit, errors } = await start();
    const location = await begin(url);
    await until(url, location, (done) => done > 5);
    expect(onDisk()).toContain('u119');
    expect(onDisk()).not.toContain(PASSWORD);
    const key = join(folder, 'data', 'key');
    expect(existsSync(key)).toBe(true);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    await untilFinal(url, location);
    child.kill('SIGTERM');
    await exit;
    expect(onDisk()).not.toContain(PASSWORD);
    expect(errors()).not.toContain(PASSWORD);
  });

  it('is still known after a restart, answers to keys included', async () => {
    const create = (url: string) =>
      fetch(`${url}/clusters/c/users`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
        body: JSON.stringify({ username: 'single', password: PASSWORD }),
      });
    const first = await start();
    const before = await create(first.url);
    expect([before.status, before.headers.get('idempotency-replayed')]).toEqual([201, null]);
    first.child.kill('SIGKILL');
    await first.exit;
    const second = await start();
    const after = await create(second.url);
    expect([after.status, after.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(await after.text()).toBe(await before.text());
    const { items } = (await (await fetch(`${second.url}/operations`)).json()) as { items: { kind: string; state: string }[] };
    expect(items).toMatchObject([{ kind: 'createUser', state: 'succeeded' }]);
    expect(simulator.journal).toHaveLength(1);
  });

  it('goes on at once after SIGTERM in the middle', async () => {
    const first = await start();
    const location = await begin(first.url);
    await until(first.url, location, (done) => done > 0);
    first.child.kill('SIGTERM');
    expect((await first.exit).code).toBe(0);
    expect(simulator.journal.length).toBeLessThan(USERS);
    const second = await start();
    expectAllMade(await untilFinal(second.url, location));
  });

  it('is held by one process; a standby says so, and finishes what that one leaves behind', async () => {
    const [dying, standby] = [await start(), await start()];
    const ready = async () => {
      const answer = await fetch(`${standby.url}/readyz`);
      return { status: answer.status, detail: ((await answer.json()) as { detail?: string }).detail };
    };
    const words = expect.stringContaining(`standby: process ${dying.child.pid} on`);
    expect(await ready()).toEqual({ status: 503, detail: words });
    const refused = await fetch(`${standby.url}/clusters/c/users/u1`, { method: 'DELETE' });
    expect(await refused.json()).toMatchObject({ code: 'store_unavailable', status: 503, detail: words, retryable: true });
    const location = await begin(dying.url);
    await until(dying.url, location, (done) => done > 0);
    dying.child.kill('SIGKILL');
    await dying.exit;
    await look(async () => (await ready()).status === 200);
    expectAllMade(await untilFinal(standby.url, location));
    expect(standby.errors().match(/store unavailable/g)).toHaveLength(1);
    expect(standby.errors().match(/store available/g)).toHaveLength(1);
  });

  it('on a disk that is full refuses writes with a reason, and takes them when there is space again', async () => {
    const { url, child, errors } = await start();
    /** Files of the process can grow no further: what writes more fails, as on a full disk. */
    const limit = (bytes: number | 'unlimited'): void => {
      const { status } = spawnSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`]);
      expect(status).toBe(0);
    };
    const create = async (count: number): Promise<{ status: number; body: { code?: string; detail?: string } }> => {
      const items = Array.from({ length: count }, (_, at) => ({ op: 'create', username: `d${at}`, password: PASSWORD }));
      const answer = await fetch(`${url}/clusters/c/users/batch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'respond-async' },
        body: JSON.stringify({ items }),
      });
      return { status: answer.status, body: (await answer.json()) as { code?: string; detail?: string } };
    };
    const ready = async (): Promise<number> => (await fetch(`${url}/readyz`)).status;
    limit(statSync(join(folder, 'data', 'operations.mdb')).size);
    const refused = await create(1_000);
    expect(refused).toMatchObject({
      status: 503,
      body: { code: 'store_unavailable', detail: expect.stringMatching(/cannot be written .* Nothing was begun\.$/) },
    });
    // Reading needs no space.
    expect((await fetch(`${url}/operations`)).status).toBe(200);
    limit('unlimited');
    await look(async () => (await ready()) === 200);
    expect((await create(3)).status).toBe(202);
    expect(errors().match(/"store unavailable/g)).toHaveLength(1);
    // Lines of the log are written together.
    await look(() => errors().includes('"store available"'));
    expect(errors().match(/"store available"/g)).toHaveLength(1);
  });

  it('does not go on at another cluster that has the same id by now', async () => {
    const first = await start();
    const location = await begin(first.url);
    await until(first.url, location, (done) => done > 0);
    first.child.kill('SIGKILL');
    await first.exit;
    // What had been sent comes to its end at the vendor.
    await pause(200);
    await look(() => simulator.calls.filter(({ action }) => action === '/user/addUser').length === simulator.journal.length);
    const made = simulator.journal.length;
    const raw = JSON.parse(readFileSync(config, 'utf8')) as { clusters: { vendorClusterId: string }[] };
    for (const cluster of raw.clusters) cluster.vendorClusterId = 'ehpc-another';
    writeFileSync(config, JSON.stringify(raw));
    const second = await start();
    const { state, results } = await untilFinal(second.url, location);
    expect([state, results.length]).toEqual(['partially_succeeded', USERS]);
    // What may have been sent is not told as failed.
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['created', 'unknown', 'failed']));
    expect(simulator.journal).toHaveLength(made);
  });

  it('is refused without the key that it was written with', async () => {
    const first = await start();
    first.child.kill('SIGTERM');
    await first.exit;
    rmSync(join(folder, 'data', 'key'));
    const run = server({ HPC_GATEWAY_CONFIG: config });
    expect((await run.exit).code).toBe(1);
    expect(run.errors()).toContain('store.encryptionKey: the store was written with another key');
  });

  it('logs what ended, and what was resumed after a crash', async () => {
    const first = await start();
    const location = await begin(first.url);
    await until(first.url, location, (done) => done > 0);
    first.child.kill('SIGKILL');
    await first.exit;
    const second = await start();
    await untilFinal(second.url, location);
    expect(second.errors()).toMatch(/"state":"running".*"operation resumed"/);
    // The line comes after the end can be seen.
    const line = new RegExp(`"state":"succeeded","total":${USERS},"summary":\\{"created":${USERS},.*"operation ended"`);
    for (let tries = 0; !line.test(second.errors()) && tries < 100; tries++) await pause(50);
    expect(second.errors()).toMatch(line);
  });

  it('says why it cannot be used', async () => {
    writeFileSync(join(folder, 'data'), 'a file where the folder should be');
    const run = server({ HPC_GATEWAY_CONFIG: config });
    expect((await run.exit).code).toBe(1);
    expect(run.errors()).toMatch(/store\.path: .*data is not a folder/);
    rmSync(join(folder, 'data'));
  });
});
