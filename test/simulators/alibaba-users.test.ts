import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type AlibabaEhpcOptions,
  type AlibabaEhpcSimulator,
  type EhpcUserSeed,
  startAlibabaEhpc,
} from '../../simulators/alibaba-ehpc/index.js';
import { acs3, type Params, type Reply, rowsOf, userParams } from './support/ehpc-client.js';
import { sleep } from './support/http.js';

const CLUSTER = 'ehpc-hz-users00001';
const PASSWORD = 'Passw0rd!';
const nameAt = (index: number) => `user.${String(index).padStart(3, '0')}`;
const seeds = (count: number): EhpcUserSeed[] =>
  Array.from({ length: count }, (_, index) => ({
    name: nameAt(index),
    group: index % 10 === 0 ? 'wheel' : 'users',
    addTime: '2024-05-06T20:08:09Z',
  }));

let simulator: AlibabaEhpcSimulator;

const start = async (options: AlibabaEhpcOptions = {}, count = 125) => {
  simulator = await startAlibabaEhpc({
    clusters: [
      { id: CLUSTER, name: 'users', status: 'running', users: seeds(count) },
      { id: 'ehpc-hz-broken0001', name: 'broken', status: 'exception', users: seeds(2) },
      { id: 'ehpc-bj-elsewhere1', name: 'elsewhere', status: 'running', users: [], regionId: 'cn-beijing' },
    ],
    asyncDelayMs: 120,
    asyncWriteMs: 120,
    ...options,
  });
};
const restart = async (options: AlibabaEhpcOptions, count?: number) => {
  await simulator.close();
  await start(options, count);
};
const call = (action: string, params: Params = {}) => acs3(simulator, action, { ClusterId: CLUSTER, ...params });
const write = (action: string, users: readonly Record<string, string>[], extra: Params = {}) =>
  call(action, { ...userParams(CLUSTER, users), ...extra });
const verdict = ({ status, json }: Reply) => [status, json['Code'] ?? 'OK'];
const entry = (name: string, more: Record<string, string> = {}) => ({ Name: name, Group: 'users', Password: PASSWORD, ...more });

beforeEach(() => start());
afterEach(() => simulator.close());

describe('ListUsers', () => {
  test.each([
    [{}, 10, 'user.000', 'user.009'],
    [{ PageSize: '50' }, 50, 'user.000', 'user.049'],
    [{ PageSize: '50', PageNumber: '2' }, 50, 'user.050', 'user.099'],
    [{ PageSize: '50', PageNumber: '3' }, 25, 'user.100', 'user.124'],
    [{ PageSize: '50', PageNumber: '4' }, 0, undefined, undefined],
    [{ PageSize: '25', PageNumber: '5' }, 25, 'user.100', 'user.124'],
    [{ PageSize: '25', PageNumber: '6' }, 0, undefined, undefined],
    [{ PageSize: '1', PageNumber: '125' }, 1, 'user.124', 'user.124'],
  ])('%j', async (page: Params, count, first, last) => {
    const reply = await call('ListUsers', page);
    const rows = rowsOf(reply);
    expect([rows.length, rows[0]?.Name, rows.at(-1)?.Name]).toEqual([count, first, last]);
    expect(reply.json).toMatchObject({
      TotalCount: 125,
      PageSize: Number(page['PageSize'] ?? 10),
      PageNumber: Number(page['PageNumber'] ?? 1),
    });
  });

  test.each([
    { PageSize: '0' },
    { PageSize: '51' },
    { PageSize: '-1' },
    { PageSize: 'ten' },
    { PageSize: '1.5' },
    { PageNumber: '0' },
    { PageNumber: '-3' },
  ])('%j is refused', async (page: Params) => {
    expect(verdict(await call('ListUsers', page))).toEqual([400, 'InvalidParams']);
    expect(verdict(await call('ListUsersAsync', page))).toEqual([400, 'InvalidParams']);
  });

  test('gives no ids and a time without zone', async () => {
    expect(rowsOf(await call('ListUsers', { PageSize: '1' }))).toEqual([
      { Name: 'user.000', Group: 'wheel', AddTime: '2024-05-06T20:08:09' },
    ]);
  });

  test('new users come last, with the next uid; a deleted uid does not come back', async () => {
    await write('AddUsers', [entry('zoe.new'), entry('abe.new', { Group: 'wheel' })]);
    await write('DeleteUsers', [{ Name: 'abe.new' }]);
    await write('AddUsers', [entry('abe.new')]);
    const { json } = await call('ListUsersAsync');
    await sleep(140);
    const rows = rowsOf(await call('ListUsersAsync', { AsyncId: String(json['AsyncId']), PageSize: '50', PageNumber: '3' }));
    expect(rows.slice(-2)).toEqual([
      { Name: 'zoe.new', Group: 'users', UserId: '1125', GroupId: '100', AddTime: expect.stringMatching(/Z$/) },
      { Name: 'abe.new', Group: 'users', UserId: '1127', GroupId: '100', AddTime: expect.stringMatching(/Z$/) },
    ]);
  });
});

describe('ListUsersAsync', () => {
  test('starts, processes, and then pages one snapshot', async () => {
    const first = await call('ListUsersAsync', { PageSize: '50' });
    expect(first.json).toMatchObject({ AsyncStatus: 'Processing', TotalCount: 0, Users: { UserInfo: [] } });
    const AsyncId = String(first.json['AsyncId']);
    expect(AsyncId).toMatch(/^t-[a-z0-9]{15}$/);
    expect((await call('ListUsersAsync', { AsyncId })).json['AsyncStatus']).toBe('Processing');
    await sleep(140);
    await write('DeleteUsers', [{ Name: 'user.000' }]);
    const names: string[] = [];
    for (const PageNumber of ['1', '2', '3']) {
      const page = await call('ListUsersAsync', { AsyncId, PageNumber, PageSize: '50' });
      expect(page.json).toMatchObject({ AsyncStatus: 'Success', TotalCount: 125, AsyncId });
      names.push(...rowsOf(page).map(({ Name }) => Name));
    }
    expect(names).toEqual(seeds(125).map(({ name }) => name));
  });

  test('an unknown or outlived AsyncId is refused', async () => {
    expect(verdict(await call('ListUsersAsync', { AsyncId: 't-nowhere' }))).toEqual([400, 'InvalidParams']);
    await restart({ asyncLifetimeMs: 20 });
    const { json } = await call('ListUsersAsync');
    await sleep(30);
    expect(verdict(await call('ListUsersAsync', { AsyncId: String(json['AsyncId']) }))).toEqual([400, 'InvalidParams']);
  });

  test('instant, failing and unsupported endpoints', async () => {
    await restart({ asyncListing: 'instant' });
    expect((await call('ListUsersAsync')).json).toMatchObject({ AsyncStatus: 'Success', TotalCount: 125 });
    await restart({ asyncListing: 'fails' });
    const { json } = await call('ListUsersAsync');
    await sleep(140);
    const failed = await call('ListUsersAsync', { AsyncId: String(json['AsyncId']) });
    expect(failed.json).toMatchObject({ AsyncStatus: 'Failed', Users: { UserInfo: [] } });
    await restart({ asyncListing: 'unsupported' });
    expect(verdict(await call('ListUsersAsync'))).toEqual([404, 'InvalidAction.NotFound']);
  });
});

describe('writes', () => {
  test('100 users in one URL, all journalled', async () => {
    const users = Array.from({ length: 100 }, (_, index) =>
      entry(`bulk.${nameAt(index)}`, { Password: "(~!@#$%^&*-_+=|{}[]:;'/A1" }),
    );
    const reply = await write('AddUsers', users);
    expect(reply.json).toEqual({ RequestId: expect.any(String) });
    expect(simulator.journal).toHaveLength(100);
    expect(simulator.checkPassword(CLUSTER, 'bulk.user.099', "(~!@#$%^&*-_+=|{}[]:;'/A1")).toBe(true);
  });

  test('roles and passwords', async () => {
    await write('ModifyUserGroups', [{ Name: 'user.001', Group: 'wheel' }]);
    await write('ModifyUserPasswords', [{ Name: 'user.001', Password: PASSWORD }]);
    expect(simulator.journal.map(({ username, effect }) => [username, effect])).toEqual([
      ['user.001', 'role_changed'],
      ['user.001', 'password_changed'],
    ]);
    expect(simulator.checkPassword(CLUSTER, 'user.001', PASSWORD)).toBe(true);
    expect(simulator.checkPassword(CLUSTER, 'user.001', 'Passw0rd?')).toBe(false);
    expect(simulator.checkPassword(CLUSTER, 'user.002', PASSWORD)).toBe(false);
    expect(rowsOf(await call('ListUsers'))[1]?.Group).toBe('wheel');
  });

  test.each([
    ['name too short', entry('short')],
    ['name too long', entry('n'.repeat(31))],
    ['name starts with a digit', entry('1digit.first')],
    ['name with a hyphen', entry('with-hyphen')],
    ['unknown group', entry('good.name', { Group: 'root' })],
    ['password too short', entry('good.name', { Password: 'Abc123!' })],
    ['password too long', entry('good.name', { Password: `Aa1${'x'.repeat(28)}` })],
    ['two classes only', entry('good.name', { Password: 'abcdefgh1' })],
    ['a space', entry('good.name', { Password: 'Passw0rd !' })],
    ['a double quote', entry('good.name', { Password: 'Passw0rd"' })],
    ['a backslash', entry('good.name', { Password: 'Passw0rd\\' })],
    ['a backtick', entry('good.name', { Password: 'Passw0rd`' })],
    ['no group', { Name: 'good.name', Password: PASSWORD }],
    ['no password', { Name: 'good.name', Group: 'users' }],
    ['no name', { Group: 'users', Password: PASSWORD }],
  ])('AddUsers refuses the whole call: %s', async (_what, bad: Record<string, string>) => {
    const reply = await write('AddUsers', [entry('fine.user'), bad]);
    expect(verdict(reply)).toEqual([400, 'InvalidParams']);
    expect(reply.json['Message']).toMatch(/^The specified parameter User\.2\.(Name|Group|Password) is invalid\.$/);
    expect(simulator.journal).toHaveLength(0);
  });

  test('three of four classes and the shortest and longest values are taken', async () => {
    const users = [
      entry('six.ch', { Password: 'UserPass123' }),
      entry('n'.repeat(30), { Password: 'aaaaaa1!' }),
      entry('Upper.Case', { Password: `Aa1${'x'.repeat(27)}` }),
    ];
    expect(verdict(await write('AddUsers', users))).toEqual([200, 'OK']);
  });

  test('1 to 100 entries, no name twice, index gaps allowed', async () => {
    expect(verdict(await write('AddUsers', []))).toEqual([400, 'InvalidParams']);
    const many = Array.from({ length: 101 }, (_, index) => entry(`many.${nameAt(index)}`));
    expect(verdict(await write('AddUsers', many))).toEqual([400, 'InvalidParams']);
    expect(verdict(await write('AddUsers', [entry('twin.user'), entry('twin.user')]))).toEqual([400, 'InvalidParams']);
    expect(simulator.journal).toHaveLength(0);
    const gap = { 'User.1.Name': 'user.001', 'User.3.Name': 'user.003' };
    expect(verdict(await call('DeleteUsers', gap))).toEqual([200, 'OK']);
    expect(simulator.journal.map(({ username }) => username)).toEqual(['user.001', 'user.003']);
  });

  test('one taken or unknown name refuses the whole batch', async () => {
    expect(verdict(await write('AddUsers', [entry('fresh.user'), entry('user.005')]))).toEqual([
      406,
      'AgentError.Account.UserAlreadyExist',
    ]);
    for (const action of ['DeleteUsers', 'ModifyUserGroups', 'ModifyUserPasswords']) {
      const reply = await write(action, [entry('user.001'), entry('ghost.user')]);
      expect(verdict(reply)).toEqual([406, 'AgentError.Account.UserNotExist']);
      expect(reply.json['Message']).toContain('ghost.user');
    }
    expect(simulator.journal).toHaveLength(0);
  });

  test('Async=true answers at once and shows later; its failure shows nowhere', async () => {
    const reply = await write('AddUsers', [entry('later.user')], { Async: 'true' });
    expect(reply.json).toEqual({ RequestId: expect.any(String) });
    expect((await call('ListUsers')).json['TotalCount']).toBe(125);
    expect(verdict(await write('AddUsers', [entry('user.005')], { Async: 'true' }))).toEqual([200, 'OK']);
    await sleep(160);
    expect((await call('ListUsers')).json['TotalCount']).toBe(126);
    expect(verdict(await write('DeleteUsers', [{ Name: 'user.001' }], { Async: 'yes' }))).toEqual([400, 'InvalidParams']);
  });

  test('JSON user lists are understood too', async () => {
    const Users = JSON.stringify([{ Username: 'user.001', Group: 'wheel' }]);
    expect(verdict(await call('ModifyUserGroups', { Users }))).toEqual([200, 'OK']);
    expect(rowsOf(await call('ListUsers'))[1]?.Group).toBe('wheel');
  });
});

describe('clusters', () => {
  test('unknown is 404, not running is 403, for lists and for writes; rules come first', async () => {
    const at = (ClusterId: string) => [
      call('ListUsers', { ClusterId }),
      call('ListUsersAsync', { ClusterId }),
      acs3(simulator, 'AddUsers', userParams(ClusterId, [entry('some.user')])),
    ];
    for (const reply of await Promise.all(at('ehpc-hz-nowhere'))) expect(verdict(reply)).toEqual([404, 'ClusterNotFound']);
    for (const reply of await Promise.all(at('ehpc-hz-broken0001')))
      expect(verdict(reply)).toEqual([403, 'InvalidClusterStatus']);
    expect(verdict(await acs3(simulator, 'AddUsers', userParams('ehpc-hz-nowhere', [entry('bad')])))).toEqual([
      400,
      'InvalidParams',
    ]);
    expect(verdict(await acs3(simulator, 'ListUsers'))).toEqual([400, 'MissingClusterId']);
  });

  test('lists only the clusters of its region', async () => {
    const { json } = await acs3(simulator, 'ListClusters', { PageSize: '50' });
    expect(json).toMatchObject({
      TotalCount: 2,
      Clusters: { ClusterInfoSimple: [{ Id: CLUSTER, Status: 'running', RegionId: 'cn-hangzhou' }, { Status: 'exception' }] },
    });
    const meta = await acs3(simulator, 'ListClustersMeta', { PageSize: '1', PageNumber: '2' });
    const [row] = (meta.json['Clusters'] as { ClusterInfoSimple: object[] }).ClusterInfoSimple;
    expect(row).toMatchObject({ Id: 'ehpc-hz-broken0001' });
    expect(row).not.toHaveProperty('RegionId');
    expect(row).not.toHaveProperty('CreateTime');
  });

  test('describes any cluster', async () => {
    const { json } = await call('DescribeCluster', { ClusterId: 'ehpc-hz-broken0001' });
    expect(json['ClusterInfo']).toMatchObject({
      Id: 'ehpc-hz-broken0001',
      Name: 'broken',
      Status: 'exception',
      AccountType: 'nis',
    });
    expect(verdict(await call('DescribeCluster', { ClusterId: 'nowhere' }))).toEqual([404, 'ClusterNotFound']);
  });
});

describe('quirks', () => {
  const listing = async (quirks: NonNullable<AlibabaEhpcOptions['quirks']>, count = 3, page: Params = {}) => {
    await restart({ quirks, asyncListing: 'instant' }, count);
    return { sync: (await call('ListUsers', page)).json, async: (await call('ListUsersAsync', page)).json };
  };

  test('numeric ids', async () => {
    const { async } = await listing({ ids: 'number' });
    expect(async['Users']).toMatchObject({ UserInfo: [{ UserId: 1000, GroupId: 10 }, { GroupId: 100 }, {}] });
  });

  test('bare array and missing Users', async () => {
    expect((await listing({ users: 'bare-array' })).sync['Users']).toHaveLength(3);
    expect((await listing({ noUsers: 'missing' }, 0)).sync).not.toHaveProperty('Users');
    expect((await listing({}, 0)).sync['Users']).toEqual({ UserInfo: [] });
  });

  test('TotalCount and PageSize of the page', async () => {
    const { sync } = await listing({ totalCount: 'page', pageSize: 'rows' }, 3, { PageSize: '2', PageNumber: '2' });
    expect(sync).toMatchObject({ TotalCount: 1, PageSize: 1 });
  });

  test('times', async () => {
    const timeOf = (body: Record<string, unknown>) =>
      (body['Users'] as { UserInfo: { AddTime?: string }[] }).UserInfo[0]?.AddTime;
    const normal = await listing({});
    expect([timeOf(normal.sync), timeOf(normal.async)]).toEqual(['2024-05-06T20:08:09', '2024-05-06T20:08:09.000Z']);
    const china = await listing({ asyncAddTime: 'zoneless', zonelessClock: 'china' });
    expect([timeOf(china.sync), timeOf(china.async)]).toEqual(['2024-05-07T04:08:09', '2024-05-07T04:08:09']);
    const none = await listing({ addTime: 'missing', asyncAddTime: 'missing' });
    expect([timeOf(none.sync), timeOf(none.async)]).toEqual([undefined, undefined]);
  });

  test('other codes and statuses', async () => {
    await restart({
      denyActions: ['ListClusters'],
      quirks: {
        ...{ ramDenial: 'Forbidden.RAM', unknownKeyStatus: 400, signatureStatus: 403, throttlingStatus: 429 },
        ...{ unknownUser: 'UserNotFound', timeWindowMinutes: 31, describedId: 'instance', asyncId: 'missing' },
      },
    });
    expect(verdict(await call('ListClusters'))).toEqual([403, 'Forbidden.RAM']);
    expect(verdict(await acs3({ ...simulator, accessKeyId: 'no' }, 'ListUsers'))).toEqual([400, 'InvalidAccessKeyId.NotFound']);
    expect(verdict(await acs3({ ...simulator, accessKeySecret: 'no' }, 'ListUsers'))).toEqual([403, 'SignatureDoesNotMatch']);
    expect(verdict(await write('DeleteUsers', [{ Name: 'ghost.user' }]))).toEqual([404, 'UserNotFound']);
    const late = await acs3(simulator, 'ListUsers', { ClusterId: CLUSTER }, { at: new Date(Date.now() - 30 * 60_000) });
    expect(verdict(late)).toEqual([200, 'OK']);
    expect((await call('DescribeCluster')).json['ClusterInfo']).toMatchObject({ Id: expect.stringMatching(/^i-/) });
    expect((await call('ListUsersAsync')).json).not.toHaveProperty('AsyncId');
    simulator.inject({ kind: 'throttle' });
    expect(verdict(await call('ListUsers'))).toEqual([429, 'Throttling.User']);
  });
});
