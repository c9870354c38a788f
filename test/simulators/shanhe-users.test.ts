import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type ShanheHpcOptions,
  type ShanheHpcSimulator,
  type ShanheUserSeed,
  startShanheHpc,
} from '../../simulators/shanhe-hpc/index.js';
import { finishJob, get, post, type Reply, usersOf } from './support/shanhe-client.js';

const CLUSTER = 'ehpc-users001';
const SHARED = 'hpc-users001';
const STOPPED = 'ehpc-stopped1';
const PASSWORD = 'kUISjs@kkkkkk!';
const nameAt = (index: number) => (index === 0 ? 'admin' : `u${String(index).padStart(4, '0')}`);
const seeds = (count: number): ShanheUserSeed[] =>
  Array.from({ length: count }, (_, index) => ({ username: nameAt(index), role: index === 0 ? 'admin' : 'member' }));

let simulator: ShanheHpcSimulator;

const start = async (options: ShanheHpcOptions = {}) => {
  simulator = await startShanheHpc({
    clusters: [
      { id: CLUSTER, name: 'Exclusive one', type: 'ehpc', status: 'active', users: seeds(250) },
      {
        id: SHARED,
        name: 'shared',
        type: 'hpc',
        status: 'active',
        users: [{ username: 'usr-vceaHsJu', role: 'boss', uid: 41522 }],
      },
      { id: STOPPED, name: 'stopped', type: 'ehpc', status: 'stopped', users: seeds(2) },
      { id: 'ehpc-lonely1', name: 'lonely', type: 'ehpc', status: 'active', users: [{ username: 'single', role: 'member' }] },
    ],
    jobMs: 120,
    ...options,
  });
};
const restart = async (options: ShanheHpcOptions) => {
  await simulator.close();
  await start(options);
};

const list = (params: Record<string, string> = {}) => get(simulator, '/user', { cluster_id: CLUSTER, ...params });
const add = (username: string, more = {}) =>
  post(simulator, '/user/addUser', { cluster_id: CLUSTER, username, password: PASSWORD, ...more });
const remove = (username: string, more = {}) => post(simulator, '/user/deleteUser', { cluster_id: CLUSTER, username, ...more });
const reset = (username: string, more = {}) =>
  post(simulator, '/user/modifyUser', { cluster_id: CLUSTER, username, new_password: '%e^S5kW1*&fR', ...more });
const effects = () => simulator.journal.map(({ username, effect }) => [username, effect]);
const jobOf = (reply: Reply) => reply.json['job_id'];

beforeEach(() => start());
afterEach(() => simulator.close());

describe('/user', () => {
  test.each([
    [{}, 10, 'admin', 'u0009'],
    [{ limit: '100' }, 100, 'admin', 'u0099'],
    [{ limit: '100', offset: '100' }, 100, 'u0100', 'u0199'],
    [{ limit: '100', offset: '200' }, 50, 'u0200', 'u0249'],
    [{ limit: '100', offset: '250' }, 0, undefined, undefined],
    [{ limit: '1000' }, 100, 'admin', 'u0099'],
    [{ limit: '7', offset: '245' }, 5, 'u0245', 'u0249'],
  ])('%j', async (window: Record<string, string>, count, first, last) => {
    const reply = await list(window);
    const users = usersOf(reply);
    expect([users.length, users[0]?.username, users.at(-1)?.username]).toEqual([count, first, last]);
    expect(reply.json).toMatchObject({ action: 'HpcUserListUsersResponse', ret_code: 0, total_count: 250 });
  });

  test.each([{ limit: '0' }, { limit: '-1' }, { limit: 'ten' }, { offset: '-1' }])(
    '%j is 1101',
    async (window: Record<string, string>) => {
      expect((await list(window)).code).toBe(1101);
    },
  );

  test('the fields of one user', async () => {
    const reply = await get(simulator, '/user', { cluster_id: SHARED });
    expect(usersOf(reply)).toEqual([
      {
        cluster_id: SHARED,
        create_time: '2021-08-17T09:12:40Z',
        gid_number: '41522',
        hpcuser_id: expect.stringMatching(/^hpcuser-[a-z0-9]{8}$/),
        mod: null,
        nas_mount_point: '/public/shanhe/s0723',
        role: 'boss',
        uid_number: '41522',
        update_time: '2021-08-17T09:12:40Z',
        user_id: 'usr-vceaHsJu',
        username: 'usr-vceaHsJu',
      },
    ]);
  });

  test('searches by part of the name, whatever the case, and by prefix when told so', async () => {
    expect((await list({ search_word: 'U012' })).json['total_count']).toBe(10);
    expect((await list({ search_word: '012' })).json['total_count']).toBe(11);
    await restart({ quirks: { search: 'prefix' } });
    expect((await list({ search_word: '012' })).json['total_count']).toBe(0);
  });

  test('without cluster_id: all clusters; unknown cluster: 2100, 5000 or nobody', async () => {
    expect((await get(simulator, '/user')).json['total_count']).toBe(254);
    const unknown = () => get(simulator, '/user', { cluster_id: 'ehpc-nowhere' });
    expect((await unknown()).code).toBe(2100);
    await restart({ quirks: { unknownCluster: '5000' } });
    expect((await unknown()).code).toBe(5000);
    await restart({ quirks: { unknownCluster: 'empty' } });
    expect((await unknown()).json).toMatchObject({ ret_code: 0, total_count: 0, users_set: [] });
  });

  test('the other spellings', async () => {
    await restart({ quirks: { usersKey: 'user_set', totalCount: 'total_sum', ids: 'number', actionName: 'cluster-list' } });
    const { json } = await list({ limit: '1' });
    expect(json).toMatchObject({
      action: 'HpcClusterListClusterResponse',
      total_sum: 250,
      user_set: [{ uid_number: 41500, gid_number: 41500 }],
    });
    expect(json).not.toHaveProperty('users_set');
    await restart({ quirks: { totalCount: 'missing' } });
    expect(Object.keys((await list()).json)).toEqual(['action', 'ret_code', 'users_set']);
  });
});

describe('jobs', () => {
  test('an added user shows when its job succeeds, at the end of the list', async () => {
    // Long enough to look at it while it runs.
    simulator.inject({ kind: 'job_slow', delayMs: 700 });
    const reply = await add('isabel', { mod: '700' });
    expect(reply.json).toEqual({
      action: 'HpcUserAddUserResponse',
      ret_code: 0,
      job_id: expect.stringMatching(/^j-[a-z0-9]{11}$/),
    });
    const pending = await get(simulator, '/operation', { job_ids: String(jobOf(reply)) });
    expect(pending.json).toMatchObject({
      ...{ action: 'HpcOperationListOperationResponse', total_count: 1, data: {} },
      job_set: [
        { job_id: jobOf(reply), job_action: 'HpcUserAddUser', status: 'pending', resource_ids: CLUSTER, task_count: null },
      ],
    });
    expect(usersOf(await list({ search_word: 'isabel' }))).toEqual([]);
    expect(await finishJob(simulator, jobOf(reply))).toBe('successful');
    const [user] = usersOf(await list({ offset: '250' }));
    expect(user).toMatchObject({ username: 'isabel', role: 'member', uid_number: '41750', mod: '700' });
    expect(simulator.checkPassword(CLUSTER, 'isabel', PASSWORD)).toBe(true);
    expect(effects()).toEqual([['isabel', 'created']]);
  });

  test('a deleted user is gone when its job succeeds', async () => {
    const reply = await remove('u0001');
    expect(usersOf(await list({ search_word: 'u0001' }))).toHaveLength(1);
    expect(await finishJob(simulator, jobOf(reply))).toBe('successful');
    expect(usersOf(await list({ search_word: 'u0001' }))).toEqual([]);
    expect(effects()).toEqual([['u0001', 'deleted']]);
  });

  test('a password is changed at once, without a job', async () => {
    const reply = await reset('admin');
    expect(reply.json).toEqual({ action: 'HpcUserModifyUserResponse', ret_code: 0 });
    expect(simulator.checkPassword(CLUSTER, 'admin', '%e^S5kW1*&fR')).toBe(true);
    expect((await reset('usr-vceaHsJu', { cluster_id: SHARED })).code).toBe(0);
  });

  test('/operation: both filter names, several ids, status, newest first, and without filters', async () => {
    const jobs = [jobOf(await add('one')), jobOf(await add('two')), jobOf(await add('three'))].map(String);
    const ids = async (params: Record<string, string>) =>
      ((await get(simulator, '/operation', params)).json['job_set'] as { job_id: string }[]).map(({ job_id }) => job_id);
    expect(await ids({ job_ids: jobs.slice(0, 2).join(',') })).toEqual([jobs[1], jobs[0]]);
    expect(await ids({ jobs: String(jobs[2]) })).toEqual([jobs[2]]);
    expect(await ids({ reverse: '0' })).toEqual(jobs);
    expect(await ids({ limit: '1', offset: '1' })).toEqual([jobs[1]]);
    expect(await ids({ job_ids: 'j-nowhere' })).toEqual([]);
    for (const job of jobs) await finishJob(simulator, job);
    expect(await ids({ status: 'pending' })).toEqual([]);
    expect(await ids({ status: 'successful', resource_ids: CLUSTER })).toHaveLength(3);
  });

  test('/operation may ignore the filter', async () => {
    await restart({ quirks: { ignoreJobFilter: true } });
    const first = jobOf(await add('one'));
    const second = jobOf(await add('two'));
    const { json } = await get(simulator, '/operation', { job_ids: String(first) });
    expect(json['job_set']).toMatchObject([{ job_id: second }, { job_id: first }]);
  });

  test('a taken name: the job fails, or the call is refused', async () => {
    const reply = await add('u0001');
    expect(reply.code).toBe(0);
    expect(await finishJob(simulator, jobOf(reply))).toBe('failed');
    for (const code of ['5000', '2110'] as const) {
      await restart({ quirks: { duplicateUser: code } });
      expect((await add('u0001')).code).toBe(Number(code));
    }
    expect(effects()).toEqual([]);
  });

  test('two adds of one name: one succeeds', async () => {
    const replies = await Promise.all([add('twin'), add('twin')]);
    const states = await Promise.all(replies.map((reply) => finishJob(simulator, jobOf(reply))));
    expect(states.sort()).toEqual(['failed', 'successful']);
    expect(effects()).toEqual([['twin', 'created']]);
  });

  test('an unknown name: 5000, 2100, or a failing job', async () => {
    expect((await remove('ghost')).code).toBe(5000);
    expect((await reset('ghost')).code).toBe(5000);
    await restart({ quirks: { unknownUser: '2100' } });
    expect((await remove('ghost')).code).toBe(2100);
    expect((await reset('ghost')).code).toBe(2100);
    await restart({ quirks: { unknownUser: 'job' } });
    expect(await finishJob(simulator, jobOf(await remove('ghost')))).toBe('failed');
  });
});

describe('rules', () => {
  test.each([
    ['nine letters', 'ninechars', {}, 1101],
    ['a hyphen', 'a-b', {}, 1101],
    ['no name', '', {}, 1100],
    ['a number for a name', 'ok', { username: 7 }, 1100],
    ['password too short', 'ok', { password: 'kUISjs@kkkk' }, 1101],
    ['password too long', 'ok', { password: `kUISjs@1${'k'.repeat(23)}` }, 1101],
    ['a symbol of another alphabet', 'ok', { password: 'kUISjs_kkkkkk!' }, 1101],
    ['no password', 'ok', { password: undefined }, 1100],
    ['a wrong mod', 'ok', { mod: 'rwx' }, 1101],
    ['no cluster', 'ok', { cluster_id: undefined }, 1100],
    ['an unknown cluster', 'ok', { cluster_id: 'ehpc-nowhere' }, 2100],
    ['a shared cluster', 'ok', { cluster_id: SHARED }, 1400],
    ['a stopped cluster', 'ok', { cluster_id: STOPPED }, 1400],
  ])('addUser refuses %s', async (_what, username, more, code) => {
    const reply = await add(username, more);
    expect(reply.code).toBe(code);
    expect(reply.text).not.toContain('kUISjs');
    expect(effects()).toEqual([]);
  });

  test('the published sample without a digit, and `$`, are taken unless all classes are asked for', async () => {
    expect((await add('one')).code).toBe(0);
    expect((await add('two', { password: 'aaaaaaaaaa$A' })).code).toBe(0);
    await restart({ quirks: { allClasses: true } });
    expect((await add('one')).code).toBe(1101);
    expect((await add('one', { password: 'kUISjs@kkkkk1!' })).code).toBe(0);
  });

  test('deleteUser refuses admin, the last user, shared and stopped clusters', async () => {
    expect((await remove('admin')).code).toBe(1400);
    expect((await remove('single', { cluster_id: 'ehpc-lonely1' })).code).toBe(1400);
    expect((await remove('usr-vceaHsJu', { cluster_id: SHARED })).code).toBe(1400);
    expect((await remove('u0001', { cluster_id: STOPPED })).code).toBe(1400);
    expect((await reset('u0001', { cluster_id: STOPPED })).code).toBe(1400);
    expect((await reset('u0001', { new_password: 'short' })).code).toBe(1101);
    expect(effects()).toEqual([]);
  });
});

describe('/cluster/list', () => {
  const ids = async (params: Record<string, string> = {}) => {
    const { json } = await get(simulator, '/cluster/list', params);
    return (json['cluster_set'] as { cluster_id: string }[]).map(({ cluster_id }) => cluster_id);
  };

  test('filters and pages', async () => {
    expect(await ids()).toEqual(simulator.clusters);
    expect(await ids({ cluster_type: 'hpc' })).toEqual([SHARED]);
    expect(await ids({ status: 'stopped' })).toEqual([STOPPED]);
    expect(await ids({ cluster_id: CLUSTER })).toEqual([CLUSTER]);
    expect(await ids({ cluster_id: 'ehpc-nowhere' })).toEqual([]);
    expect(await ids({ search_word: 'exclusive' })).toEqual([CLUSTER]);
    expect(await ids({ limit: '1', offset: '1' })).toEqual([SHARED]);
    expect((await ids({ reverse: '1' }))[0]).toBe('ehpc-lonely1');
  });

  test('fields beside app_cluster or inside it', async () => {
    const row = async () => ((await get(simulator, '/cluster/list')).json['cluster_set'] as Record<string, unknown>[])[0];
    expect(await row()).toMatchObject({ cluster_id: CLUSTER, cluster_status: 'active', app_cluster: {} });
    await restart({ quirks: { clusterFields: 'inside' } });
    expect(await row()).toEqual({ app_cluster: expect.objectContaining({ cluster_id: CLUSTER }) });
  });

  test('owner', async () => {
    await restart({ owner: 'usr-Me', quirks: { ownerRequired: true } });
    const code = async (params: Record<string, string>) => (await get(simulator, '/cluster/list', params)).code;
    expect([await code({}), await code({ owner: 'usr-Me' }), await code({ owner: 'usr-You' })]).toEqual([1100, 0, 1400]);
  });
});
