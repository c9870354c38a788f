/** The audit trail: who asked for which change, and what became of it. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { bothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller, type TestCaller } from '../support/callers.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const stage = bothVendors();
const PASSWORD = 'Choose@Your0wn';
let fresh = 0;
const newName = (): string => `aud${String(++fresh).padStart(5, '0')}`;

const portal = makeCaller('portal');
const reader = makeCaller('reader', [{ clusters: ['*'], verbs: ['read'] }]);
const shanhe = makeCaller('shanhe', [{ clusters: ['shan'], verbs: ['read', 'write', 'audit'] }]);
const callers = [portal, reader, shanhe];

let gateway: TestGateway;
const start = async (more: object = {}, options: Parameters<typeof startGateway>[1] = {}): Promise<void> => {
  const auth = { callers: callers.map(({ config }) => config) };
  gateway = await startGateway({ ...configOver(stage), auth, ...more }, options);
};
afterEach(() => gateway.stop());

const by = ({ headers }: TestCaller, method: string, path: string, body?: unknown, more: Record<string, string> = {}) =>
  gateway.request(method, path, { ...(body !== undefined && { body }), headers: { ...headers, ...more } });

type Entry = Record<string, unknown>;
const trail = async (query = '', caller = portal): Promise<Entry[]> => {
  const { status, body } = await by(caller, 'GET', `/audit?limit=200&${query}`);
  expect(status).toBe(200);
  return body.items;
};
const withoutTimes = ({ id: _, at: __, requestId: ___, vendorRequestIds: ____, ...rest }: Entry): Entry => rest;

describe('a write', () => {
  it.each([
    ['ali', 'alibaba-ehpc'],
    ['shan', 'shanhe-hpc'],
  ])('has a record when it is accepted, and one when it is settled: %s', async (cluster, vendor) => {
    await start();
    const username = newName();
    const made = await by(
      portal,
      'POST',
      `/clusters/${cluster}/users`,
      { username, password: PASSWORD },
      { 'x-request-id': 'req-1' },
    );
    expect(made.status).toBe(201);
    const records = await trail(`username=${username}`);
    const common = { caller: 'portal', address: '127.0.0.1', clusterId: cluster, vendor, action: 'createUser', code: null };
    const operationId = expect.stringMatching(/^op_/);
    expect(records.map(withoutTimes)).toEqual([
      { ...common, type: 'settled', users: [{ username, status: 'created' }], operationId },
      { ...common, type: 'accepted', users: [{ username, status: null }], operationId },
    ]);
    expect(records.map(({ requestId }) => requestId)).toEqual(['req-1', 'req-1']);
    expect(records[0]?.['vendorRequestIds']).toHaveLength(1);
    expect(await trail(`operationId=${records[0]?.['operationId']}`)).toEqual(records);
  });

  it('of many users names each, with one record for each call to the vendor', async () => {
    await start();
    const items = Array.from({ length: 250 }, () => ({ op: 'create', username: newName(), password: PASSWORD }));
    const { body } = await by(portal, 'POST', '/clusters/ali/users/batch', {
      items: [...items, { op: 'create', username: 'no', password: 'x' }],
    });
    const records = await trail(`operationId=${body.operationId}`);
    const settled = records.filter(({ type }) => type === 'settled');
    const [accepted] = records.filter(({ type }) => type === 'accepted');
    expect(settled).toHaveLength(3);
    expect((accepted?.['users'] as object[] | undefined)?.at(-1)).toEqual({ username: 'no', status: 'refused' });
    const names = settled.flatMap(({ users }) => (users as { username: string }[]).map(({ username }) => username));
    expect(names.sort()).toEqual(items.map(({ username }) => username).sort());
  });

  it('that is refused has a record of that', async () => {
    await start();
    const username = newName();
    const body = { username, password: PASSWORD };
    const path = '/clusters/ali/users';
    expect((await gateway.post(path, body)).status).toBe(401);
    expect((await by(reader, 'POST', path, body)).status).toBe(403);
    expect((await by(shanhe, 'POST', path, body)).status).toBe(404);
    expect((await by(shanhe, 'POST', '/clusters/shan/users', { ...body, role: 'admin' })).status).toBe(403);
    expect((await by(portal, 'POST', path, { ...body, password: 'short' })).status).toBe(422);
    expect((await by(reader, 'DELETE', `${path}/${username}`)).status).toBe(403);
    const records = (await trail('type=refused')).map(({ caller, clusterId, action, users, code }) => [
      caller,
      clusterId,
      action,
      users,
      code,
    ]);
    const named = [{ username, status: 'refused' }];
    expect(records.reverse()).toEqual([
      [null, 'ali', 'createUser', [], 'unauthenticated'],
      ['reader', 'ali', 'createUser', [], 'forbidden'],
      ['shanhe', 'ali', 'createUser', [], 'cluster_not_found'],
      ['shanhe', 'shan', 'createUser', named, 'forbidden'],
      ['portal', 'ali', 'createUser', named, 'invalid_user'],
      ['reader', 'ali', 'deleteUser', named, 'forbidden'],
    ]);
  });

  it('of many users that is refused names some of them', async () => {
    await start();
    const items = Array.from({ length: 150 }, () => ({ op: 'delete', username: newName() }));
    expect((await by(portal, 'POST', '/clusters/nowhere/users/batch', { items })).status).toBe(404);
    const [record] = await trail('type=refused');
    expect(record?.['users']).toEqual(items.slice(0, 100).map(({ username }) => ({ username, status: 'refused' })));
  });

  it('of a stranger that is refused names nobody', async () => {
    await start();
    expect((await gateway.request('DELETE', `/clusters/ali/users/${newName()}`)).status).toBe(401);
    expect((await gateway.request('POST', '/operations/op_1/cancel')).status).toBe(401);
    const records = await trail('type=refused');
    expect(records.map(({ users, operationId }) => [users, operationId])).toEqual([
      [[], null],
      [[], null],
    ]);
  });

  it('that reads only, is dry, or is repeated, has no record of its own', async () => {
    await start();
    const body = { username: newName(), password: PASSWORD };
    const key = { 'idempotency-key': 'same' };
    await by(portal, 'GET', '/clusters/ali/users');
    await by(portal, 'POST', '/clusters/ali/users?dryRun=true', { ...body, password: 'short' });
    await by(portal, 'POST', '/clusters/ali/users', body, key);
    await by(portal, 'POST', '/clusters/ali/users', body, key);
    expect((await trail()).map(({ type }) => type)).toEqual(['settled', 'accepted']);
  });

  it('that somebody cancels names them', async () => {
    await start();
    stage.ehpc.inject({ kind: 'delay', delayMs: 300, action: 'AddUsers', times: -1 });
    const items = Array.from({ length: 1_000 }, () => ({ op: 'create', username: newName(), password: PASSWORD }));
    const { body } = await by(portal, 'POST', '/clusters/ali/users/batch', { items }, { prefer: 'respond-async' });
    expect((await by(reader, 'POST', `/operations/${body.id}/cancel`)).status).toBe(403);
    expect((await by(portal, 'POST', `/operations/${body.id}/cancel`)).body.state).toBe('cancelled');
    const records = await trail(`operationId=${body.id}`);
    expect(records.filter(({ action }) => action === 'cancelOperation')).toMatchObject([
      { caller: 'portal', type: 'accepted' },
      { caller: 'reader', type: 'refused', code: 'forbidden' },
    ]);
    const ends = records.filter(({ type }) => type === 'settled').flatMap(({ users }) => users as { status: string }[]);
    expect(ends).toHaveLength(1_000);
  });
});

describe('the list', () => {
  it('has filters, windows, and only what the caller may see', async () => {
    await start();
    const names = [newName(), newName(), newName()];
    for (const username of names) await by(portal, 'POST', '/clusters/ali/users', { username, password: PASSWORD });
    await by(shanhe, 'POST', '/clusters/shan/users', { username: names[0], password: PASSWORD });
    expect(await trail()).toHaveLength(8);
    expect(await trail('clusterId=shan')).toHaveLength(2);
    expect(await trail('caller=shanhe')).toHaveLength(2);
    expect(await trail(`username=${names[0]}`)).toHaveLength(4);
    expect(await trail(`username=${names[0]}&clusterId=ali&type=accepted`)).toHaveLength(1);
    expect((await trail('', shanhe)).map(({ clusterId }) => clusterId)).toEqual(['shan', 'shan']);
    expect((await by(reader, 'GET', '/audit')).status).toBe(403);
    const all = await trail();
    const [middle] = all.slice(4);
    expect(await trail(`to=${middle?.['at']}`)).toEqual(all.filter(({ at }) => String(at) < String(middle?.['at'])));
    expect(await trail(`from=${middle?.['at']}`)).toEqual(all.filter(({ at }) => String(at) >= String(middle?.['at'])));
    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { body: { items: Entry[]; nextCursor: string | null } } = await by(
        portal,
        'GET',
        `/audit?limit=3${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...page.body.items);
      cursor = page.body.nextCursor;
    }
    expect(seen).toEqual(all);
  });

  it('of strangers is bounded', async () => {
    await start();
    for (let sent = 0; sent < 180; sent++) await gateway.post('/clusters/ali/users', {});
    const { length } = await trail('type=refused');
    // A minute may have begun meanwhile.
    expect([length >= 60, length <= 120]).toEqual([true, true]);
  });
});

it('a stranger fills neither the trail nor the log with names as long as a request line', async () => {
  await start();
  const [long, most] = ['x'.repeat(15_000), 255];
  expect((await by(reader, 'DELETE', `/clusters/ali/users/${long}`)).status).toBe(403);
  expect((await gateway.request('DELETE', `/clusters/${long}/users/anybody`)).status).toBe(401);
  const [stranger, own] = await trail('type=refused');
  expect(stranger).toMatchObject({ caller: null, clusterId: `${'x'.repeat(most - 1)}…` });
  expect(own).toMatchObject({ caller: 'reader', users: [{ username: `${'x'.repeat(most - 1)}…`, status: 'refused' }] });
  const longest = Math.max(
    ...gateway
      .logged()
      .split('\n')
      .map(({ length }) => length),
  );
  expect(longest).toBeLessThan(2_000);
});
