/** Waits of many minutes, by a clock that runs fast (issue 7, item 7). */
import { afterEach, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/index.js';
import {
  cleanUp,
  creating,
  deleting,
  ehpcWith,
  type Item,
  minutes,
  newNames,
  OTHER_PASSWORD,
  onEhpc,
  onShanhe,
  shanheWith,
  statusesOf,
} from '../contract/evidence.js';
import type { TestAnswer } from '../support/gateway.js';

afterEach(cleanUp);

/** 11 minutes pass in less than 7 s. */
const SPEED = 100;
const SETTINGS = { speed: SPEED, server: { deadlineSeconds: 600, jobSeconds: 1_800 } };
const WAIT = minutes(11);

const expectWaited = ({ body }: TestAnswer): void =>
  expect(Date.parse(body.finishedAt) - Date.parse(body.createdAt)).toBeGreaterThanOrEqual(WAIT);

/** The first thing that ends after the wait is a job that fails, since the name is taken; the update comes after it. */
const importTaken = async (fault: Fault): Promise<void> => {
  const scene = await onShanhe(SETTINGS, { jobMs: 5, ...shanheWith(4) });
  scene.inject(fault);
  const taken = ['u00001', 'u00002', 'u00003'];
  const items = taken.flatMap((username): Item[] => [creating(username), { op: 'update', username, password: OTHER_PASSWORD }]);
  const operation = await scene.end(await scene.begin(items));
  expect([fault.kind, statusesOf(operation)]).toEqual([fault.kind, taken.flatMap(() => ['already_exists', 'updated'])]);
  expect(taken.map(scene.effects)).toEqual(taken.map(() => ['password_changed']));
  expectWaited(operation);
};

const importThrottled = async (): Promise<void> => {
  const scene = await onEhpc(SETTINGS, ehpcWith(3));
  scene.inject({ kind: 'throttle', action: 'AddUsers', forMs: scene.real(WAIT), retryAfterSeconds: 60 });
  const [a, b] = newNames(2) as [string, string];
  const operation = await scene.end(
    await scene.begin([creating('user.00001'), creating(a), deleting('nobody.here'), creating(b)]),
  );
  expect(statusesOf(operation)).toEqual(['already_exists', 'created', 'not_found', 'created']);
  expect([a, b].map(scene.effects)).toEqual([['created'], ['created']]);
  expectWaited(operation);
};

const realWait = Math.ceil(WAIT / SPEED);

// All at once, since most of it is waiting.
it('a batch that waited 11 minutes, for a quota or for jobs, goes on after the first already_exists', () =>
  Promise.all([
    importTaken({ kind: 'throttle', action: '/user/addUser', forMs: realWait, retryAfterSeconds: 60 }),
    importTaken({ kind: 'job_slow', action: '/user/addUser', delayMs: realWait, times: 3 }),
    importThrottled(),
  ]));
