/** A vendor that is busy for some seconds is waited for, and nothing is reported as failed (issue 7, item 3). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/index.js';
import type { TestAnswer } from '../support/gateway.js';
import { until } from '../support/wait.js';
import {
  cleanUp,
  creating,
  ehpcWith,
  newName,
  newNames,
  onEhpc,
  onShanhe,
  PASSWORD,
  type Scene,
  seconds,
  shanheWith,
  tally,
} from './evidence.js';

afterEach(cleanUp);

const SPEED = 5;

const VENDORS = {
  'shanhe-hpc': {
    add: '/user/addUser',
    /** Calls of `add` before the outage: in the middle of 40. */
    middle: 20,
    start: () => onShanhe({ speed: SPEED, server: { deadlineSeconds: 600 } }, { jobMs: 20, ...shanheWith(3) }),
    busy: [
      ['5100', { kind: 'vendor_error', code: '5100' }, 300],
      ['5300', { kind: 'vendor_error', code: '5300' }, 40],
      ['a 503 page', { kind: 'html', status: 503 }, 40],
    ],
  },
  'alibaba-ehpc': {
    add: 'AddUsers',
    /** A call has up to 100 users. */
    middle: 1,
    start: () => onEhpc({ speed: SPEED, server: { deadlineSeconds: 600 } }, { latencyMs: 10, ...ehpcWith(3) }),
    busy: [
      ['ServiceUnavailable', { kind: 'vendor_error', code: 'ServiceUnavailable' }, 300],
      ['InternalError', { kind: 'vendor_error', code: 'InternalError' }, 300],
      ['a 503 page', { kind: 'html', status: 503 }, 300],
    ],
  },
} as const;

const expectMade = (scene: Scene, names: readonly string[], answer: TestAnswer): void => {
  expect(tally(answer)).toEqual({ created: names.length });
  expect(names.map(scene.effects)).toEqual(names.map(() => ['created']));
  expect(names.filter((name) => !scene.opens(name, PASSWORD))).toEqual([]);
};

type Kind = readonly [name: string, fault: Fault, many: number];

describe.each(Object.entries(VENDORS))('%s', (_, { add, middle, start, busy }) => {
  const kinds: readonly Kind[] = busy;

  describe.each(kinds)('busy with %s', (__, fault) => {
    it('for 1.5 s, the write only, in a batch of 40', async () => {
      const scene = await start();
      const names = newNames(40);
      scene.inject({ ...fault, action: add, forMs: scene.real(seconds(1.5)), skip: middle === 1 ? 0 : middle });
      expectMade(scene, names, await scene.batch(names.map((name) => creating(name))));
    });

    it('once, for a single create', async () => {
      const scene = await start();
      const name = newName();
      scene.inject({ ...fault, action: add });
      const { status, body } = await scene.create(name);
      expect([status, body.username, scene.effects(name)]).toEqual([201, name, ['created']]);
    });
  });

  /** The outage begins when the batch is under way. */
  const importThrough = async ([, fault, many]: Kind): Promise<void> => {
    const scene = await start();
    const names = newNames(many);
    const importing = scene.batch(names.map((name) => creating(name)));
    await until(() => scene.calls(add) >= middle, Boolean, 1);
    scene.inject({ ...fault, forMs: scene.real(seconds(5)) });
    expectMade(scene, names, await importing);
  };

  // All at once, since most of it is waiting.
  it(`for 5 s, on every call, in the middle of a batch: ${kinds.map(([name, , many]) => `${name} (${many})`).join(', ')}`, () =>
    Promise.all(kinds.map(importThrough)));
});
