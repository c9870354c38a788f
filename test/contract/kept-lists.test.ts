/** A list of users that was read whole is kept for a moment: it answers without a call, and never hides a write that was answered. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Backend, backendNamed, CLUSTER, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestAnswer, type TestGateway } from '../support/gateway.js';
import { describeWithRedis, startRedis } from '../support/redis.js';
import { pause, until } from '../support/wait.js';

const USERS = `/clusters/${CLUSTER}/users`;
const NO_CACHE = { 'cache-control': 'no-cache' };
const VENDORS: readonly Backend[] = ['alibaba-ehpc, acs3, sync listing', 'shanhe-hpc, gateway search'].map(backendNamed);

describe.each(VENDORS.map((backend) => [backend.name, backend] as const))('lists of %s', (_, backend) => {
  let live: LiveBackend;
  let gateway: TestGateway;
  const start = async (cache: object = { seconds: 60 }): Promise<void> => {
    live = await backend.start();
    gateway = await startGateway({ ...live.raw, server: { settleSeconds: 0.5, drainSeconds: 0 }, cache });
  };
  beforeEach(() => start());
  afterEach(async () => {
    await gateway.stop();
    await live.close();
  });

  const calls = (): number => live.simulator?.calls.length ?? 0;
  /** The answer, and how many calls it took. */
  const costOf = async (ask: () => Promise<TestAnswer>): Promise<TestAnswer & { readonly cost: number }> => {
    const before = calls();
    const answer = await ask();
    return { ...answer, cost: calls() - before };
  };
  const costOfGet = (path: string, headers = {}) => costOf(() => gateway.request('GET', path, { headers }));
  const readWhole = () => gateway.get(`${USERS}?role=member&limit=5`);
  const restart = async (cache: object): Promise<void> => {
    await gateway.stop();
    await live.close();
    await start(cache);
  };

  it('answer windows, searches, single users and missing ones without a call', async () => {
    await readWhole();
    const known = backend.seeded[7] as string;
    const window = await costOfGet(`${USERS}?limit=20&offset=40`);
    expect([window.body.items.length, window.body.total, window.cost]).toEqual([20, backend.seeded.length, 0]);
    const found = await costOfGet(`${USERS}?search=${known.slice(1).toUpperCase()}`);
    expect([found.body.items[0].username, found.cost]).toEqual([known, 0]);
    const one = await costOfGet(`${USERS}/${known}`);
    expect([one.status, one.body.username, one.cost]).toEqual([200, known, 0]);
    const some = await costOfGet(`${USERS}?username=${known},nobody`);
    expect([some.body.items.length, some.cost]).toEqual([1, 0]);
    const missing = await gateway.get(`${USERS}/nobody.here`);
    expect([missing.status, missing.body.code]).toEqual([404, 'user_not_found']);
    // The facts of the cluster are kept, too.
    expect((await costOfGet(`${USERS}/nobody.else`)).cost).toBe(0);
    const dry = await costOf(() =>
      gateway.post(`${USERS}/batch`, {
        dryRun: true,
        items: [
          { op: 'delete', username: known },
          { op: 'delete', username: 'nobody' },
        ],
      }),
    );
    expect(dry.body.results.map(({ status }: { status: string }) => status)).toEqual(['deleted', 'not_found']);
    expect(dry.cost).toBe(0);
  });

  it('say how old they are, and that nothing has changed', async () => {
    await readWhole();
    const fresh = await gateway.get(`${USERS}?limit=10`);
    expect([fresh.headers.get('age'), fresh.headers.get('etag')]).toEqual(['0', expect.stringMatching(/^"[^"]{16,}"$/)]);
    // `fetch` adds `Cache-Control: no-cache`, which gets what is younger than a second.
    const again = await gateway.request('GET', `${USERS}?limit=10`, {
      headers: { 'if-none-match': `"x", ${fresh.headers.get('etag')}` },
    });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', fresh.headers.get('etag')]);
    const other = await gateway.request('GET', `${USERS}?limit=11`, {
      headers: { 'if-none-match': fresh.headers.get('etag') as string },
    });
    expect(other.status).toBe(200);
    await pause(1_100);
    const kept = await gateway.get(`${USERS}?limit=10`);
    expect(Number(kept.headers.get('age'))).toBeGreaterThanOrEqual(1);
    expect(kept.headers.get('etag')).toBe(fresh.headers.get('etag'));
    const user = await gateway.get(`${USERS}/${backend.seeded[3]}`);
    const tag = user.headers.get('etag') as string;
    expect((await gateway.request('GET', `${USERS}/${backend.seeded[3]}`, { headers: { 'if-none-match': tag } })).status).toBe(
      304,
    );
  });

  it('never hide a write that was answered', async () => {
    const username = backend.newName();
    await readWhole();
    expect((await gateway.get(`${USERS}/${username}`)).status).toBe(404);
    expect((await gateway.post(USERS, { username, password: backend.password })).status).toBe(201);
    expect((await gateway.get(`${USERS}/${username}`)).status).toBe(200);
    await readWhole();
    expect((await gateway.get(`${USERS}?search=${username}`)).body.total).toBe(1);
    expect((await gateway.request('DELETE', `${USERS}/${username}`)).status).toBe(204);
    expect((await gateway.get(`${USERS}/${username}`)).status).toBe(404);
    expect((await gateway.get(`${USERS}?search=${username}`)).body.total).toBe(0);
  });

  it('are read again for who says no-cache, at most once a second', async () => {
    await readWhole();
    expect((await costOfGet(`${USERS}?limit=5`, NO_CACHE)).cost).toBe(0);
    await pause(1_100);
    expect((await costOfGet(`${USERS}?limit=5`, NO_CACHE)).cost).toBeGreaterThan(0);
  });

  it('are read again when their time is over', async () => {
    await restart({ seconds: 0.5 });
    await readWhole();
    expect((await costOfGet(`${USERS}?limit=5`)).cost).toBe(0);
    await pause(600);
    expect((await costOfGet(`${USERS}?limit=5`)).cost).toBe(1);
  });

  it('are not kept where the configuration says so', async () => {
    await restart({ seconds: 0 });
    await readWhole();
    const { cost, headers } = await costOfGet(`${USERS}?limit=5`);
    expect([cost, headers.get('age')]).toEqual([1, '0']);
  });

  it('are paged through as they were, with one reading, whatever is written meanwhile', async () => {
    const first = await gateway.get(`${USERS}?role=member&limit=50`);
    const username = backend.newName();
    expect((await gateway.post(USERS, { username, password: backend.password })).status).toBe(201);
    const names = first.body.items.map(({ username: name }: { username: string }) => name);
    const before = calls();
    for (let cursor = first.body.nextCursor; cursor !== null; ) {
      const { body } = await gateway.get(`${USERS}?role=member&limit=50&cursor=${cursor}`);
      names.push(...body.items.map(({ username: name }: { username: string }) => name));
      cursor = body.nextCursor;
    }
    expect(calls() - before).toBe(0);
    expect([new Set(names).size, names.length, names.includes(username)]).toEqual([first.body.total, first.body.total, false]);
  });

  it('have another tag where their cursor names another list, and the same one where there is no cursor', async () => {
    await restart({ seconds: 0.5 });
    const tagOfAll = async () => (await gateway.get(`${USERS}?limit=1000`)).headers.get('etag');
    const tagOfPage = async () => (await gateway.get(`${USERS}?role=member&limit=5`)).headers.get('etag');
    const [all, page] = [await tagOfAll(), await tagOfPage()];
    await pause(600);
    expect(await tagOfAll()).toBe(all);
    expect(await tagOfPage()).not.toBe(page);
  });

  it('are not what a lost answer is looked up in', async () => {
    await readWhole();
    const username = backend.newName();
    const add = backend.vendor === 'alibaba-ehpc' ? 'AddUsers' : '/user/addUser';
    live.simulator?.inject({ kind: 'reset_after', action: add });
    const { status, body } = await gateway.post(USERS, { username, password: backend.password });
    expect([status, body.username]).toEqual([201, username]);
  });

  it('are read once for all who ask at once', async () => {
    const { cost } = await costOf(async () => {
      const all = await Promise.all(Array.from({ length: 20 }, () => gateway.get(`${USERS}?limit=10`)));
      expect(all.every(({ status }) => status === 200)).toBe(true);
      return all[0] as TestAnswer;
    });
    // Those who come when the reading has ended share the next one.
    expect(cost).toBeLessThanOrEqual(5);
  });
});

describeWithRedis('gateways that share a Redis', () => {
  it('do not hide what the other one has written', async () => {
    const backend = VENDORS[0] as Backend;
    const redis = await startRedis();
    const live = await backend.start();
    const config = {
      ...live.raw,
      server: { settleSeconds: 0.5, drainSeconds: 0 },
      cache: { seconds: 60 },
      store: { kind: 'redis', url: redis.url, encryptionKey: Buffer.alloc(32, 5).toString('base64') },
    };
    const [one, other] = await Promise.all([startGateway(config), startGateway(config)]);
    const username = backend.newName();
    try {
      await until(async () => {
        await other.get(`${USERS}?role=member&limit=5`);
        const before = live.simulator?.calls.length;
        await other.get(`${USERS}?limit=5`);
        return live.simulator?.calls.length === before;
      });
      expect((await one.post(USERS, { username, password: backend.password })).status).toBe(201);
      expect((await other.get(`${USERS}/${username}`)).status).toBe(200);
    } finally {
      await Promise.all([one.stop(), other.stop()]);
      await live.close();
      await redis.stop();
    }
  });
});
