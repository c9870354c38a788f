/** A request that is repeated while its operation is open joins it, with a key or without. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller, type TestCaller } from '../support/callers.js';
import type { TestAnswer } from '../support/gateway.js';
import { startGateway } from '../support/gateway.js';

const stage = bothVendors();

const PASSWORD = 'Unrepeatable1@x';
let fresh = 0;
const newName = (): string => `join${String(++fresh).padStart(4, '0')}`;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const effectsOn = (username: string): string[] =>
  [...stage.ehpc.journal, ...stage.shanhe.journal].filter((e) => e.username === username).map(({ effect }) => effect);
const create = (username: string, headers: Record<string, string> = {}, cluster = 'ali'): Promise<TestAnswer> =>
  stage.gateway.request('POST', `/clusters/${cluster}/users`, { body: { username, password: PASSWORD }, headers });
const operations = async (): Promise<Record<string, string>[]> => (await stage.gateway.get('/operations')).body.items;
/** Begun, and not answered by the vendor for a while. */
const slowly = (delayMs: number): void => stage.ehpc.inject({ kind: 'delay', delayMs, action: 'AddUsers' });
/** So that requests that are sent at the same time also arrive while the first one is open. */
const everythingSlowly = (): void => {
  for (const action of ['AddUsers', 'ModifyUserGroups', 'ModifyUserPasswords', 'DeleteUsers'])
    stage.ehpc.inject({ kind: 'delay', delayMs: 400, action, times: -1 });
  stage.shanhe.inject({ kind: 'delay', delayMs: 400, action: '/user/addUser', times: -1 });
};
const untilBegun = async (): Promise<void> => {
  while ((await operations()).length === 0) await sleep(10);
};

describe('the same request at the same time', () => {
  it.each(['ali', 'shan'])('is made once, and answered alike to all ten: %s', async (cluster) => {
    everythingSlowly();
    const username = newName();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(username, {}, cluster)));
    for (const { status, text, headers } of answers)
      expect([status, text, headers.get('etag')]).toEqual([201, answers[0]?.text, answers[0]?.headers.get('etag')]);
    expect(effectsOn(username)).toEqual(['created']);
    expect(await operations()).toHaveLength(1);
  });

  it('is made once with other keys too, and each key refers to the operation', async () => {
    slowly(500);
    const username = newName();
    const keys = ['one', 'two', '"three"'];
    const first = create(username, { 'idempotency-key': 'zero' });
    await untilBegun();
    const rest = await Promise.all([create(username), ...keys.map((key) => create(username, { 'idempotency-key': key }))]);
    for (const { status, text } of rest) expect([status, text]).toEqual([201, (await first).text]);
    for (const key of keys) {
      const again = await create(username, { 'idempotency-key': key });
      expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    }
    expect(effectsOn(username)).toEqual(['created']);
  });

  it('is made once when it is a delete, a change or a batch', async () => {
    everythingSlowly();
    const same = async (method: string, path: string, body?: unknown) => {
      const answers = await Promise.all([1, 2, 3].map(() => stage.gateway.request(method, path, { body })));
      return answers.map(({ status }) => status);
    };
    const user = '/clusters/ali/users/user.0071';
    expect(await same('PATCH', user, { role: 'admin' })).toEqual([200, 200, 200]);
    expect(await same('PUT', `${user}/password`, { password: PASSWORD })).toEqual([204, 204, 204]);
    expect(await same('DELETE', user)).toEqual([204, 204, 204]);
    const items = [{ op: 'create', username: newName(), password: PASSWORD }];
    expect(await same('POST', '/clusters/ali/users/batch', { items })).toEqual([200, 200, 200]);
    expect(effectsOn('user.0071')).toEqual(['role_changed', 'password_changed', 'deleted']);
    expect(await operations()).toHaveLength(4);
  });

  it('gets the failure of the one operation', async () => {
    everythingSlowly();
    const answers = await Promise.all([create('user.0072'), create('user.0072')]);
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [409, 'user_already_exists'],
      [409, 'user_already_exists'],
    ]);
    for (const { body, headers } of answers) expect(body.requestId).toBe(headers.get('x-request-id'));
    expect(await operations()).toHaveLength(1);
  });
});

describe('a repetition', () => {
  it('joins after 504, is answered as a first request, and starts a new operation after the end', async () => {
    slowly(1_000);
    const username = newName();
    const late = await create(username, { prefer: 'wait=0' });
    expect([late.status, late.body.code]).toEqual([504, 'still_running']);
    const early = await create(username, { prefer: 'respond-async' });
    expect([early.status, early.body.id]).toEqual([202, late.body.operation.id]);
    const joined = await create(username);
    expect([joined.status, joined.body.username, joined.headers.has('idempotency-replayed')]).toEqual([201, username, false]);
    expect((await create(username)).body.code).toBe('user_already_exists');
    expect(await operations()).toHaveLength(2);
  });

  it('is none when the caller is another', async () => {
    slowly(600);
    const callers = [makeCaller('one'), makeCaller('two')] as const;
    const gateway = await startGateway({ ...configOver(stage), auth: { callers: callers.map(({ config }) => config) } });
    const body = { username: newName(), password: PASSWORD };
    const by = ({ headers }: TestCaller, prefer = 'wait=30') =>
      gateway.request('POST', '/clusters/ali/users', { body, headers: { ...headers, prefer } });
    const first = await by(callers[0], 'respond-async');
    const [joined, other] = await Promise.all([by(callers[0]), by(callers[1])]);
    expect([first.status, joined.status, other.body.code]).toEqual([202, 201, 'user_already_exists']);
    await gateway.stop();
  });

  it('is none when the body or the precondition is another', async () => {
    slowly(600);
    const username = newName();
    const first = create(username);
    await untilBegun();
    const others = await Promise.all([stage.gateway.post('/clusters/ali/users', { username, password: `${PASSWORD}9` })]);
    expect((await first).status).toBe(201);
    for (const { body } of others) expect(body.code).toBe('user_already_exists');
    const user = `/clusters/ali/users/${username}`;
    const tag = (await stage.gateway.get(user)).headers.get('etag') as string;
    const promote = (ifMatch: string) =>
      stage.gateway.request('PATCH', user, { body: { role: 'admin' }, headers: { 'if-match': ifMatch } });
    const promoted = await Promise.all([promote(tag), promote('"older"')]);
    expect(promoted.map(({ status }) => status)).toEqual([200, 412]);
  });

  it('is never a dry run', async () => {
    slowly(600);
    const body = { items: [{ op: 'create', username: newName(), password: PASSWORD }] };
    const first = stage.gateway.post('/clusters/ali/users/batch', body);
    await untilBegun();
    const dry = await stage.gateway.post('/clusters/ali/users/batch?dryRun=true', body);
    expect([dry.status, dry.body.dryRun, dry.body.operationId]).toEqual([200, true, null]);
    expect((await first).body.summary.created).toBe(1);
  });
});
