/** Waits of many minutes, by a clock that runs fast (issue 7, item 7). */
import { afterEach, expect, it } from '@jest/globals';
import type { TestAnswer } from '../support/gateway.js';
import {
  cleanUp,
  creating,
  deleting,
  ehpcWith,
  minutes,
  newNames,
  onEhpc,
  onShanhe,
  type Scene,
  shanheWith,
  statusesOf,
  tally,
} from './evidence.js';

afterEach(cleanUp);

/** 11 minutes pass in less than 3 s. */
const SPEED = 240;
const SETTINGS = { speed: SPEED, server: { deadlineSeconds: 600, jobSeconds: 1_800 } };
const WAIT = minutes(11);

/** As many as a vendor's jobs are open at once: the first ones to end are all of names that are taken. */
const TAKEN = 100;
const FRESH = 20;
const taken = Array.from({ length: TAKEN }, (_, index) => `u${String(index + 1).padStart(5, '0')}`);

const expectWaited = ({ body }: TestAnswer, ms: number): void =>
  expect(Date.parse(body.finishedAt) - Date.parse(body.createdAt)).toBeGreaterThanOrEqual(ms);

const importBehindTaken = async (scene: Scene): Promise<void> => {
  const names = newNames(FRESH);
  const operation = await scene.end(await scene.begin([...taken, ...names].map((name) => creating(name))));
  expect(tally(operation)).toEqual({ already_exists: TAKEN, created: FRESH });
  expect(names.map(scene.effects)).toEqual(names.map(() => ['created']));
  expect(scene.simulator.journal).toHaveLength(FRESH);
  expectWaited(operation, WAIT);
};

it('Shanhe: a batch that waited 11 minutes for a quota goes on after the first already_exists', async () => {
  const scene = await onShanhe(SETTINGS, { jobMs: 5, ...shanheWith(TAKEN + 1) });
  scene.inject({ kind: 'throttle', action: '/user/addUser', forMs: scene.real(WAIT), retryAfterSeconds: 60 });
  await importBehindTaken(scene);
});

it('Shanhe: so does one whose jobs take 11 minutes', async () => {
  const scene = await onShanhe(SETTINGS, { jobMs: 5, ...shanheWith(TAKEN + 1) });
  scene.inject({ kind: 'job_slow', delayMs: scene.real(WAIT), action: '/user/addUser', times: TAKEN });
  await importBehindTaken(scene);
});

it('E-HPC: so does a batch that was throttled for 11 minutes', async () => {
  const scene = await onEhpc(SETTINGS, ehpcWith(3));
  scene.inject({ kind: 'throttle', action: 'AddUsers', forMs: scene.real(WAIT), retryAfterSeconds: 60 });
  const [a, b] = newNames(2) as [string, string];
  const operation = await scene.end(
    await scene.begin([creating('user.00001'), creating(a), deleting('nobody.here'), creating(b)]),
  );
  expect(statusesOf(operation)).toEqual(['already_exists', 'created', 'not_found', 'created']);
  expect([a, b].map(scene.effects)).toEqual([['created'], ['created']]);
  expectWaited(operation, WAIT);
});
