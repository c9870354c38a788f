/** Lists and messages hold only what the caller may see. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER, startEhpc, startShanhe } from '../support/backends.js';
import { type BothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller, type TestCaller } from '../support/callers.js';
import { type RequestOptions, startGateway, type TestAnswer } from '../support/gateway.js';
import { until } from '../support/wait.js';

const withRights = (id: string, clusters: string[], verbs: string[]): TestCaller =>
  makeCaller(id, [{ clusters, verbs, roles: ['owner'] }]);
const callers = {
  all: withRights('all', ['*'], ['read', 'write', 'operate']),
  ali: withRights('ali', ['ali'], ['read', 'write']),
  shan: withRights('shan', ['shan'], ['read', 'write']),
  shans: withRights('shans', ['shan*'], ['read']),
  hangzhou: withRights('hangzhou', ['ehpc-hz-*'], ['read']),
  reader: withRights('reader', ['ali', 'shan'], ['read']),
  writer: withRights('writer', ['ali', 'shan'], ['read', 'write']),
  operator: withRights('operator', ['ali'], ['read', 'operate']),
};
const PASSWORD = 'kUISjs@kkkkkk1';

const stage = {} as BothVendors;
beforeEach(async () => {
  [stage.ehpc, stage.shanhe] = await Promise.all([startEhpc(), startShanhe()]);
  stage.gateway = await startGateway({
    ...configOver(stage),
    auth: { callers: Object.values(callers).map(({ config }) => config) },
  });
});
afterEach(async () => {
  await stage.gateway.stop();
  await Promise.all([stage.ehpc.close(), stage.shanhe.close()]);
});

const as = ({ headers }: TestCaller, method: string, path: string, options: RequestOptions = {}): Promise<TestAnswer> =>
  stage.gateway.request(method, path, { ...options, headers: { ...headers, ...options.headers } });
const get = (caller: TestCaller, path: string): Promise<TestAnswer> => as(caller, 'GET', path);
const each = (items: readonly Record<string, unknown>[], field: string): unknown[] => items.map((item) => item[field]);
const vendorCalls = () => ({ ehpc: stage.ehpc.calls.length, shanhe: stage.shanhe.calls.length });
/** Names that a caller of one cluster of Shanhe has no right to know. */
const HIDDEN = /ali|hangzhou|ehpc-hz|"jinan-2"/;

describe('GET /clusters', () => {
  it('has those that the caller may see, and asks no account of the others', async () => {
    const { body } = await get(callers.shan, '/clusters');
    expect([each(body.items, 'id'), body.problems, body.incomplete]).toEqual([['shan'], [], null]);
    expect(vendorCalls().ehpc).toBe(0);
    expect(each((await get(callers.ali, '/clusters')).body.items, 'id')).toEqual(['ali']);
    const all = each((await get(callers.all, '/clusters')).body.items, 'id');
    expect(all).toEqual(expect.arrayContaining(['ali', 'ali-broken', 'shan', 'shan-shared', 'shan-stopped']));
  });

  it('by a pattern, and discovered ones by their own ids only', async () => {
    const ids = each((await get(callers.shans, '/clusters')).body.items, 'id');
    expect(ids).toEqual(['shan', 'shan-shared', 'shan-stopped', 'shan-missing']);
    // The configuration calls them otherwise.
    expect((await get(callers.hangzhou, '/clusters')).body.items).toEqual([]);
    const { status, body } = await get(callers.hangzhou, `/clusters/${EHPC_CLUSTER}`);
    expect([status, body.detail]).toEqual([404, `There is no cluster ${EHPC_CLUSTER}.`]);
    expect((await get(callers.all, `/clusters/${EHPC_CLUSTER}`)).body.detail).toMatch(/The configuration calls it ali\./);
  });

  it.each(['shan', 'shans'] as const)('problems name no account of hidden clusters: %s', async (name) => {
    // So that it is known what the account has.
    await get(callers.all, '/clusters');
    stage.ehpc.inject({ kind: 'reset_before', times: -1 });
    for (const path of ['/clusters', '/users/u0007']) {
      const { status, text, body } = await get(callers[name], path);
      expect([status, body.problems.filter(({ account }: { account: string }) => account === 'aliyun')]).toEqual([200, []]);
      expect(text).not.toMatch(/aliyun|ehpc-hz/);
    }
    const { body } = await get(callers.all, '/clusters');
    expect(each(body.problems, 'account')).toContain('aliyun');
  });
});

describe('GET /users/{username}', () => {
  it('looks on clusters that the caller may see, and asks no other', async () => {
    const { body } = await get(callers.shan, '/users/u0007');
    expect([each(body.items, 'clusterId'), body.problems]).toEqual([['shan'], []]);
    expect(vendorCalls().ehpc).toBe(0);
    const all = await get(callers.all, '/users/u0007');
    expect(each(all.body.items, 'clusterId')).toEqual(expect.arrayContaining(['ali', 'shan']));
  });
});

describe('suggestions', () => {
  it('name what the caller may see, and nothing else', async () => {
    for (const [caller, asked, suggested] of [
      ['all', 'alj', 'ali'],
      ['reader', 'alj', 'ali'],
      ['shan', 'alj', undefined],
      ['shan', 'sham', 'shan'],
      ['ali', 'shan-shard', undefined],
      ['all', 'shan-shard', 'shan-shared'],
    ] as const) {
      for (const path of [`/clusters/${asked}`, `/clusters/${asked}/users`, `/clusters/${asked}/users/u0007`]) {
        const { status, body } = await get(callers[caller], path);
        const help = suggested === undefined ? '' : ` Did you mean ${suggested}?`;
        expect([caller, path, status, body.detail]).toEqual([caller, path, 404, `There is no cluster ${asked}.${help}`]);
      }
    }
  });

  it('nothing that a caller of one cluster is answered names another one', async () => {
    const paths = [
      '/clusters',
      '/clusters/shan',
      '/clusters/shann',
      '/operations',
      '/users/u0007',
      '/clusters/shan/users/nobody',
      '/clusters/nothing',
      '/cluster',
    ];
    for (const path of paths)
      expect([path, (await get(callers.shan, path)).text]).toEqual([path, expect.not.stringMatching(HIDDEN)]);
  });
});

describe('GET /operations', () => {
  const write = (caller: TestCaller, cluster: string, username: string) =>
    as(caller, 'PUT', `/clusters/${cluster}/users/${username}/password`, { body: { password: PASSWORD } });
  const found = async (caller: TestCaller, query = ''): Promise<string[]> => {
    const { body } = await get(caller, `/operations${query}`);
    return body.items.map((item: Record<string, string>) => `${item['caller']} ${item['clusterId']} ${item['kind']}`);
  };
  beforeEach(async () => {
    for (const [caller, cluster, username] of [
      ['ali', 'ali', 'user.0001'],
      ['shan', 'shan', 'u0007'],
      ['writer', 'ali', 'user.0002'],
      ['writer', 'shan', 'u0007'],
    ] as const)
      expect((await write(callers[caller], cluster, username)).status).toBe(204);
    expect((await as(callers.writer, 'DELETE', '/clusters/shan/users/nobody')).status).toBe(404);
  });

  it('has those on clusters that the caller may see, of whomever', async () => {
    const [own, theirs] = ['writer ali setUserPassword', 'ali ali setUserPassword'];
    expect(await found(callers.ali)).toEqual([own, theirs]);
    expect(await found(callers.shan)).toEqual([
      'writer shan deleteUser',
      'writer shan setUserPassword',
      'shan shan setUserPassword',
    ]);
    expect(await found(callers.reader)).toHaveLength(5);
    expect(await found(callers.hangzhou)).toEqual([]);
  });

  it('is narrowed by each filter, alone and together, within that', async () => {
    const now = Date.now();
    const at = (ms: number): string => encodeURIComponent(new Date(ms).toISOString());
    for (const [query, count, ofShan] of [
      ['?caller=writer', 3, 2],
      ['?caller=nobody', 0, 0],
      ['?username=u0007', 2, 2],
      ['?username=user.0001', 1, 0],
      ['?kind=deleteUser', 1, 1],
      ['?state=failed', 1, 1],
      ['?state=succeeded', 4, 2],
      ['?clusterId=ali', 2, 0],
      ['?clusterId=nothing', 0, 0],
      ['?caller=writer&username=u0007&kind=setUserPassword&state=succeeded&clusterId=shan', 1, 1],
      ['?caller=writer&clusterId=ali', 1, 0],
      [`?from=${at(now - 600_000)}`, 5, 3],
      [`?from=${at(now + 600_000)}`, 0, 0],
      [`?to=${at(now + 600_000)}`, 5, 3],
      [`?to=${at(now - 600_000)}`, 0, 0],
      [`?from=${at(now - 600_000)}&to=${at(now + 600_000)}&caller=shan`, 1, 1],
    ] as const) {
      const [all, own] = [await found(callers.reader, query), await found(callers.shan, query)];
      expect([query, all.length, own.length]).toEqual([query, count, ofShan]);
    }
  });

  it.each([
    'from=yesterday',
    'from=2026-03-01',
    'to=2026-03-01T00:00:00',
    'to=2026-13-01T00:00:00Z',
    'kind=everything',
    'caller=',
  ])('refuses %s', async (query) => {
    expect((await get(callers.reader, `/operations?${query}`)).status).toBe(400);
  });

  it('does not say that there are others, which the caller may not see', async () => {
    const { body } = await get(callers.shan, '/operations?caller=writer&limit=200');
    expect(body.items.length).toBeGreaterThan(0);
    const last = await get(callers.shan, `/operations?caller=writer&limit=${body.items.length}`);
    expect([last.body.items.length, last.body.nextCursor]).toEqual([body.items.length, null]);
  });

  it('goes through all of it window by window; a cursor is good for its caller and its parameters only', async () => {
    const ids: string[] = [];
    let path: string | undefined = '/operations?limit=1&caller=writer';
    let cursor = '';
    while (path !== undefined) {
      const { body }: TestAnswer = await get(callers.reader, path);
      ids.push(...each(body.items, 'id').map(String));
      cursor ||= String(body.nextCursor);
      path =
        body.nextCursor === null ? undefined : `/operations?limit=1&caller=writer&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
    expect([ids.length, new Set(ids).size]).toEqual([3, 3]);
    const next = `cursor=${encodeURIComponent(cursor)}`;
    expect((await get(callers.reader, `/operations?limit=3&caller=writer&${next}`)).status).toBe(200);
    for (const [caller, query] of [
      ['shan', 'limit=1&caller=writer'],
      ['all', 'limit=1&caller=writer'],
      ['reader', 'limit=1'],
      ['reader', 'limit=1&caller=shan'],
      ['reader', 'limit=1&caller=writer&state=failed'],
      ['reader', 'limit=1&caller=writer&clusterId=ali'],
      ['reader', 'limit=1&caller=writer&from=2026-03-01T00:00:00Z'],
    ] as const) {
      const { status, body } = await get(callers[caller], `/operations?${query}&${next}`);
      expect([caller, query, status, body.errors?.[0].pointer]).toEqual([caller, query, 400, '/query/cursor']);
    }
    // Nor for another list.
    expect((await get(callers.reader, `/clusters/shan/users?${next}`)).status).toBe(400);
    for (const wrong of [
      `${cursor}A`,
      cursor.slice(0, -1),
      cursor.toLowerCase(),
      `${cursor}.`,
      '.',
      Buffer.from('{"after":"op_"}').toString('base64url'),
    ])
      expect((await get(callers.reader, `/operations?caller=writer&cursor=${encodeURIComponent(wrong)}`)).status).toBe(400);
  });

  it('a cursor of users is good for its caller, cluster and parameters only', async () => {
    const { body } = await get(callers.reader, '/clusters/shan/users?limit=2');
    const next = `cursor=${encodeURIComponent(body.nextCursor)}`;
    expect((await get(callers.reader, `/clusters/shan/users?limit=5&${next}`)).body.items[0].username).toBe('u0002');
    for (const [caller, path] of [
      ['all', `/clusters/shan/users?limit=2&${next}`],
      ['shan', `/clusters/shan/users?limit=2&${next}`],
      ['reader', `/clusters/ali/users?limit=2&${next}`],
      ['reader', `/clusters/shan/users?limit=2&search=u&${next}`],
      ['reader', `/clusters/shan/users?limit=2&role=member&${next}`],
    ] as const)
      expect([path, (await get(callers[caller], path)).status]).toEqual([path, 400]);
  });
});

describe('cancelling', () => {
  const begin = async (): Promise<string> => {
    stage.ehpc.inject({ kind: 'delay', action: 'ModifyUserPasswords', delayMs: 600 });
    const items = Array.from({ length: 300 }, (_, at) => ({
      op: 'create',
      username: `cancel.${at}x`,
      password: 'Abc1~!@#$%^&*',
    }));
    const first = [{ op: 'update', username: 'user.0001', password: 'Abc1~!@#$%^&*' }, ...items];
    const { status, headers } = await as(callers.ali, 'POST', '/clusters/ali/users/batch', {
      body: { items: first, stopOnError: true },
      headers: { prefer: 'respond-async' },
    });
    expect(status).toBe(202);
    return headers.get('location') as string;
  };
  const cancel = (caller: TestCaller, path: string) => as(caller, 'POST', `${path}/cancel`);

  it('an own operation needs write, that of another operate, and both that it can be seen', async () => {
    const path = await begin();
    const refused = await cancel(callers.writer, path);
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
    expect(refused.body.detail).toMatch(/asked for by another caller; cancelling it needs the right operate/);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="hpc-gateway", error="insufficient_scope", scope="operate"',
    );
    expect((await cancel(callers.reader, path)).status).toBe(403);
    expect((await cancel(callers.shan, path)).status).toBe(404);
    expect((await get(callers.ali, path)).body.done).toBe(false);
    const { status, body } = await cancel(callers.operator, path);
    expect([status, body.state]).toEqual([200, 'cancelled']);
  });

  it('its own caller cancels it', async () => {
    const path = await begin();
    const { status, body } = await cancel(callers.ali, path);
    expect([status, body.state]).toEqual([200, 'cancelled']);
    await until(
      () => get(callers.ali, path),
      ({ body: operation }) => operation.done,
    );
  });
});
