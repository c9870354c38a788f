/** What an operation says about itself (issue 7, item 12). */
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  cleanUp,
  creating,
  deleting,
  ehpcWith,
  newName,
  newNames,
  onEhpc,
  onShanhe,
  type Scene,
  shanheWith,
} from './evidence.js';

afterEach(cleanUp);

const FAST = { speed: 20, server: { deadlineSeconds: 600, settleSeconds: 1, jobSeconds: 10 } };

const VENDORS = {
  'alibaba-ehpc': {
    start: (): Promise<Scene> => onEhpc(FAST, ehpcWith(3)),
    seeded: 'user.00001',
    add: 'AddUsers',
    list: 'ListUsers',
    /** Of a taken name. */
    refused: 409,
  },
  'shanhe-hpc': {
    start: (): Promise<Scene> => onShanhe(FAST, { jobMs: 5, ...shanheWith(3) }),
    seeded: 'u00001',
    add: '/user/addUser',
    list: '/user',
    refused: 409,
  },
} as const;

const newest = async ({ gateway }: Scene) => {
  const { body } = await gateway.get('/operations?limit=1');
  const answer = await gateway.get(`/operations/${body.items[0].id}`);
  return answer;
};

describe.each(Object.entries(VENDORS))('%s', (_, { start, seeded, add, list, refused }) => {
  it('a single write that failed says failed', async () => {
    const scene = await start();
    expect((await scene.create(seeded)).status).toBe(refused);
    const taken = await newest(scene);
    expect(taken.body).toMatchObject({ kind: 'createUser', state: 'failed', done: true, progress: { settled: 1, total: 1 } });
    expect(taken.headers.get('retry-after')).toBeNull();
    expect((await scene.remove('nobody1')).status).toBe(404);
    expect((await newest(scene)).body).toMatchObject({ kind: 'deleteUser', state: 'failed', done: true });
    scene.inject({ kind: 'throttle', action: add, times: -1 });
    expect((await scene.create(newName())).status).toBe(429);
    expect((await newest(scene)).body).toMatchObject({ state: 'failed', done: true, results: [{ status: 'failed' }] });
  });

  it('a write that is done, a batch of which some is, and one of which nobody knows', async () => {
    const scene = await start();
    const [a, b, c] = newNames(3) as [string, string, string];
    expect((await scene.create(a)).status).toBe(201);
    expect((await newest(scene)).body).toMatchObject({ state: 'succeeded', done: true });
    await scene.batch([creating(b), creating(a), deleting('nobody1')]);
    expect((await newest(scene)).body).toMatchObject({
      state: 'partially_succeeded',
      done: true,
      progress: { settled: 3, total: 3 },
      summary: { created: 1, already_exists: 1, not_found: 1 },
    });
    scene.inject({ kind: 'reset_after', action: add }, { kind: 'http_status', status: 500, action: list, times: -1 });
    expect([503, 504]).toContain((await scene.create(c)).status);
    expect((await newest(scene)).body).toMatchObject({ state: 'unknown', done: true, results: [{ status: 'unknown' }] });
  });
});

it('Prefer: wait waits for the end, and until then there is a Retry-After', async () => {
  const scene = await onShanhe({}, { jobMs: 400, ...shanheWith(3) });
  const path = await scene.begin([creating(newName())]);
  const open = await scene.gateway.get(path);
  expect(open.body).toMatchObject({ done: false, progress: { settled: 0, total: 1 } });
  expect(['pending', 'running']).toContain(open.body.state);
  expect(Number(open.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  const short = await scene.gateway.request('GET', path, { headers: { prefer: 'wait=0' } });
  expect(short.body.done).toBe(false);
  const waited = await scene.gateway.request('GET', path, { headers: { prefer: 'wait=20' } });
  expect(waited.body).toMatchObject({ state: 'succeeded', done: true, progress: { settled: 1, total: 1 } });
  expect(waited.headers.get('retry-after')).toBeNull();
  // One look was enough.
  expect(waited.body.results).toMatchObject([{ status: 'created' }]);
});
