/** A look at the jobs that fails says nothing about a job whose id is known (issue 7, item 2). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/index.js';
import { cleanUp, creating, deleting, newName, newNames, onShanhe, PASSWORD, type Scene, shanheWith, tally } from './evidence.js';

afterEach(cleanUp);

const LOOK = '/operation';
const COUNT = 24;

const UNUSABLE: readonly (readonly [string, Omit<Fault, 'action'>])[] = [
  ['a page of HTML with 200', { kind: 'html', status: 200 }],
  ['a page of HTML with 403', { kind: 'html', status: 403 }],
  ['a body that is cut off', { kind: 'cut_json' }],
  ['an empty body', { kind: 'http_status', status: 200 }],
  ['ret_code 1300', { kind: 'vendor_error', code: '1300' }],
  ['ret_code 1400', { kind: 'vendor_error', code: '1400' }],
  ['ret_code 2100', { kind: 'vendor_error', code: '2100' }],
];

/** Jobs take longer than a lost answer may still take effect: reading back right after a failed look finds nobody. */
const VENDOR = { jobMs: 500, ...shanheWith(3) };
const SETTLE = { settleSeconds: 0 };

it.each(UNUSABLE)('%s of /operation ends the following of no job', async (_, fault) => {
  const expectMade = (scene: Scene, names: readonly string[]): void => {
    expect(names.map(scene.effects)).toEqual(names.map(() => ['created']));
    expect(names.filter((name) => !scene.opens(name, PASSWORD))).toEqual([]);
  };
  const createSingly = async (): Promise<void> => {
    const scene = await onShanhe({ server: SETTLE }, VENDOR);
    scene.inject({ ...fault, action: LOOK });
    const names = newNames(COUNT);
    const answers = await Promise.all(names.map((name) => scene.create(name)));
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(names.map(() => [201, undefined]));
    expectMade(scene, names);
  };
  const createTogether = async (): Promise<void> => {
    const scene = await onShanhe({ server: SETTLE }, VENDOR);
    scene.inject({ ...fault, action: LOOK, times: 3 });
    const names = newNames(COUNT);
    expect(tally(await scene.batch(names.map((name) => creating(name))))).toEqual({ created: COUNT });
    expectMade(scene, names);
  };
  await Promise.all([createSingly(), createTogether()]);
});

it('a look that never works makes the outcome unknown at the end of jobSeconds, not failed', async () => {
  const scene = await onShanhe({ speed: 20, server: { jobSeconds: 10, deadlineSeconds: 120 } }, VENDOR);
  scene.inject(
    { kind: 'vendor_error', code: '1400', action: LOOK, times: -1 },
    { kind: 'http_status', status: 500, action: '/user', times: -1 },
  );
  const name = newName();
  const answer = await scene.batch([creating(name)]);
  expect([tally(answer), scene.effects(name)]).toEqual([{ unknown: 1 }, ['created']]);
});

describe('jobs that fail since the name is taken, or nobody has it, are no sign that the vendor fails', () => {
  const OTHERS = 110;
  const FRESH = 20;
  const seeded = Array.from({ length: OTHERS + FRESH }, (_, index) => `u${String(index + 1).padStart(5, '0')}`);
  const start = () =>
    onShanhe(
      { speed: 10, server: { deadlineSeconds: 600 } },
      { jobMs: 20, quirks: { unknownUser: 'job' }, ...shanheWith(seeded.length + 1) },
    );

  it('creates', async () => {
    const scene = await start();
    const items = [...seeded.slice(0, OTHERS), ...newNames(FRESH)].map((name) => creating(name));
    expect(tally(await scene.batch(items))).toEqual({ already_exists: OTHERS, created: FRESH });
  });

  it('deletes', async () => {
    const scene = await start();
    const items = [...newNames(OTHERS), ...seeded.slice(0, FRESH)].map(deleting);
    expect(tally(await scene.batch(items))).toEqual({ not_found: OTHERS, deleted: FRESH });
  });
});
