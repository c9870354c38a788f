/** Waits of many minutes, by a clock that runs fast (issue 7, item 7). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/index.js';
import {
  cleanUp,
  creating,
  deleting,
  ehpcWith,
  minutes,
  newName,
  newNames,
  OTHER_PASSWORD,
  onEhpc,
  onShanhe,
  type Scene,
  shanheWith,
  statusesOf,
} from './evidence.js';

afterEach(cleanUp);

/** 11 minutes pass in less than 3 s. */
const SPEED = 240;
const SETTINGS = { speed: SPEED, server: { deadlineSeconds: 600, jobSeconds: 1_800 } };
const QUOTA = minutes(11);

const quotaFor11Minutes = (scene: Scene, fault: Fault): void =>
  scene.inject({ ...fault, forMs: scene.real(QUOTA), retryAfterSeconds: 60 });

describe('a batch that waited 11 minutes for a quota goes on after a name that is taken or missing', () => {
  const importAround = async (scene: Scene): Promise<void> => {
    const [taken, missing] = [newName(), newName()];
    scene.simulator.addUser(scene.cluster, taken, { password: OTHER_PASSWORD, at: '2024-03-05T08:00:00Z' });
    const [a, b, c, d] = newNames(4) as [string, string, string, string];
    const path = await scene.begin([creating(a), creating(taken), creating(b), deleting(missing), creating(c), creating(d)]);
    const operation = await scene.end(path);
    expect(statusesOf(operation)).toEqual(['created', 'already_exists', 'created', 'not_found', 'created', 'created']);
    expect([a, b, c, d].map(scene.effects)).toEqual([['created'], ['created'], ['created'], ['created']]);
    const { createdAt, finishedAt } = operation.body;
    expect(Date.parse(finishedAt) - Date.parse(createdAt)).toBeGreaterThanOrEqual(QUOTA);
  };

  it('E-HPC, Throttling.User', async () => {
    const scene = await onEhpc(SETTINGS, ehpcWith(3));
    quotaFor11Minutes(scene, { kind: 'throttle', action: 'AddUsers' });
    await importAround(scene);
  });

  it('Shanhe, ret_code 2500; a taken name is refused at once', async () => {
    const quirks = { duplicateUser: '2110', unknownUser: '2100' } as const;
    const scene = await onShanhe(SETTINGS, { jobMs: 5, quirks, ...shanheWith(3) });
    quotaFor11Minutes(scene, { kind: 'throttle', action: '/user/addUser' });
    await importAround(scene);
  });
});

describe('a job that takes longer than 10 minutes', () => {
  it('is followed, in a batch with others, past the first already_exists', async () => {
    const scene = await onShanhe(SETTINGS, { jobMs: 5, ...shanheWith(3) });
    const [slow, taken, quick] = newNames(3) as [string, string, string];
    scene.simulator.addUser(scene.cluster, taken, { password: OTHER_PASSWORD, at: '2024-03-05T08:00:00Z' });
    scene.inject({ kind: 'job_slow', delayMs: scene.real(minutes(11)), action: '/user/addUser', username: slow });
    const path = await scene.begin([creating(slow), creating(taken), creating(quick), deleting(slow)]);
    const operation = await scene.end(path);
    expect(statusesOf(operation)).toEqual(['created', 'already_exists', 'created', 'deleted']);
    expect([slow, quick].map(scene.effects)).toEqual([['created', 'deleted'], ['created']]);
  });
});
