/** A write with an Idempotency-Key is made once; every repetition gets the answer of its operation. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER, ehpcAccount } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import { makeCaller, type TestCaller } from '../support/callers.js';
import { startGateway, type TestAnswer, type TestGateway } from '../support/gateway.js';

const stage = bothVendors();
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const PASSWORD = 'Unrepeatable1@x';
const SECRET = { password: PASSWORD };
const [ALI, SHAN] = ['/clusters/ali/users', '/clusters/shan/users'];
let fresh = 0;
const newName = (): string => `idem${String(++fresh).padStart(4, '0')}`;
const newKey = (): string => `key-${++fresh}-5f0c3a52`;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Write = { readonly method: string; readonly path: string; readonly body?: unknown };
const creating = (username: string, path = ALI): Write => ({ method: 'POST', path, body: { username, ...SECRET } });

const send = ({ method, path, body }: Write, key: string, headers: object = {}, gateway = stage.gateway): Promise<TestAnswer> =>
  gateway.request(method, path, { body, headers: { 'idempotency-key': key, ...headers } });

const SAME = ['location', 'etag', 'content-type', 'retry-after'];
const facts = ({ status, text, headers }: TestAnswer) => [status, text, ...SAME.map((name) => headers.get(name))];
const isReplay = ({ headers }: TestAnswer): boolean => headers.get('idempotency-replayed') === 'true';
const expectReplay = (again: TestAnswer, first: TestAnswer): void => {
  expect([first.headers.has('idempotency-replayed'), isReplay(again)]).toEqual([false, true]);
  expect(facts(again)).toEqual(facts(first));
};
const callsOf = (action: string): number =>
  [stage.ehpc, stage.shanhe].flatMap(({ calls }) => calls.filter((call) => call.action === action)).length;
const effectsOn = (username: string): string[] =>
  [...stage.ehpc.journal, ...stage.shanhe.journal].filter((e) => e.username === username).map(({ effect }) => effect);

/** Another gateway over E-HPC. */
const gatewayWith = async (settings: object, server: object = {}): Promise<TestGateway> => {
  const accounts = { aliyun: { ...ehpcAccount(stage.ehpc), listing: 'sync' } };
  const clusters = [{ id: 'ali', account: 'aliyun', vendorClusterId: EHPC_CLUSTER }];
  const gateway = await startGateway({ accounts, clusters, ...settings, server: { drainSeconds: 0, ...server } });
  cleanups.push(() => gateway.stop());
  return gateway;
};

const promoting = (username: string): Write => ({ method: 'PATCH', path: `${ALI}/${username}`, body: { role: 'admin' } });
const deleting = (username: string, users = ALI): Write => ({ method: 'DELETE', path: `${users}/${username}` });
const settingPassword = (name: string, at = ALI): Write => ({ method: 'PUT', path: `${at}/${name}/password`, body: SECRET });
const itemsFor = (names: string[]) => ({ items: names.map((username) => ({ op: 'create', username, ...SECRET })) });
const batching = (names: string[], at = ALI): Write => ({ method: 'POST', path: `${at}/batch`, body: itemsFor(names) });

describe('the same key and body', () => {
  it.each([
    ['AddUsers', creating(newName()), 201],
    ['AddUsers in a batch', batching([newName()]), 200],
    ['ModifyUserGroups', promoting('user.0041'), 200],
    ['ModifyUserPasswords', settingPassword('user.0042'), 204],
    ['DeleteUsers', deleting('user.0043'), 204],
    ['/user/addUser', creating(newName(), SHAN), 201],
    ['/user/addUser in a batch', batching([newName()], SHAN), 200],
    ['/user/modifyUser', settingPassword('u0042', SHAN), 204],
    ['/user/deleteUser', deleting('u0043', SHAN), 204],
  ])('get the same answer, and the vendor one call: %s', async (name, write, status) => {
    const action = name.split(' ')[0] as string;
    const [key, before] = [newKey(), callsOf(action)];
    const first = await send(write, key);
    expect(first.status).toBe(status);
    for (let again = 0; again < 2; again++) expectReplay(await send(write, key), first);
    expect(callsOf(action) - before).toBe(1);
  });

  it('are not needed to cancel: it is the same done twice', async () => {
    stage.shanhe.inject({ kind: 'delay', delayMs: 300, action: '/user/addUser', times: -1 });
    const batch = batching(Array.from({ length: 20 }, newName), SHAN);
    const { body } = await send(batch, newKey(), { prefer: 'respond-async' });
    const [cancel, key] = [{ method: 'POST', path: `/operations/${body.id}/cancel` }, newKey()];
    const first = await send(cancel, key);
    expect([first.status, first.body.state, first.body.done]).toEqual([200, 'cancelled', true]);
    const again = await send(cancel, key);
    expect([isReplay(again), facts(again)]).toEqual([false, facts(first)]);
  });

  it('count however the body is written', async () => {
    const [username, key, json] = [newName(), newKey(), { 'content-type': 'application/json' }];
    const send = (raw: string) => stage.gateway.request('POST', ALI, { raw, headers: { ...json, 'idempotency-key': key } });
    const first = await send(`{"username":"${username}","password":"${PASSWORD}"}`);
    expectReplay(await send(`{ "password":\n"${PASSWORD}", "username":"${username}" }`), first);
  });

  it('are not used up by a dry run', async () => {
    const [batch, key] = [batching([newName()]), newKey()];
    const { body, ...request } = batch;
    const rehearse = () => send({ ...request, body: { ...(body as object), dryRun: true } }, key);
    expect((await rehearse()).body.summary).toMatchObject({ created: 1 });
    const done = await send(batch, key);
    expect([done.status, isReplay(done), done.body.summary.created]).toEqual([200, false, 1]);
    expect((await rehearse()).body.summary).toMatchObject({ created: 0, already_exists: 1 });
    expectReplay(await send(batch, key), done);
  });

  it.each([
    ['202', { prefer: 'respond-async' }, 202],
    ['504', { prefer: 'wait=0' }, 504],
  ])('never replay a %s: the operation is answered as it is', async (_, prefer, status) => {
    stage.ehpc.inject({ kind: 'delay', delayMs: 400, action: 'AddUsers' });
    const [username, key] = [newName(), newKey()];
    const first = await send(creating(username), key, prefer);
    const location = first.headers.get('location') as string;
    expect([first.status, location]).toEqual([status, `/operations/${first.body.operation?.id ?? first.body.id}`]);
    const open = await send(creating(username), key, prefer);
    expect([open.status, open.headers.get('location'), isReplay(open)]).toEqual([status, location, false]);
    await stage.gateway.request('GET', location, { headers: { prefer: 'wait=10' } });
    const ended = await send(creating(username), key, prefer);
    expect([ended.status, ended.body.username, isReplay(ended)]).toEqual([201, username, true]);
    expect(effectsOn(username)).toEqual(['created']);
  });

  it('read an unknown outcome back once more, and never send it again', async () => {
    stage.ehpc.inject({ kind: 'reset_before', action: 'AddUsers' });
    stage.ehpc.inject({ kind: 'http_status', status: 503, action: 'ListUsers', times: -1 });
    const [write, key, before] = [creating(newName()), newKey(), callsOf('AddUsers')];
    const first = await send(write, key);
    expect([first.status, first.body.code]).toEqual([503, 'vendor_unavailable']);
    const operation = (await stage.gateway.get('/operations?limit=1')).body.items[0];
    expect([operation.state, operation.done]).toEqual(['unknown', true]);
    expectReplay(await send(write, key), first);
    expect(callsOf('AddUsers') - before).toBe(1);
  });

  it.each([
    ['409, the name is taken', null, creating('user.0044'), 409, 'user_already_exists'],
    ['404, there is no such user', null, deleting('nobody.here'), 404, 'user_not_found'],
    ['502, the cluster failed', 'vendor_error', creating(newName()), 502, 'cluster_agent_failed'],
  ] as const)('replay an error that came from the vendor: %s', async (_, kind, write, status, code) => {
    const action = write.method === 'DELETE' ? 'DeleteUsers' : 'AddUsers';
    const failure = kind === 'vendor_error' ? { code: 'AgentError.Account.UserAddFailure', status: 406 } : {};
    if (kind) stage.ehpc.inject({ kind, action, ...failure });
    const [key, before] = [newKey(), callsOf(action)];
    const first = await send(write, key);
    expect([first.status, first.body.code]).toEqual([status, code]);
    expectReplay(await send(write, key), first);
    expect(callsOf(action) - before).toBe(1);
  });

  it('are made anew after a refusal that changed nothing and may pass', async () => {
    stage.ehpc.inject({ kind: 'throttle', action: 'AddUsers', retryAfterSeconds: 17 });
    const [username, key] = [newName(), newKey()];
    const refused = await send(creating(username), key);
    expect([refused.status, refused.body.code, refused.body.retryable]).toEqual([429, 'vendor_rate_limited', true]);
    expect(refused.body.detail).toContain('Nothing was changed.');
    const done = await send(creating(username), key);
    expect([done.status, isReplay(done)]).toEqual([201, false]);
    expectReplay(await send(creating(username), key), done);
  });

  it('are made anew once the key is no longer kept', async () => {
    const gateway = await gatewayWith({ retention: { idempotencyKeyHours: 1.5 / 3600 } });
    const [write, key] = [creating(newName()), newKey()];
    const first = await send(write, key, {}, gateway);
    expectReplay(await send(write, key, {}, gateway), first);
    await sleep(1_600);
    const late = await send(write, key, {}, gateway);
    expect([late.status, late.body.code, isReplay(late)]).toEqual([409, 'user_already_exists', false]);
  });
});

describe('another request under the same key', () => {
  it('is refused when only its body is another', async () => {
    const [username, other, key] = [newName(), newName(), newKey()];
    const first = await send(creating(username), key);
    const { status, body } = await send(creating(other), key);
    expect([status, body.code, body.retryable]).toEqual([422, 'idempotency_key_reused', false]);
    expect(effectsOn(other)).toEqual([]);
    expectReplay(await send(creating(username), key), first);
  });

  it('is a request of its own on another path or with another method', async () => {
    const [key, answers] = [newKey(), [] as TestAnswer[]];
    for (const write of [promoting('user.0051'), promoting('user.0052'), deleting('user.0051')])
      answers.push(await send(write, key));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 204]);
    expect(answers.some(isReplay)).toBe(false);
    expect([effectsOn('user.0051'), effectsOn('user.0052')]).toEqual([['role_changed', 'deleted'], ['role_changed']]);
  });

  it('is a request of its own by another caller, and the same one by another key of the same caller', async () => {
    const [one, renewed, two] = [makeCaller('one'), makeCaller('one'), makeCaller('two')];
    const keysOf = ({ config }: TestCaller) => (config as { keys: object[] }).keys;
    const callers = [{ ...one.config, keys: [...keysOf(one), ...keysOf(renewed)] }, two.config];
    const gateway = await gatewayWith({ auth: { callers } });
    const [write, key] = [creating(newName()), newKey()];
    const first = await send(write, key, one.headers, gateway);
    expectReplay(await send(write, key, renewed.headers, gateway), first);
    expect((await send(write, key, two.headers, gateway)).body.code).toBe('user_already_exists');
  });

  it('is the same request whatever headers say where nobody is asked who they are', async () => {
    const gateway = await gatewayWith({});
    const [write, key] = [creating(newName()), newKey()];
    const first = await send(write, key, { authorization: 'Basic one', 'x-forwarded-user': 'ada' }, gateway);
    expectReplay(await send(write, key, { authorization: 'Bearer two' }, gateway), first);
  });
});

describe('while the first request is running', () => {
  it('a repetition waits for its operation and is answered like the first one', async () => {
    stage.ehpc.inject({ kind: 'delay', delayMs: 500, action: 'AddUsers' });
    const [username, key, before] = [newName(), newKey(), callsOf('AddUsers')];
    const running = send(creating(username), key);
    while (callsOf('AddUsers') === before) await sleep(5);
    const repeated = send(creating(username), key);
    expect((await send(creating(newName()), key)).body.code).toBe('idempotency_key_reused');
    const [first, second] = await Promise.all([running, repeated]);
    expect([first.status, isReplay(first), isReplay(second)]).toEqual([201, false, false]);
    expect(facts(second)).toEqual(facts(first));
    expectReplay(await send(creating(username), key), first);
    expect(callsOf('AddUsers') - before).toBe(1);
  });

  it('ten at once make one user, and all are answered alike', async () => {
    const [username, key, before] = [newName(), newKey(), callsOf('AddUsers')];
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(creating(username), key)));
    for (const answer of answers) expect(facts(answer)).toEqual(facts(answers[0] as TestAnswer));
    expect([answers[0]?.status, callsOf('AddUsers') - before, effectsOn(username)]).toEqual([201, 1, ['created']]);
  });
});

describe('keys', () => {
  it('are not used up by a request that was refused before anything began', async () => {
    const [username, longest] = [newName(), `~!${'k'.repeat(253)}`];
    for (const [status, body] of [[400, { username }] as const, [422, { username, password: 'short' }] as const])
      expect((await send({ ...creating(username), body }, longest)).status).toBe(status);
    const done = await send(creating(username), longest);
    expect([done.status, isReplay(done)]).toEqual([201, false]);
  });

  it('are strings of RFC 9651: quoted and bare spell the same key', async () => {
    const spellings: [string, string][] = [
      ['plain-key', '"plain-key"'],
      ['back\\slash', '"back\\\\slash"'],
      ['x'.repeat(255), `"${'x'.repeat(255)}"`],
    ];
    for (const [bare, quoted] of spellings) {
      const username = newName();
      const first = await send(creating(username), bare);
      expect(first.status).toBe(201);
      expectReplay(await send(creating(username), quoted), first);
    }
    const [write, key] = [creating(newName()), '"two words and a \\" quote"'];
    const first = await send(write, key);
    expectReplay(await send(write, key), first);
  });

  it.each([
    '',
    'x'.repeat(256),
    'two words',
    'schlüssel',
    'tab\tbed',
    '""',
    '"',
    '"no end',
    'no start"',
    '"a"b"',
    '"a\\b"',
    '"ends in \\"',
    '"a", "b"',
    '"a";p=1',
    `"${'x'.repeat(256)}"`,
  ])('that are none are refused: %j', async (key) => {
    const username = newName();
    for (const write of [creating(username), deleting('user.0060')]) {
      const { status, body } = await send(write, key);
      expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid_request', '/header/Idempotency-Key']);
    }
    expect([effectsOn(username), effectsOn('user.0060')]).toEqual([[], []]);
  });

  it('outlive a restart, and neither they nor callers nor passwords can be read in the store or in the log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hpc-gateway-keys-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const settings = { store: { kind: 'lmdb', path: folder } };
    const stored = (): string =>
      readdirSync(folder)
        .map((file) => readFileSync(join(folder, file), 'latin1'))
        .join();
    const [username, key, caller, before] = [newName(), newKey(), 'Bearer caller-token-77', callsOf('AddUsers')];
    let gateway = await gatewayWith(settings);
    const ask = () => send(creating(username), key, { authorization: caller }, gateway);
    stage.ehpc.inject({ kind: 'delay', delayMs: 300, action: 'AddUsers' });
    const running = ask();
    while (callsOf('AddUsers') === before) await sleep(5);
    const meanwhile = stored();
    const first = await running;
    expect(first.status).toBe(201);
    await gateway.stop();
    for (const text of [meanwhile, stored()]) expect(text).toContain(username);
    for (const text of [meanwhile, stored(), gateway.logged()])
      for (const secret of [PASSWORD, key, 'caller-token-77']) expect(text).not.toContain(secret);
    gateway = await gatewayWith(settings);
    expectReplay(await ask(), first);
    expect(effectsOn(username)).toEqual(['created']);
  });
});
