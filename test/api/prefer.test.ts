/** How long a caller waits for a write is for the caller to say. */
import { describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER, ehpcAccount } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import { startGateway, type TestAnswer } from '../support/gateway.js';

const stage = bothVendors();

const PASSWORD = 'Choose@Your0wn';
let fresh = 0;
const newName = (): string => `prf${String(++fresh).padStart(5, '0')}`;
const effectsOn = (username: string): string[] =>
  [...stage.ehpc.journal, ...stage.shanhe.journal].filter((e) => e.username === username).map(({ effect }) => effect);

type Send = (cluster: string, username: string, prefer: string) => Promise<TestAnswer>;
const send = (method: string, path: string, body: unknown, prefer: string): Promise<TestAnswer> =>
  stage.gateway.request(method, path, { body, headers: { prefer } });
const user = (cluster: string, username: string): string => `/clusters/${cluster}/users/${username}`;

const create: Send = (cluster, username, prefer) =>
  send('POST', `/clusters/${cluster}/users`, { username, password: PASSWORD }, prefer);
const batch: Send = (cluster, username, prefer) =>
  send('POST', `/clusters/${cluster}/users/batch`, { items: [{ op: 'create', username, password: PASSWORD }] }, prefer);
const promote: Send = (cluster, username, prefer) => send('PATCH', user(cluster, username), { role: 'admin' }, prefer);
const setPassword: Send = (cluster, username, prefer) =>
  send('PUT', `${user(cluster, username)}/password`, { password: `${PASSWORD}9` }, prefer);
const remove: Send = (cluster, username, prefer) => send('DELETE', user(cluster, username), undefined, prefer);

/** What, where, on whom (null: a new name), the vendor's word for it, its answer when it is over, its effect. */
const WRITES = [
  ['create on E-HPC', create, 'ali', null, 'AddUsers', 201, 'created'],
  ['create on Shanhe', create, 'shan', null, '/user/addUser', 201, 'created'],
  ['batch on E-HPC', batch, 'ali', null, 'AddUsers', 200, 'created'],
  ['batch on Shanhe', batch, 'shan', null, '/user/addUser', 200, 'created'],
  ['PATCH on E-HPC', promote, 'ali', 7, 'ModifyUserGroups', 200, 'role_changed'],
  ['PUT password on E-HPC', setPassword, 'ali', 8, 'ModifyUserPasswords', 204, 'password_changed'],
  ['PUT password on Shanhe', setPassword, 'shan', 8, '/user/modifyUser', 204, 'password_changed'],
  ['DELETE on E-HPC', remove, 'ali', 9, 'DeleteUsers', 204, 'deleted'],
  ['DELETE on Shanhe', remove, 'shan', 9, '/user/deleteUser', 204, 'deleted'],
] as const;

const STATUS = { created: 'created', role_changed: 'updated', password_changed: 'updated', deleted: 'deleted' } as const;

/** Seeded users, so many apart that no two rounds meet. */
const nameFor = (cluster: string, seeded: number | null, round: number): string => {
  if (seeded === null) return newName();
  const index = String(seeded + round * 10).padStart(4, '0');
  return cluster === 'ali' ? `user.${index}` : `u${index}`;
};

const slowed = (cluster: string, action: string, delayMs: number): void =>
  stage[cluster === 'ali' ? 'ehpc' : 'shanhe'].inject({ kind: 'delay', delayMs, action });

const timed = async (work: () => Promise<TestAnswer>) => {
  const from = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - from };
};

const atItsEnd = async ({ headers }: TestAnswer) => {
  const location = headers.get('location') as string;
  // E-HPC takes one call at a time, and each of them is slow.
  for (let look = 0; look < 1_000; look++) {
    const { body } = await stage.gateway.get(location);
    if (body.finishedAt !== null) return body;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${location} did not end`);
};

/** A write that was accepted and outlasts its request. */
const expectStillRunning = ({ status, headers, body }: TestAnswer): void => {
  expect([status, body.code, body.retryable]).toEqual([504, 'still_running', true]);
  const { id, href } = body.operation;
  expect([href, headers.get('location')]).toEqual([`/operations/${id}`, `/operations/${id}`]);
  expect(headers.get('retry-after')).toBe('2');
  expect(body.detail).toMatch(/accepted and continues.*safe/);
};

describe('respond-async', () => {
  it('answers 202 at once, and the write is done all the same', async () => {
    for (const [, , cluster, , action] of WRITES) slowed(cluster, action, 1_500);
    const sent = WRITES.map(async ([name, write, cluster, seeded, , , effect]) => {
      const username = nameFor(cluster, seeded, 1);
      const answer = await write(cluster, username, 'respond-async');
      expect([name, answer.status, answer.headers.get('preference-applied')]).toEqual([name, 202, 'respond-async']);
      expect(answer.headers.get('location')).toBe(`/operations/${answer.body.id}`);
      expect(['pending', 'running']).toContain(answer.body.state);
      expect(answer.body.done).toBe(false);
      const results = [{ index: 0, username, status: STATUS[effect] }];
      expect(await atItsEnd(answer)).toMatchObject({ state: 'succeeded', results });
      expect(effectsOn(username)).toEqual([effect]);
    });
    await Promise.all(sent);
  });

  it('and wait: an answer that is there by then is given as it is', async () => {
    const { status, headers } = await create('ali', newName(), 'respond-async, wait=5');
    expect(status).toBe(201);
    expect(headers.get('preference-applied')?.split(/\s*,\s*/)).toContain('wait=5');
  });

  it('and wait: a write that has not ended by then is an operation', async () => {
    slowed('ali', 'AddUsers', 2_000);
    const { answer, ms } = await timed(() => create('ali', newName(), 'respond-async, wait=1'));
    expect(answer.status).toBe(202);
    expect(ms).toBeGreaterThan(950);
    expect(answer.body.state).toBe('running');
  });

  it('tells of a refusal before anything began as of any', async () => {
    const { status, body } = await send('POST', '/clusters/ali/users', { username: '-', password: PASSWORD }, 'respond-async');
    expect([status, body.code]).toEqual([422, 'invalid_user']);
  });

  it('puts what went wrong later into the operation', async () => {
    slowed('ali', 'AddUsers', 300);
    const answer = await create('ali', 'user.0003', 'respond-async');
    expect(answer.status).toBe(202);
    const { results } = await atItsEnd(answer);
    expect(results).toMatchObject([{ status: 'already_exists', problem: { code: 'user_already_exists', status: 409 } }]);
  });
});

describe('wait', () => {
  it('is how long an answer is waited for: then it is 504, and the write continues', async () => {
    for (const [, , cluster, , action] of WRITES) slowed(cluster, action, 2_500);
    const sent = WRITES.map(async ([name, write, cluster, seeded, , , effect]) => {
      const username = nameFor(cluster, seeded, 2);
      const { answer, ms } = await timed(() => write(cluster, username, 'wait=1'));
      expect([name, answer.status, answer.headers.get('preference-applied')]).toEqual([name, 504, 'wait=1']);
      expectStillRunning(answer);
      expect(ms).toBeGreaterThan(950);
      expect(await atItsEnd(answer)).toMatchObject({ state: 'succeeded', results: [{ username, status: STATUS[effect] }] });
      expect(effectsOn(username)).toEqual([effect]);
    });
    await Promise.all(sent);
  });

  it.each(WRITES)('costs nothing where the vendor is quick: %s', async (...[, write, cluster, seeded, , status, effect]) => {
    const username = nameFor(cluster, seeded, 3);
    const answer = await write(cluster, username, 'wait=5');
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([status, 'wait=5']);
    expect(effectsOn(username)).toEqual([effect]);
  });

  it('is never longer than the deadline of a request', async () => {
    const { status, headers } = await create('ali', newName(), 'wait=999999');
    expect([status, headers.get('preference-applied')]).toEqual([201, 'wait=30']);
  });

  it.each([
    ['wait=0', 504],
    ['respond-async;foo=bar', 202],
    ['Respond-Async', 202],
    ['foo, respond-async', 202],
    ['wait="0"', 504],
    ['WAIT=0, wait=9', 504],
  ])('is read as RFC 7240 writes it: %s', async (prefer, status) => {
    slowed('ali', 'AddUsers', 1_000);
    const answer = await create('ali', newName(), prefer);
    expect([answer.status, answer.headers.has('preference-applied')]).toEqual([status, true]);
  });
});

describe('the deadline of a request', () => {
  it.each([
    ['a single write', create],
    ['a batch', batch],
  ])('ends the waiting, not the write: %s', async (_, write) => {
    await stage.gateway.stop();
    stage.gateway = await startGateway({
      server: { deadlineSeconds: 0.5, drainSeconds: 0 },
      accounts: { aliyun: { ...ehpcAccount(stage.ehpc), listing: 'sync' } },
      clusters: [{ id: 'ali', account: 'aliyun', vendorClusterId: EHPC_CLUSTER }],
    });
    slowed('ali', 'AddUsers', 1_500);
    const username = newName();
    const answer = await write('ali', username, 'handling=lenient');
    expectStillRunning(answer);
    expect(answer.headers.has('preference-applied')).toBe(false);
    expect(await atItsEnd(answer)).toMatchObject({ state: 'succeeded', results: [{ username, status: 'created' }] });
    expect(effectsOn(username)).toEqual(['created']);
  });
});

describe('an operation', () => {
  const look = (path: string, prefer: string) => stage.gateway.request('GET', path, { headers: { prefer } });

  it('is waited for until it is done', async () => {
    slowed('ali', 'AddUsers', 800);
    const path = (await create('ali', newName(), 'respond-async')).headers.get('location') as string;
    const early = await look(path, 'wait=0');
    expect([early.body.done, early.headers.get('preference-applied')]).toEqual([false, 'wait=0']);
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
    const ended = await look(path, 'respond-async, wait=20');
    expect(ended.body).toMatchObject({ done: true, state: 'succeeded', progress: { settled: 1, total: 1 } });
    expect([ended.headers.get('preference-applied'), ended.headers.get('retry-after')]).toEqual(['wait=20', null]);
    expect((await look(path, 'wait=20')).text).toBe(ended.text);
    expect((await look(path, 'respond-async')).headers.has('preference-applied')).toBe(false);
  });

  it('is answered as it is when that takes longer than the caller waits', async () => {
    slowed('ali', 'AddUsers', 2_500);
    const path = (await create('ali', newName(), 'respond-async')).headers.get('location') as string;
    const { answer, ms } = await timed(() => look(path, 'wait=1'));
    expect([answer.status, answer.body.done]).toEqual([200, false]);
    expect(ms).toBeGreaterThan(950);
  });

  it('that does not exist is not waited for', async () => {
    const { status, body } = await look('/operations/op_019aa1b2c3d47e5f8a9b0c1d2e3f4a5b', 'wait=20');
    expect([status, body.code]).toEqual([404, 'operation_not_found']);
  });
});

describe('what RFC 7240 allows is understood', () => {
  it.each([
    ['respond-async=""', 202],
    ['RESPOND-ASYNC ; because="of, commas"', 202],
    ['x="say \\"hi\\", respond-async"; y="a,b", respond-async', 202],
    ['x="say \\", respond-async, \\" twice"', 201],
    [', , respond-async ,', 202],
    ['wait = "5"', 201],
    ['respond-async; x="unclosed', 202],
  ])('%s', async (prefer, status) => {
    expect((await create('ali', newName(), prefer)).status).toBe(status);
  });
});

describe('what cannot be applied is ignored', () => {
  it.each([
    'wait=abc',
    'wait=',
    'wait',
    'wait=-1',
    'wait=1.5',
    'return=minimal',
    'handling=strict, x-own; a=b',
    'respond-async=no',
    'x-respond-async',
    'x="a,respond-async,b"',
    '',
  ])('%j', async (prefer) => {
    const { status, headers } = await create('ali', newName(), prefer);
    expect([status, headers.get('preference-applied')]).toEqual([201, null]);
  });

  it('a header of any length, whatever else is in it', async () => {
    const { status, headers } = await create('ali', newName(), `respond-async, x="${'y'.repeat(1_024)}"`);
    expect([status, headers.get('preference-applied')]).toEqual([201, null]);
  });
});
