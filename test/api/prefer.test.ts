/** How long a caller waits for a write is for the caller to say. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors } from '../support/both-vendors.js';
import type { TestAnswer } from '../support/gateway.js';

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
  for (let look = 0; look < 200; look++) {
    const { body } = await stage.gateway.get(location);
    if (body.finishedAt !== null) return body;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${location} did not end`);
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

  it('and wait: a write that is not over by then is an operation', async () => {
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
  it('is how long an answer is waited for: then it is 202', async () => {
    for (const [, , cluster, , action] of WRITES) slowed(cluster, action, 2_500);
    const sent = WRITES.map(async ([name, write, cluster, seeded, , , effect]) => {
      const username = nameFor(cluster, seeded, 2);
      const { answer, ms } = await timed(() => write(cluster, username, 'wait=1'));
      expect([name, answer.status, answer.headers.get('preference-applied')]).toEqual([name, 202, 'wait=1']);
      expect(answer.headers.get('location')).toBe(`/operations/${answer.body.id}`);
      expect(ms).toBeGreaterThan(950);
      expect(answer.body.state).toBe('running');
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

  it.each(['wait=0', 'respond-async;foo=bar', 'Respond-Async', 'foo, respond-async', 'wait="0"', 'WAIT=0, wait=9'])(
    'is read as RFC 7240 writes it: %s',
    async (prefer) => {
      slowed('ali', 'AddUsers', 1_000);
      const answer = await create('ali', newName(), prefer);
      expect([answer.status, answer.headers.has('preference-applied')]).toEqual([202, true]);
    },
  );
});

describe('what cannot be heeded is ignored', () => {
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

  it('not even for a header of any length', async () => {
    const { status, body } = await create('ali', newName(), `x="${'y'.repeat(1_024)}"`);
    expect([status, body.errors[0].pointer]).toEqual([400, '/header/Prefer']);
  });
});
