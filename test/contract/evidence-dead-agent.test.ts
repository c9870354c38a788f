/** A vendor that fails on everything is probed, not searched: a bound on the calls (issue 7, item 8). */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/index.js';
import {
  cleanUp,
  creating,
  deleting,
  ehpcWith,
  type Item,
  newNames,
  OTHER_PASSWORD,
  onEhpc,
  onShanhe,
  shanheWith,
  tally,
} from './evidence.js';

afterEach(cleanUp);

const USERS = 2_000;
const MAX_WRITES = 30;
const MAX_LISTS = 60;
const SPEED = 30;
const SERVER = { deadlineSeconds: 600, settleSeconds: 5 };

const AGENT: Fault = { kind: 'vendor_error', code: 'AgentError', times: -1 };
const RESET: Fault = { kind: 'reset_before', times: -1 };

const seeded = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `user.${String(index + 50).padStart(5, '0')}`);
const EHPC: readonly (readonly [string, string, (count: number) => Item[]])[] = [
  ['creates', 'AddUsers', (count) => newNames(count).map((name) => creating(name))],
  ['deletes', 'DeleteUsers', (count) => seeded(count).map(deleting)],
  ['roles', 'ModifyUserGroups', (count) => seeded(count).map((username) => ({ op: 'update', username, role: 'admin' }))],
  [
    'passwords',
    'ModifyUserPasswords',
    (count) => seeded(count).map((username) => ({ op: 'update', username, password: OTHER_PASSWORD })),
  ],
];

describe(`E-HPC, ${USERS} users`, () => {
  describe.each([
    ['AgentError on every call', AGENT],
    ['every call is reset', RESET],
  ])('%s', (_, fault) => {
    it.each(EHPC)('%s of 300 and of 100', async (__, write, items) => {
      const scene = await onEhpc({ speed: SPEED, server: SERVER }, ehpcWith(USERS));
      for (const count of [300, 100]) {
        scene.simulator.clearFaults();
        scene.simulator.resetCalls();
        scene.inject({ ...fault, action: write });
        const answer = await scene.batch(items(count));
        expect(Object.keys(tally(answer)).filter((status) => !['failed', 'unknown'].includes(status))).toEqual([]);
        const [writes, lists] = [scene.calls(write), scene.calls('ListUsers')];
        expect({ count, writes, few: writes <= MAX_WRITES }).toEqual({ count, writes, few: true });
        expect({ count, lists, few: lists <= MAX_LISTS }).toEqual({ count, lists, few: true });
      }
    });
  });
});

it(`Shanhe, ${USERS} users: addUser is reset for ever`, async () => {
  const scene = await onShanhe({ speed: SPEED, server: SERVER }, { jobMs: 20, ...shanheWith(USERS) });
  for (const count of [300, 100]) {
    scene.simulator.clearFaults();
    scene.simulator.resetCalls();
    scene.inject({ ...RESET, action: '/user/addUser' });
    const answer = await scene.batch(newNames(count).map((name) => creating(name)));
    expect(tally(answer)).toEqual({ failed: count });
    const [writes, lists] = [scene.calls('/user/addUser'), scene.calls('/user')];
    expect({ count, writes, few: writes <= MAX_WRITES }).toEqual({ count, writes, few: true });
    expect({ count, lists, few: lists <= MAX_LISTS }).toEqual({ count, lists, few: true });
    expect(scene.simulator.journal).toEqual([]);
  }
});
