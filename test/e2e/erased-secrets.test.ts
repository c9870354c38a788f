/** Passwords of writes that have ended are gone from the files of an LMDB store, for somebody who has its key, too. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AlibabaEhpcSimulator } from '../../simulators/alibaba-ehpc/index.js';
import type { Fault } from '../../simulators/kit/fault.js';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { attack, copyFolder } from '../support/attack.js';
import { EHPC_CLUSTER, ehpcAccount, SHANHE_CLUSTER, shanheAccount, startEhpc, startShanhe } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { endProcesses, READY, server } from '../support/process.js';
import { until } from '../support/wait.js';

/** Of each cluster. */
const CREATES = 20;
const CHANGES = 10;
const CLUSTERS = ['ali', 'shan'];
const KILLS = 3;
/** Writes that were answered before the process is killed. */
const KILLED_AFTER = 12;
/** What sends passwords, at each vendor. */
const SENDS = { ehpc: ['AddUsers', 'ModifyUserPasswords'], shanhe: ['/user/addUser', '/user/modifyUser'] };

/** A write that was accepted. */
interface Begun {
  readonly path: string;
  readonly password: string;
}

let ehpc: AlibabaEhpcSimulator;
let shanhe: ShanheHpcSimulator;
beforeAll(async () => {
  [ehpc, shanhe] = await Promise.all([startEhpc(), startShanhe()]);
});
afterAll(async () => {
  await Promise.all([ehpc.close(), shanhe.close()]);
});

describe('passwords of an LMDB store', () => {
  let folder: string;
  const copies: string[] = [];
  const gateways = new Set<TestGateway>();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-erased-'));
  });
  const stop = async (gateway: TestGateway): Promise<void> => {
    gateways.delete(gateway);
    await gateway.stop();
  };
  afterEach(async () => {
    for (const simulator of [ehpc, shanhe]) simulator.clearFaults();
    endProcesses();
    for (const gateway of [...gateways]) await stop(gateway);
    for (const path of [folder, ...copies.splice(0)]) rmSync(path, { recursive: true });
  });

  const settings = (path: string) => ({
    server: { settleSeconds: 0, drainSeconds: 0 },
    store: { kind: 'lmdb', path },
    accounts: { aliyun: ehpcAccount(ehpc), jinan: shanheAccount(shanhe) },
    clusters: [
      { id: 'ali', account: 'aliyun', vendorClusterId: EHPC_CLUSTER },
      { id: 'shan', account: 'jinan', vendorClusterId: SHANHE_CLUSTER },
    ],
  });
  const start = async (path = folder): Promise<TestGateway> => {
    const gateway = await startGateway(settings(path));
    gateways.add(gateway);
    return gateway;
  };

  /** A copy of the folder of a gateway that may be running. */
  const copy = (): string => {
    const made = copyFolder(folder);
    copies.push(made);
    return made;
  };
  const lootOf = (path: string, ...others: string[]) =>
    attack(path, Buffer.from(readFileSync(join(path, 'key'), 'utf8'), 'base64'), others);
  const openedIn = (path: string, ...others: string[]): string[] => [...lootOf(path, ...others).opened].sort();

  /** Calls meet it that send passwords. */
  const inject = (fault: Omit<Fault, 'action' | 'times'>): void => {
    for (const action of SENDS.ehpc) ehpc.inject({ ...fault, action, times: -1 });
    for (const action of SENDS.shanhe) shanhe.inject({ ...fault, action, times: -1 });
  };
  const clearFaults = (): void => {
    for (const simulator of [ehpc, shanhe]) simulator.clearFaults();
  };
  const sends = (): number =>
    [...ehpc.calls, ...shanhe.calls].filter(({ action }) => [...SENDS.ehpc, ...SENDS.shanhe].includes(action)).length;

  let made = 0;
  const write = async (gateway: TestGateway, method: string, path: string, username?: string): Promise<Begun> => {
    const password = `Un1que@Secret${++made}`;
    const body = { password, ...(username !== undefined && { username }) };
    const answer = await gateway.request(method, path, { body, headers: { prefer: 'respond-async' } });
    expect(answer.status).toBe(202);
    return { path: answer.headers.get('location') as string, password };
  };
  const creates = (gateway: TestGateway): Promise<Begun>[] =>
    CLUSTERS.flatMap((cluster) =>
      Array.from({ length: CREATES }, () =>
        write(gateway, 'POST', `/clusters/${cluster}/users`, `fresh${String(++made).padStart(3, '0')}`),
      ),
    );
  const changes = async (gateway: TestGateway): Promise<Promise<Begun>[]> => {
    const seeded = CLUSTERS.map(async (cluster) => {
      const { body } = await gateway.get(`/clusters/${cluster}/users?limit=${CHANGES}`);
      const names = (body.items as { username: string }[]).map(({ username }) => username);
      return names.map((name) => write(gateway, 'PUT', `/clusters/${cluster}/users/${name}/password`));
    });
    return (await Promise.all(seeded)).flat();
  };
  const writes = async (gateway: TestGateway): Promise<Begun[]> =>
    Promise.all([...creates(gateway), ...(await changes(gateway))]);

  const ends = (gateway: TestGateway, begun: readonly Begun[]) =>
    Promise.all(
      begun.map(async ({ path }) => {
        const look = async () => (await gateway.get(path)).body;
        const { results } = await until(look, ({ done }) => done, 100);
        return results[0];
      }),
    );
  const statuses = (results: readonly { status: string }[]): string[] => [...new Set(results.map(({ status }) => status))];

  it('can be read while their items are open, and never after they have ended', async () => {
    const gateway = await start();
    expect(statuses(await ends(gateway, await writes(gateway)))).toEqual(['created', 'updated']);
    const ended = copy();
    expect(openedIn(ended)).toEqual([]);

    inject({ kind: 'delay', delayMs: 4_000 });
    const open = await writes(gateway);
    const frozen = copy();
    clearFaults();
    // The check of the check: the same search reads all that are open, and only these.
    expect(openedIn(frozen)).toEqual(open.map(({ password }) => password).sort());
    expect(openedIn(ended, join(frozen, 'secrets'))).toEqual([]);

    expect(statuses(await ends(gateway, open))).toEqual(['created', 'updated']);
    const running = copy();
    await stop(gateway);
    const stopped = copy();
    for (const path of [running, stopped]) expect(openedIn(path)).toEqual([]);
    // What the search tried: sealed texts are still there, in free pages.
    const sealed = lootOf(frozen).texts;
    expect([...lootOf(stopped).texts].filter((text) => sealed.has(text)).length).toBeGreaterThan(0);
    rmSync(join(frozen, 'secrets'));
    expect(openedIn(frozen, join(stopped, 'secrets'))).toEqual([]);
  }, 180_000);

  it('are gone after kill -9 in the middle, too, and nothing is lost that was accepted', async () => {
    const config = join(folder, 'gateway.json');
    const path = join(folder, 'data');
    writeFileSync(config, JSON.stringify({ ...settings(path), log: { level: 'error' } }));
    const run = async () => {
      const process = server({ HPC_GATEWAY_CONFIG: config });
      return { ...process, url: (await process.until(READY))[1] as string };
    };
    const operations: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const { url, child, exit } = await run();
      const begun = Array.from({ length: CREATES }, async () => {
        const password = `Un1que@Secret${++made}`;
        const body = JSON.stringify({ username: `crash${String(++made).padStart(3, '0')}`, password });
        const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
        const answer = await fetch(`${url}/clusters/shan/users`, { method: 'POST', headers, body });
        operations.push(answer.headers.get('location') as string);
      });
      await until(() => operations.length >= (kill + 1) * KILLED_AFTER);
      child.kill('SIGKILL');
      await exit;
      await Promise.allSettled(begun);
    }
    const { url, child, exit } = await run();
    for (const operation of operations) {
      const look = async () => (await fetch(`${url}${operation}`)).json() as Promise<{ done: boolean; state: string }>;
      // What was sent at the moment of the kill may be unknown; what lost its password would have failed.
      expect(['succeeded', 'unknown']).toContain((await until(look, ({ done }) => done, 100)).state);
    }
    // Those that were accepted without an answer end as well.
    const open = async () => {
      const states = ['pending', 'running'].map(async (state) => {
        const { items } = (await (await fetch(`${url}/operations?state=${state}`)).json()) as { items: unknown[] };
        return items.length;
      });
      return (await Promise.all(states)).reduce((sum, count) => sum + count);
    };
    await until(open, (count) => count === 0, 100);
    expect(openedIn(path)).toEqual([]);
    expect(
      readFileSync(join(path, 'secrets'))
        .subarray(64)
        .every((byte) => byte === 0),
    ).toBe(true);
    child.kill('SIGTERM');
    await exit;
    expect(openedIn(path)).toEqual([]);
  });

  it('that a backup does not have make their items fail, with nothing sent', async () => {
    const first = await start();
    inject({ kind: 'throttle', retryAfterSeconds: 1 });
    const begun = await Promise.all(creates(first));
    const backup = copy();
    rmSync(join(backup, 'secrets'));
    await stop(first);
    clearFaults();
    const before = sends();
    const second = await start(backup);
    const results = await ends(second, begun);
    expect(results).toHaveLength(2 * CREATES);
    for (const { status, problem } of results) {
      expect([status, problem.code, problem.retryable]).toEqual(['failed', 'store_unavailable', true]);
      expect(problem.detail).toMatch(/restored from a backup.*Nothing was sent/);
    }
    expect(sends()).toBe(before);
    // The same request is a new one, and has its password with it.
    expect((await second.post('/clusters/shan/users', { username: 'again1', password: 'Un1que@Again1' })).status).toBe(201);
    expect(openedIn(backup)).toEqual([]);
  });
});
