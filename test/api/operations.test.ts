/** Writes as operations: to follow, to look for, to stop. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SHANHE_CLUSTER, shanheAccount } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import { startGateway, type TestAnswer, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const stage = bothVendors();
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const PASSWORD = 'Choose@Your0wn';
let fresh = 0;
const newName = (): string => `ops${String(++fresh).padStart(5, '0')}`;
const newNames = (count: number): string[] => Array.from({ length: count }, newName);
const creating = (username: string) => ({ op: 'create', username, password: PASSWORD });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** The users of these that the vendors did something to. */
const effectsOn = (names: readonly string[]): string[] =>
  [stage.ehpc, stage.shanhe].flatMap(({ journal }) => journal.map(({ username }) => username)).filter((n) => names.includes(n));
const callsOf = (action: string): number =>
  [stage.ehpc, stage.shanhe].flatMap(({ calls }) => calls.filter((call) => call.action === action)).length;
/** One field of each of a list. */
const each = (items: readonly Record<string, unknown>[], field: string): unknown[] => items.map((item) => item[field]);

const begin = async (cluster: string, items: object[], body: object = {}): Promise<string> => {
  const { status, headers } = await stage.gateway.request('POST', `/clusters/${cluster}/users/batch`, {
    body: { items, ...body },
    headers: { prefer: 'respond-async' },
  });
  expect(status).toBe(202);
  return headers.get('location') as string;
};
const cancel = (path: string, gateway: TestGateway = stage.gateway) => gateway.request('POST', `${path}/cancel`);
const isFinal = ({ body }: TestAnswer): boolean => body.finishedAt !== null;
/** Looks at the operation until it is as it should be. */
const lookUntil = (path: string, isSo: (answer: TestAnswer) => boolean, gateway = stage.gateway): Promise<TestAnswer> =>
  until(() => gateway.get(path), isSo);
const sum = (summary: Record<string, number>): number => Object.values(summary).reduce((total, count) => total + count, 0);

/** Another gateway over Shanhe. */
const gatewayWith = async (settings: object, server: object = {}): Promise<TestGateway> => {
  const accounts = { jinan: shanheAccount(stage.shanhe) };
  const clusters = [{ id: 'shan', account: 'jinan', vendorClusterId: SHANHE_CLUSTER }];
  const gateway = await startGateway({ accounts, clusters, ...settings, server: { drainSeconds: 0, ...server } });
  cleanups.push(() => gateway.stop());
  return gateway;
};

describe('an operation', () => {
  it('tells user by user what became of them so far, and in the end', async () => {
    const names = newNames(10);
    const items = [...names.map(creating), creating('no name'), { op: 'delete', username: 'nobody' }];
    for (const username of names.slice(0, 2))
      stage.shanhe.inject({ kind: 'delay', delayMs: 900, action: '/user/addUser', username });
    const path = await begin('shan', items);
    const { headers, body } = await lookUntil(path, (answer) => answer.body.progress.settled > 1);
    expect(body).toMatchObject({ kind: 'batchUsers', clusterId: 'shan', state: 'running', done: false, finishedAt: null });
    expect(body.links).toEqual({ self: path, cluster: '/clusters/shan', cancel: `${path}/cancel` });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(body.progress).toEqual({ settled: body.results.length, total: 12 });
    expect(body.progress.settled).toBeLessThan(12);
    expect(sum(body.summary)).toBe(body.progress.settled);
    for (const { index, username, op } of body.results)
      expect({ username, op }).toEqual({ username: items[index]?.username, op: items[index]?.op });

    const end = await lookUntil(path, isFinal);
    expect(end.body).toMatchObject({
      id: body.id,
      state: 'partially_succeeded',
      done: true,
      progress: { settled: 12, total: 12 },
    });
    expect(end.body.summary).toMatchObject({ created: 10, refused: 1, not_found: 1, failed: 0, cancelled: 0 });
    expect(each(end.body.results, 'index')).toEqual(items.map((_, index) => index));
    expect(end.body.links).toEqual({ self: path, cluster: '/clusters/shan' });
    expect(end.headers.has('retry-after')).toBe(false);
    expect(Date.parse(end.body.finishedAt)).toBeGreaterThanOrEqual(Date.parse(end.body.createdAt));
    expect(effectsOn(names).sort()).toEqual(names);
    expect(end.text).not.toContain(PASSWORD);
    const late = await cancel(path);
    expect([late.status, late.text]).toEqual([200, end.text]);
  });

  it('that stopped at an error as it was asked to has failed', async () => {
    const names = newNames(2);
    const path = await begin('ali', [{ op: 'delete', username: 'nobody.here' }, ...names.map(creating)], { stopOnError: true });
    const { body } = await lookUntil(path, isFinal);
    expect([body.state, body.summary]).toMatchObject(['failed', { not_found: 1, cancelled: 2 }]);
    expect(effectsOn(names)).toEqual([]);
  });

  it.each(['GET', 'POST'])('that there is none of is 404: %s', async (method) => {
    for (const id of ['op_019aa1b2c3d47e5f8a9b0c1d2e3f4a5b', 'nothing', encodeURIComponent('op_/ü')]) {
      const { status, body } = await stage.gateway.request(method, `/operations/${id}${method === 'POST' ? '/cancel' : ''}`);
      expect([id, status, body.code]).toEqual([id, 404, 'operation_not_found']);
    }
  });
});

describe('the list of operations', () => {
  it('has every write, the newest first, and narrows by cluster and state', async () => {
    const { gateway } = stage;
    const [users, name] = ['/clusters/ali/users', newName()];
    const list = async (query = ''): Promise<string[]> => {
      const { body } = await gateway.get(`/operations${query}`);
      for (const item of body.items) expect(item).not.toHaveProperty('results');
      expect(body.nextCursor).toBeNull();
      return body.items.map((item: Record<string, string>) => `${item['kind']} ${item['clusterId']} ${item['state']}`);
    };
    expect(await list()).toEqual([]);
    const writes = [
      () => gateway.post(users, { username: name, password: PASSWORD }),
      () => gateway.post(users, { username: name, password: PASSWORD }),
      () => gateway.request('PATCH', `${users}/${name}`, { body: { role: 'admin' } }),
      () => gateway.request('PUT', `${users}/${name}/password`, { body: { password: PASSWORD } }),
      () => gateway.request('DELETE', `${users}/${name}`),
      () => gateway.post('/clusters/shan/users/batch', { items: [creating(newName())] }),
    ];
    for (const write of writes) {
      expect([200, 201, 204, 409]).toContain((await write()).status);
      await sleep(2);
    }
    stage.shanhe.inject({ kind: 'delay', delayMs: 3_000, action: '/user/addUser' });
    await lookUntil(await begin('shan', [creating(newName())]), ({ body }) => body.state === 'running');

    const kinds = ['deleteUser', 'setUserPassword', 'updateUser', 'createUser'];
    const [made, failed] = [kinds.map((kind) => `${kind} ali succeeded`), 'createUser ali failed'];
    const onAli = [...made.slice(0, 3), failed, ...made.slice(3)];
    const onShan = ['batchUsers shan running', 'batchUsers shan succeeded'];
    expect(await list()).toEqual([...onShan, ...onAli]);
    expect(await list('?clusterId=ali')).toEqual(onAli);
    expect(await list('?clusterId=shan&state=succeeded')).toEqual(onShan.slice(1));
    expect(await list('?state=running')).toEqual(onShan.slice(0, 1));
    expect(await list('?state=failed')).toEqual([failed]);
    for (const state of ['partially_succeeded', 'unknown']) expect(await list(`?state=${state}`)).toEqual([]);
    expect(await list('?state=cancelled')).toEqual([]);
    expect(await list('?clusterId=none')).toEqual([]);
  });

  it('is read window by window without gaps and repeats, whatever is written meanwhile', async () => {
    const create = (cluster: string) =>
      stage.gateway.post(`/clusters/${cluster}/users`, { username: newName(), password: PASSWORD });
    for (let round = 0; round < 12; round++) {
      await create('ali');
      await sleep(2);
    }
    await Promise.all([create('shan'), create('shan')]);
    for (const filter of ['', '&clusterId=ali', '&clusterId=ali&state=succeeded']) {
      const all = each((await stage.gateway.get(`/operations?limit=200${filter}`)).body.items, 'id');
      expect(all.length).toBeGreaterThanOrEqual(12);
      const seen: unknown[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const { body } = await stage.gateway.get(`/operations?limit=5${filter}${query}`);
        expect(body.items.length).toBeLessThanOrEqual(5);
        seen.push(...each(body.items, 'id'));
        cursor = body.nextCursor;
        await create('ali');
      }
      expect(seen).toEqual(all);
    }
  });

  it.each(['limit=0', 'limit=201', 'state=done', 'cursor=', 'cursor=op_1', 'clusterId=', 'kind=create', 'from=2026', 'to=now'])(
    'refuses ?%s',
    async (query) => {
      const { status, body } = await stage.gateway.get(`/operations?${query}`);
      expect([status, body.errors[0].pointer]).toEqual([400, `/query/${query.split('=')[0]}`]);
    },
  );
});

describe('cancelling', () => {
  it.each([
    ['Shanhe, one user a call', 'shan', '/user/addUser', 40, 8],
    ['E-HPC, a hundred users a call', 'ali', 'AddUsers', 250, 1],
  ])('sends nothing more, and tells what was sent as it is: %s', async (_, cluster, action, count, calls) => {
    const names = newNames(count);
    stage[cluster === 'ali' ? 'ehpc' : 'shanhe'].inject({ kind: 'delay', delayMs: 400, action, times: -1 });
    const before = callsOf(action);
    const path = await begin(cluster, names.map(creating));
    while (callsOf(action) < before + calls) await sleep(5);
    const { status, body } = await cancel(path);
    expect([status, body.state, body.progress]).toEqual([200, 'cancelled', { settled: count, total: count }]);
    expect(body.links).toEqual({ self: path, cluster: `/clusters/${cluster}` });
    const results: Record<string, string>[] = body.results;
    const named = (wanted: string) => results.flatMap(({ status: is, username }) => (is === wanted ? [username] : []));
    expect([named('created').length + named('cancelled').length, named('cancelled').length > 0]).toEqual([count, true]);
    expect(named('created').length).toBeGreaterThanOrEqual(calls);
    expect([body.summary.created, body.summary.cancelled]).toEqual([named('created').length, named('cancelled').length]);
    await sleep(300);
    expect(effectsOn(names).sort()).toEqual(named('created').sort());
    expect((await cancel(path)).body).toEqual(body);
    expect((await stage.gateway.get(path)).body).toEqual(body);
  });

  it('is accepted when what was sent outlasts the request: 504, or 202 for those who ask for it', async () => {
    const gateway = await gatewayWith({}, { deadlineSeconds: 1 });
    const names = newNames(20);
    stage.shanhe.inject({ kind: 'delay', delayMs: 2_500, action: '/user/addUser', times: -1 });
    const before = callsOf('/user/addUser');
    const first = await gateway.request('POST', '/clusters/shan/users/batch', { body: { items: names.map(creating) } });
    expect([first.status, first.body.code]).toEqual([504, 'still_running']);
    while (callsOf('/user/addUser') < before + 8) await sleep(5);
    const path = first.headers.get('location') as string;
    const { status, headers, body } = await cancel(path, gateway);
    expect([status, headers.get('location'), body.code]).toEqual([504, path, 'still_running']);
    expect([body.operation.href, body.retryable]).toEqual([path, true]);
    expect(body.detail).toMatch(/cancellation .* accepted/);
    const asked = await gateway.request('POST', `${path}/cancel`, { headers: { prefer: 'respond-async' } });
    expect([asked.status, asked.headers.get('location'), asked.body.done]).toEqual([202, path, false]);
    const end = await lookUntil(path, isFinal, gateway);
    expect([end.body.state, end.body.summary]).toMatchObject(['cancelled', { created: 8, cancelled: 12 }]);
    expect(effectsOn(names)).toHaveLength(8);
  });
});

describe('finished operations', () => {
  it('outlive a restart, as long as they are to be kept', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hpc-gateway-operations-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const create = async (gateway: TestGateway): Promise<string> => {
      const { status } = await gateway.post('/clusters/shan/users', { username: newName(), password: PASSWORD });
      expect(status).toBe(201);
      return (await gateway.get('/operations?limit=1')).body.items[0].links.self;
    };
    const store = { kind: 'lmdb', path: folder };
    let gateway = await gatewayWith({ store });
    const kept = await create(gateway);
    const { text } = await gateway.get(kept);
    await gateway.stop();

    gateway = await gatewayWith({ store, retention: { operationDays: 100 / 86_400_000 } });
    expect((await gateway.get(kept)).text).toBe(text);
    const brief = await create(gateway);
    expect((await gateway.get(brief)).status).toBe(200);
    await sleep(150);
    await gateway.stop();

    gateway = await gatewayWith({ store });
    await lookUntil(brief, ({ status }) => status === 404, gateway);
    expect((await gateway.get(brief)).body.code).toBe('operation_not_found');
    expect((await gateway.get(kept)).text).toBe(text);
    expect((await gateway.get('/operations')).body.items).toHaveLength(1);
  });
});
