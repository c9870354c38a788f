/** Processes that are stopped, or cut off from Redis, between writing down and sending: none sends after another one took over. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { SHANHE_CLUSTER, shanheAccount } from '../support/backends.js';
import { selfSigned } from '../support/certificate.js';
import { endProcesses, READY, type Run, server } from '../support/process.js';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { pause, until } from '../support/wait.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const USER = 'frozen';
const [BEFORE, FIRST, SECOND] = ['Abcdefg1@klm', 'Abcdefg1@kl1', 'Abcdefg1@kl2'] as const;
const USERS = 60;
const LEASE_SECONDS = 1;
/** Longer than a process needs to do what it was about to do. */
const AFTERWARDS_MS = 3_000;

interface Proxy {
  readonly port: number;
  /** New connections get no further, until they are let through. */
  hold(): void;
  release(): void;
  /** Ends all connections. */
  drop(): void;
  /** Ends all connections, and takes no new ones. */
  cut(): void;
  /** Connections that are held back. */
  held(): number;
  close(): void;
}

/** Passes on bytes to another port. */
const startProxy = async (target: number): Promise<Proxy> => {
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let isHolding = false;
  let isCut = false;
  const listener = createServer((client) => {
    if (isCut) return void client.destroy();
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const pass = (): void => {
      client.pipe(upstream);
      upstream.pipe(client);
    };
    if (isHolding) waiting.push(pass);
    else pass();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    hold: () => {
      isHolding = true;
    },
    release: () => {
      isHolding = false;
      for (const pass of waiting.splice(0)) pass();
    },
    drop: endAll,
    cut: () => {
      isCut = true;
      endAll();
    },
    held: () => waiting.length,
    close: () => {
      endAll();
      listener.close();
    },
  };
};

interface Started extends Run {
  readonly url: string;
}

describeWithRedis('two processes on one Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-freezes-'));
  const { key, cert } = selfSigned();
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, cert);
  let redis: TestRedis;
  let simulator: ShanheHpcSimulator;
  let cleanups: (() => void)[] = [];
  beforeEach(async () => {
    redis = await startRedis();
    const users = [{ username: USER, role: 'member' as const, createTime: '2024-03-05T08:00:00.000Z' }];
    simulator = await startShanheHpc({
      latencyMs: 20,
      jobMs: 100,
      clusters: [{ id: SHANHE_CLUSTER, name: 'c', type: 'ehpc', status: 'active', users }],
    });
  });
  afterEach(async () => {
    endProcesses();
    for (const cleanup of cleanups) cleanup();
    cleanups = [];
    await simulator.close();
    await redis.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const proxyTo = async (port: number): Promise<Proxy> => {
    const proxy = await startProxy(port);
    cleanups.push(proxy.close);
    return proxy;
  };

  /** The simulator behind TLS, and before that a connection that can be held. */
  const behindTls = async (): Promise<Proxy & { readonly endpoint: string }> => {
    const { port, pathname } = new URL(simulator.endpoint);
    const tls = createTlsServer({ key, cert }, (socket) => {
      const upstream = connect(Number(port), '127.0.0.1');
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => tls.close());
    const proxy = await proxyTo((tls.address() as AddressInfo).port);
    return { ...proxy, endpoint: `https://localhost:${proxy.port}${pathname}` };
  };

  interface Start {
    readonly redisPort?: number;
    readonly callSeconds?: number;
  }
  const start = async (
    name: string,
    endpoint: string,
    { redisPort = redis.port, callSeconds = 1 }: Start = {},
  ): Promise<Started> => {
    const path = join(folder, `${name}.yaml`);
    const config = {
      server: { settleSeconds: 1, callSeconds, deadlineSeconds: 30 },
      store: { kind: 'redis', url: `redis://127.0.0.1:${redisPort}`, encryptionKey: KEY, leaseSeconds: LEASE_SECONDS },
      accounts: { a: { ...shanheAccount(simulator), endpoint } },
      clusters: [{ id: 'c', account: 'a', vendorClusterId: SHANHE_CLUSTER }],
    };
    writeFileSync(path, JSON.stringify(config));
    const run = server({ HPC_GATEWAY_CONFIG: path, NODE_EXTRA_CA_CERTS: ca });
    return { ...run, url: (await run.until(READY))[1] as string };
  };

  const setPassword = ({ url }: Started, password: string): Promise<{ status: number }> =>
    fetch(`${url}/clusters/c/users/${USER}/password`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ password }),
    });
  const changes = (): number => simulator.calls.filter(({ action }) => action === '/user/modifyUser').length;
  const has = (password: string): boolean => simulator.checkPassword(SHANHE_CLUSTER, USER, password);

  /** A process that is stopped while it connects to set the first password, and goes on when its connection is all but made. */
  const stopWhileConnecting = async (callSeconds: number) => {
    const vendor = await behindTls();
    const frozen = await start('frozen', vendor.endpoint, { callSeconds });
    // So that it has read the cluster, and holds the account.
    expect((await setPassword(frozen, BEFORE)).status).toBe(204);
    // No connection is there to be used again.
    vendor.drop();
    vendor.hold();
    const lost = setPassword(frozen, FIRST).catch(() => undefined);
    await until(() => vendor.held() > 0);
    frozen.child.kill('SIGSTOP');
    const other = await start('other', simulator.endpoint, { callSeconds });
    const goOn = async (): Promise<void> => {
      vendor.release();
      await pause(500);
      frozen.child.kill('SIGCONT');
      await pause(AFTERWARDS_MS);
      frozen.child.kill('SIGKILL');
      await lost;
    };
    return { other, goOn };
  };

  it('one that is stopped while it connects does not send when it goes on', async () => {
    const { other, goOn } = await stopWhileConnecting(1);
    await until(() => has(FIRST));
    expect((await setPassword(other, SECOND)).status).toBe(204);
    const before = changes();
    await goOn();
    expect([changes(), has(SECOND)]).toEqual([before, true]);
  }, 60_000);

  it('one that is stopped for less than a call may take does not send either, once another one has taken over', async () => {
    const { other, goOn } = await stopWhileConnecting(60);
    await until(() => other.errors().includes('operation resumed'));
    const before = changes();
    await goOn();
    expect([changes(), has(BEFORE)]).toEqual([before, true]);
  }, 60_000);

  it('one that is stopped after it has sent changes nothing when it goes on', async () => {
    const frozen = await start('frozen', simulator.endpoint);
    expect((await setPassword(frozen, BEFORE)).status).toBe(204);
    const before = changes();
    simulator.inject({ kind: 'delay', delayMs: 300, action: '/user/modifyUser' });
    const lost = setPassword(frozen, FIRST).catch(() => undefined);
    await until(() => changes() > before);
    frozen.child.kill('SIGSTOP');
    const other = await start('other', simulator.endpoint);
    // It is set again by the one that took over, since nobody heard that it was.
    await until(() => changes() > before + 1);
    expect((await setPassword(other, SECOND)).status).toBe(204);
    const after = changes();
    frozen.child.kill('SIGCONT');
    await pause(AFTERWARDS_MS);
    expect([changes(), has(SECOND)]).toEqual([after, true]);
    frozen.child.kill('SIGKILL');
    await lost;
  }, 60_000);

  it('one that is cut off from Redis, but not from the vendor, stops sending before the other begins', async () => {
    const between = await proxyTo(redis.port);
    const cutOff = await start('cut-off', simulator.endpoint, { redisPort: between.port });
    const items = Array.from({ length: USERS }, (_, at) => ({ op: 'create', username: `u${at}`, password: BEFORE }));
    const accepted = await fetch(`${cutOff.url}/clusters/c/users/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ items, stopOnError: true }),
    });
    const path = accepted.headers.get('location') as string;
    await until(() => simulator.journal.length >= 3);
    between.cut();
    const other = await start('other', simulator.endpoint);
    const { state, results } = await until(
      async () =>
        (await (await fetch(`${other.url}${path}`)).json()) as { state: string; done: boolean; results: { status: string }[] },
      ({ done }) => done,
    );
    expect([state, results.map(({ status }) => status)]).toEqual(['succeeded', items.map(() => 'created')]);
    expect(simulator.journal.map(({ username }) => username).toSorted()).toEqual(
      items.map(({ username }) => username).toSorted(),
    );
    // Nobody was asked for twice: a second call would have been refused.
    const refused = simulator.calls.filter(({ action, code }) => action === '/user/addUser' && code !== '0' && code !== 'OK');
    expect(refused).toEqual([]);
  }, 60_000);
});
