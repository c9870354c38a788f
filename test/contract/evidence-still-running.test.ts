/** 202 only where it was asked for; else 504 `still_running`, and a repetition joins (issue 7, item 14). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { TestAnswer } from '../support/gateway.js';
import {
  cleanUp,
  creating,
  newName,
  newNames,
  onShanhe,
  PASSWORD,
  type Scene,
  seconds,
  shanheWith,
  tally,
  USERS,
} from './evidence.js';

afterEach(cleanUp);

const ADD = '/user/addUser';
/** Long enough for a repetition to arrive meanwhile. */
const JOB_MS = 900;
const start = (deadlineSeconds: number): Promise<Scene> =>
  onShanhe({ server: { deadlineSeconds } }, { jobMs: JOB_MS, ...shanheWith(3) });

const expectStillRunning = ({ status, headers, body }: TestAnswer): string => {
  expect([status, body.code, body.retryable]).toEqual([504, 'still_running', true]);
  expect(body.detail).toMatch(/accepted/);
  const location = headers.get('location') ?? '';
  expect(body.operation).toEqual({ id: location.split('/').at(-1), href: location });
  expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  return location;
};

describe('a write that outlasts the deadline', () => {
  it.each([
    ['without a key', {}],
    ['with a key', { 'idempotency-key': 'k1' }],
  ] as const)('is 504 still_running; the same request joins it (%s)', async (_, headers) => {
    const scene = await start(30);
    const name = newName();
    const location = expectStillRunning(await scene.create(name, { ...headers, prefer: 'wait=0' }));
    expect(expectStillRunning(await scene.create(name, { ...headers, prefer: 'wait=0' }))).toBe(location);
    const { status, body } = await scene.create(name, headers);
    expect([status, body.username, scene.calls(ADD), scene.effects(name)]).toEqual([201, name, 1, ['created']]);
    expect((await scene.gateway.get(location)).body).toMatchObject({ state: 'succeeded', done: true });
  });

  it("is 504 by the server's own deadline, and continues", async () => {
    const scene = await start(0.2);
    const name = newName();
    const location = expectStillRunning(await scene.create(name));
    expect((await scene.end(location)).body).toMatchObject({ state: 'succeeded', done: true });
    expect(scene.effects(name)).toEqual(['created']);
  });

  it.each([
    ['PUT …/password', 'PUT', '/password', { password: PASSWORD }, '/user/modifyUser'],
    ['DELETE', 'DELETE', '', undefined, '/user/deleteUser'],
  ] as const)('is 504 for %s too, with a shorter wait', async (_, method, suffix, body, action) => {
    const scene = await start(30);
    scene.inject({ kind: 'delay', delayMs: JOB_MS, action });
    const options = { ...(body && { body }), headers: { prefer: 'wait=0' } };
    expectStillRunning(await scene.gateway.request(method, `${USERS}/u00002${suffix}`, options));
    // The same without the wait joins.
    const joined = await scene.gateway.request(method, `${USERS}/u00002${suffix}`, body ? { body } : {});
    expect([joined.status, scene.calls(action)]).toEqual([204, 1]);
  });

  it('is 504 for a batch, and the repetition gets its results', async () => {
    const scene = await start(30);
    const items = newNames(4).map((name) => creating(name));
    const request = (headers: Record<string, string> = {}) =>
      scene.gateway.request('POST', `${USERS}/batch`, { body: { items }, headers });
    const location = expectStillRunning(await request({ prefer: 'wait=0' }));
    const joined = await request();
    expect([joined.status, `/operations/${joined.body.operationId}`, tally(joined)]).toEqual([200, location, { created: 4 }]);
  });
});

it('ten identical creates at once are one operation, one user and ten 201', async () => {
  const scene = await start(30);
  const name = newName();
  const answers = await Promise.all(Array.from({ length: 10 }, () => scene.create(name)));
  expect(answers.map(({ status, body }) => [status, body.username])).toEqual(answers.map(() => [201, name]));
  expect([scene.calls(ADD), scene.effects(name)]).toEqual([1, ['created']]);
  const { body } = await scene.gateway.get('/operations?limit=10');
  expect(body.items).toHaveLength(1);
});

it('202 comes only with Prefer: respond-async, and at once', async () => {
  const scene = await start(30);
  const name = newName();
  const { status, headers, body } = await scene.create(name, { prefer: 'respond-async' });
  expect([status, headers.get('location'), body.done]).toEqual([202, `/operations/${body.id}`, false]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  // It joins, and waits.
  const joined = await scene.create(name);
  expect([joined.status, scene.calls(ADD)]).toEqual([201, 1]);
  const asked = await scene.create(newName(), { prefer: `respond-async, wait=${seconds(20) / 1_000}` });
  expect(asked.status).toBe(201);
});
