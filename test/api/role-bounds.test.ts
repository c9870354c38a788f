/** `roles` of a right: the highest role that a caller may grant, or change and delete users of. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../simulators/kit/index.js';
import { EHPC_CLUSTER, SHANHE_CLUSTER, startEhpc, startShanhe } from '../support/backends.js';
import { type BothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller, type TestCaller } from '../support/callers.js';
import { type GatewayOptions, type RequestOptions, startGateway, type TestAnswer, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const upTo = (role: string): TestCaller =>
  makeCaller(role, [{ clusters: ['*'], verbs: ['read', 'write', 'operate'], roles: [role] }]);
const [member, admin, owner] = [upTo('member'), upTo('admin'), upTo('owner')];
const roleless = makeCaller('roleless', [{ clusters: ['*'], verbs: ['read', 'write'], roles: [] }]);
const callers = [member, admin, owner, roleless].map(({ config }) => config);

const PASSWORD = 'kUISjs@kkkkkk1';
const MEMORY = {
  vendor: 'memory',
  clusters: {
    mem: {
      users: [
        { username: 'plain' },
        { username: 'other' },
        { username: 'root', role: 'admin' },
        { username: 'boss', role: 'owner' },
      ],
    },
  },
};

const stage = {} as Pick<BothVendors, 'ehpc' | 'shanhe'>;
const cleanups: (() => Promise<void> | void)[] = [];
let gateway: TestGateway;

const rawWith = (more: object = {}): object => {
  const { accounts, clusters, ...rest } = configOver(stage);
  const memory = { id: 'mem', account: 'mem', vendorClusterId: 'mem' };
  return { ...rest, accounts: { ...accounts, mem: MEMORY }, clusters: [...clusters, memory], auth: { callers }, ...more };
};
const start = async (more: object = {}, options: GatewayOptions = {}): Promise<TestGateway> => {
  const started = await startGateway(rawWith(more), options);
  cleanups.push(() => started.stop());
  return started;
};
beforeEach(async () => {
  [stage.ehpc, stage.shanhe] = await Promise.all([startEhpc(), startShanhe()]);
  cleanups.push(async () => void (await Promise.all([stage.ehpc.close(), stage.shanhe.close()])));
  gateway = await start();
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const as = (
  { headers }: Pick<TestCaller, 'headers'>,
  method: string,
  path: string,
  { headers: more, ...rest }: RequestOptions = {},
  through = gateway,
): Promise<TestAnswer> => through.request(method, path, { ...rest, headers: { ...headers, ...more } });
const callsOf = (): number => stage.ehpc.calls.length + stage.shanhe.calls.length;
const effects = (): unknown[] => [...stage.ehpc.journal, ...stage.shanhe.journal];
const forbidden = ({ status, body }: TestAnswer): void => expect([status, body.code]).toEqual([403, 'forbidden']);

interface Cluster {
  readonly id: string;
  readonly plain: string;
  readonly other: string;
  readonly root: string;
  readonly setsRoles: boolean;
  readonly simulator?: () => Simulator;
}

const CLUSTERS: readonly Cluster[] = [
  { id: 'ali', plain: 'user.0001', other: 'user.0002', root: 'user.0010', setsRoles: true, simulator: () => stage.ehpc },
  { id: 'shan', plain: 'u0007', other: 'u0008', root: 'u0000', setsRoles: false, simulator: () => stage.shanhe },
  { id: 'mem', plain: 'plain', other: 'other', root: 'root', setsRoles: true },
];

describe.each(CLUSTERS)('on $id, a caller with roles [member]', ({ id, plain, other, root, setsRoles }) => {
  const users = `/clusters/${id}/users`;
  const GRANTS = [
    ['POST', users, { username: 'fresh.one', password: PASSWORD, role: 'admin' }],
    ['POST', users, { username: 'fresh.one', password: PASSWORD, role: 'owner' }],
    ['PUT', `${users}/fresh.one`, { password: PASSWORD, role: 'admin' }],
    ['PUT', `${users}/${plain}`, { role: 'admin' }],
    ['PATCH', `${users}/${plain}`, { role: 'admin' }],
  ] as const;
  const TOUCHES = [
    ['PUT', `${users}/${root}/password`, { password: PASSWORD }],
    ['DELETE', `${users}/${root}`, undefined],
    ...(setsRoles
      ? ([
          ['PATCH', `${users}/${root}`, { role: 'member' }],
          ['PUT', `${users}/${root}`, { role: 'member' }],
        ] as const)
      : []),
  ] as const;

  it.each(GRANTS)('grants no higher role, and no vendor is called: %s %s', async (method, path, body) => {
    for (const query of ['', '?dryRun=true']) {
      const calls = callsOf();
      const answer = await as(member, method, `${path}${query}`, { body });
      forbidden(answer);
      expect(answer.body.detail).toMatch(/may grant the role member at most/);
      expect(callsOf()).toBe(calls);
    }
  });

  it.each(TOUCHES)('does not touch an admin: %s %s', async (method, path, body) => {
    const user = `${users}/${root}`;
    const { headers } = await as(member, 'GET', user);
    const tag = headers.get('etag') as string;
    const content = body === undefined ? {} : { body };
    const conditions: Record<string, string>[] = [{}, { 'if-match': tag }, { 'if-match': '"another"' }, { 'if-match': '*' }];
    for (const more of conditions) {
      const answer = await as(member, method, path, { ...content, headers: more });
      // What an ensure has to do is decided when its condition holds.
      if (path === user && method === 'PUT' && more['if-match'] === '"another"') expect(answer.status).toBe(412);
      else forbidden(answer);
    }
    const dry = await as(member, method, `${path}?dryRun=true`, content);
    forbidden(dry);
    expect(dry.body.detail).toMatch(/has the role admin; the caller may change and delete users of the role member/);
    expect([effects(), (await as(member, 'GET', user)).headers.get('etag')]).toEqual([[], tag]);
  });

  it('changes and deletes members', async () => {
    expect((await as(member, 'PUT', `${users}/${plain}/password`, { body: { password: PASSWORD } })).status).toBe(204);
    const { headers } = await as(member, 'GET', `${users}/${plain}`);
    const tag = { 'if-match': headers.get('etag') as string };
    expect((await as(member, 'DELETE', `${users}/${plain}`, { headers: tag })).status).toBe(204);
    expect((await as(member, 'GET', `${users}/${plain}`)).status).toBe(404);
    // Nobody of this name is nobody of a role.
    expect((await as(member, 'DELETE', `${users}/no.one.here`)).body.code).toBe('user_not_found');
  });

  it('leaves a user who is as wanted unchanged, of whatever role', async () => {
    const { status, body } = await as(member, 'PUT', `${users}/${root}`, { body: {} });
    expect([status, body.role]).toEqual([200, 'admin']);
  });

  it('has those items of a batch refused, and the others done', async () => {
    const items = [
      { op: 'create', username: 'fresh.one', password: PASSWORD, role: 'admin' },
      { op: 'delete', username: root },
      { op: 'update', username: root, password: PASSWORD },
      { op: 'ensure', username: plain, role: 'owner' },
      { op: 'update', username: plain, password: PASSWORD },
      { op: 'delete', username: other },
    ];
    const statuses = ['refused', 'refused', 'refused', 'refused', 'updated', 'deleted'];
    const codes = ['forbidden', 'forbidden', 'forbidden', 'forbidden', undefined, undefined];
    for (const dryRun of [true, false]) {
      const { body } = await as(member, 'POST', `${users}/batch`, { body: { items, dryRun } });
      expect(body.results.map((result: { status: string }) => result.status)).toEqual(statuses);
      expect(body.results.map((result: { problem?: { code: string } }) => result.problem?.code)).toEqual(codes);
    }
    const names = effects().map((effect) => (effect as { username: string }).username);
    expect(names.filter((name) => name === root || name === 'fresh.one')).toEqual([]);
  });

  it('a batch that stops at an error stops at an admin', async () => {
    const items = [
      { op: 'update', username: plain, password: PASSWORD },
      { op: 'update', username: root, password: PASSWORD },
      { op: 'update', username: other, password: PASSWORD },
    ];
    const { body } = await as(member, 'POST', `${users}/batch`, { body: { items, stopOnError: true } });
    expect(body.results.map((result: { status: string }) => result.status)).toEqual(['updated', 'refused', 'cancelled']);
  });

  it('changes nobody where the right names no role', async () => {
    const calls = callsOf();
    forbidden(await as(roleless, 'DELETE', `${users}/${plain}`));
    forbidden(await as(roleless, 'PUT', `${users}/${plain}`, { body: {} }));
    forbidden(await as(roleless, 'POST', users, { body: { username: 'fresh.one', password: PASSWORD } }));
    expect(callsOf()).toBe(calls);
  });
});

describe('a caller with roles [admin]', () => {
  it.each(CLUSTERS)('changes and deletes admins: $id', async ({ id, root, setsRoles }) => {
    const users = `/clusters/${id}/users`;
    expect((await as(admin, 'PUT', `${users}/${root}/password`, { body: { password: PASSWORD } })).status).toBe(204);
    if (setsRoles) {
      expect((await as(admin, 'PATCH', `${users}/${root}`, { body: { role: 'member' } })).body.role).toBe('member');
      expect((await as(admin, 'PATCH', `${users}/${root}`, { body: { role: 'admin' } })).body.role).toBe('admin');
      const made = { username: 'fresh.one', password: PASSWORD, role: 'admin' };
      expect((await as(admin, 'POST', users, { body: made })).status).toBe(201);
    }
    expect((await as(admin, 'DELETE', `${users}/${root}`)).status).toBe(204);
  });

  it.each([
    ['shan', 'u0001'],
    ['mem', 'boss'],
  ])('does not touch an owner, whom one with roles [owner] deletes: %s', async (id, name) => {
    const path = `/clusters/${id}/users/${name}`;
    forbidden(await as(admin, 'DELETE', path));
    forbidden(await as(admin, 'PUT', `${path}/password`, { body: { password: PASSWORD } }));
    expect((await as(owner, 'DELETE', path)).status).toBe(204);
  });
});

it.each(['ali', 'shan'])('nothing is read for callers who may change everybody: %s', async (id) => {
  const open = await start({ auth: undefined });
  const name = CLUSTERS.find((cluster) => cluster.id === id)?.plain as string;
  const path = `/clusters/${id}/users/${name}/password`;
  const cost = async (set: () => Promise<TestAnswer>): Promise<number> => {
    const before = callsOf();
    expect((await set()).status).toBe(204);
    return callsOf() - before;
  };
  const setting = (caller: TestCaller) => () => as(caller, 'PUT', path, { body: { password: PASSWORD } });
  // The first one asks for the facts of the cluster.
  await cost(setting(owner));
  await cost(() => open.request('PUT', path, { body: { password: PASSWORD } }));
  const free = await cost(() => open.request('PUT', path, { body: { password: PASSWORD } }));
  expect(await cost(setting(owner))).toBe(free);
  expect(await cost(setting(member))).toBeGreaterThan(free);
});

const VENDORS = [
  {
    id: 'ali',
    cluster: EHPC_CLUSTER,
    list: 'ListUsers',
    setPassword: 'ModifyUserPasswords',
    remove: 'DeleteUsers',
    group: 'wheel',
  },
  {
    id: 'shan',
    cluster: SHANHE_CLUSTER,
    list: '/user',
    setPassword: '/user/modifyUser',
    remove: '/user/deleteUser',
    group: 'admin',
  },
] as const;

describe.each(VENDORS)('$id: another party promotes the user', ({ id, cluster, list, setPassword, remove, group }) => {
  const { plain: name, other, simulator: of } = CLUSTERS.find((each) => each.id === id) as Required<Cluster>;
  const users = `/clusters/${id}/users`;
  const promote = (): void => of().setGroup(cluster, name, group);
  const sent = (action: string) => of().calls.filter((call) => call.action === action);
  const async = { prefer: 'respond-async' };
  const ended = (path: string, through = gateway) =>
    until(
      () => as(member, 'GET', path, {}, through),
      ({ body }) => body.done,
    );

  it('between acceptance and turn', async () => {
    of().inject({ kind: 'delay', action: setPassword, delayMs: 800 });
    const first = as(member, 'PUT', `${users}/${name}/password`, { body: { password: PASSWORD } });
    await until(() => sent(setPassword).length > 0);
    const { headers } = await as(member, 'DELETE', `${users}/${name}`, { headers: async });
    promote();
    expect((await first).status).toBe(204);
    const { body } = await ended(headers.get('location') as string);
    expect([body.state, body.results[0].status, body.results[0].problem.code]).toEqual(['failed', 'refused', 'forbidden']);
    expect(sent(remove)).toEqual([]);
  });

  it.each(['single', 'batch'])('in the middle of a lost answer: %s', async (how) => {
    of().inject({ kind: 'reset_before', action: setPassword, delayMs: 700 });
    const items = [
      { op: 'update', username: name, password: PASSWORD },
      { op: 'update', username: other, password: PASSWORD },
    ];
    const body = how === 'batch' ? { items } : { password: PASSWORD };
    const [method, path] = how === 'batch' ? ['POST', `${users}/batch`] : ['PUT', `${users}/${name}/password`];
    const answer = as(member, method, path, { body });
    await until(() => sent(setPassword).length > 0);
    promote();
    const { status, body: result } = await answer;
    // Whether the first send had an effect, nobody knows.
    if (how === 'single') expect([status, result.code]).toEqual([504, 'vendor_timeout']);
    else expect(result.results.map((item: { status: string }) => item.status)).toEqual(['unknown', 'updated']);
    expect(of().checkPassword(cluster, name, PASSWORD)).toBe(false);
    expect(of().checkPassword(cluster, other, PASSWORD)).toBe(how === 'batch');
    expect(await as(member, method, path, { body }).then(({ body: again }) => again.code ?? again.results[0].problem.code)).toBe(
      'forbidden',
    );
  });

  it.each([
    ['before it was read', () => list],
    ['after it was sent', () => setPassword],
  ])('while the gateway restarts: %s', async (_, hanging) => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-bounds-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const store = { kind: 'lmdb', path: join(folder, 'data') };
    const first = await startGateway(rawWith({ store }));
    // Its facts and first readings are there before.
    await as(member, 'GET', `${users}/${other}`, {}, first);
    of().inject({ kind: 'hang', action: hanging(), times: -1 });
    const before = sent(hanging()).length;
    const asked = await as(member, 'PUT', `${users}/${name}/password`, { body: { password: PASSWORD }, headers: async }, first);
    await until(() => sent(hanging()).length > before);
    await first.stop();
    const calls = sent(setPassword).length;
    of().clearFaults();
    promote();
    const second = await start({ store });
    const { body } = await ended(asked.headers.get('location') as string, second);
    const [{ status, problem }] = body.results;
    expect([status, problem.code]).toEqual(calls === 0 ? ['refused', 'forbidden'] : ['unknown', 'vendor_timeout']);
    expect(sent(setPassword)).toHaveLength(calls);
    expect(of().checkPassword(cluster, name, PASSWORD)).toBe(false);
  });
});

it('a user who is promoted between two steps of an item, long after they were read, keeps their password', async () => {
  const name = 'user.0002';
  const fast = await start({ server: { callSeconds: 60, deadlineSeconds: 600, drainSeconds: 0 } }, { speed: 80 });
  // More than half a minute by the clock of the gateway, and no time-out.
  stage.ehpc.inject({ kind: 'delay', action: 'ModifyUserGroups', delayMs: 500 });
  const items = [{ op: 'update', username: name, role: 'member', password: PASSWORD }];
  const asked = as(member, 'POST', '/clusters/ali/users/batch', { body: { items } }, fast);
  await until(() => stage.ehpc.calls.some(({ action }) => action === 'ModifyUserGroups'));
  stage.ehpc.setGroup(EHPC_CLUSTER, name, 'wheel');
  const [result] = (await asked).body.results;
  expect([result.status, result.problem?.code]).toEqual(['refused', 'forbidden']);
  // What is done is not hidden.
  expect(result.problem.detail).toMatch(/has the role admin.* The role was changed\./);
  expect(stage.ehpc.calls.filter(({ action }) => action === 'ModifyUserPasswords')).toEqual([]);
});

it.each([
  ['E-HPC', 'ali', 'ListUsers', 'Group'],
  ['Shanhe', 'shan', '/user', 'role'],
] as const)(
  'a user of a role that the gateway does not know is for those who may change everybody: %s',
  async (_, cluster, action, field) => {
    const simulator: Simulator = cluster === 'ali' ? stage.ehpc : stage.shanhe;
    simulator.inject({ kind: 'echo', action, field, value: 'accessKeyId', times: -1 });
    const { body } = await as(owner, 'GET', `/clusters/${cluster}/users?limit=1`);
    const [{ username, role }] = body.items;
    expect(role).toBe('member');
    const path = `/clusters/${cluster}/users/${username}/password`;
    for (const caller of [member, admin]) {
      const answer = await as(caller, 'PUT', path, { body: { password: PASSWORD } });
      forbidden(answer);
      expect(answer.body.detail).toContain('a role that the gateway does not know');
    }
    expect(effects()).toEqual([]);
    expect((await as(owner, 'PUT', path, { body: { password: PASSWORD } })).status).toBe(204);
  },
);
