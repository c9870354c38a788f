/** 202 only where it was asked for; else 504 `still_running`, and a repetition joins (issue 7, item 14). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { TestAnswer } from '../support/gateway.js';
import { until } from '../support/wait.js';
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
const JOB_MS = 600;
const start = (deadlineSeconds = 0.2): Promise<Scene> =>
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
  it('is 504 still_running; the same request joins it, with a key or without', async () => {
    const scene = await start();
    for (const headers of [{}, { 'idempotency-key': 'k1' }] as Record<string, string>[]) {
      scene.simulator.resetCalls();
      const name = newName();
      const location = expectStillRunning(await scene.create(name, headers));
      const answers: TestAnswer[] = [];
      await until(async () => answers.push(await scene.create(name, headers)) && answers.at(-1)?.status !== 504);
      for (const answer of answers.slice(0, -1)) expect(expectStillRunning(answer)).toBe(location);
      // Without a key, one that comes after the end is a request of its own.
      const { status, body } = answers.at(-1) as TestAnswer;
      if (status === 201) expect(body.username).toBe(name);
      else expect([headers, status, body.code]).toEqual([{}, 409, 'user_already_exists']);
      expect(scene.effects(name)).toEqual(['created']);
      expect((await scene.gateway.get(location)).body).toMatchObject({ state: 'succeeded', done: true });
    }
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
    const scene = await start();
    const items = newNames(4).map((name) => creating(name));
    const location = expectStillRunning(await scene.batch(items));
    const answers: TestAnswer[] = [];
    await until(async () => answers.push(await scene.batch(items)) && answers.at(-1)?.status !== 504);
    const last = answers.at(-1) as TestAnswer;
    expect(last.status).toBe(200);
    if (`/operations/${last.body.operationId}` === location) expect(tally(last)).toEqual({ created: 4 });
    else expect(tally(last)).toEqual({ already_exists: 4 });
    expect(tally(await scene.gateway.get(location))).toEqual({ created: 4 });
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
