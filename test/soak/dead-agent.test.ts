/** A vendor that fails on everything is probed, not searched: a bound on the calls (issue 7, item 8). */
import { afterEach, expect, it } from '@jest/globals';
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
  type Scene,
  shanheWith,
  tally,
} from '../contract/evidence.js';

afterEach(cleanUp);

const USERS = 2_000;
const MAX_WRITES = 30;
/**
 * By items. 100 are one call on E-HPC, so all of them are in doubt from the start: a complete reading has 40 pages, and there are at most
 * three, whatever the number of items.
 */
const MAX_LISTS: Readonly<Record<number, number>> = { 300: 60, 100: 130 };
const SPEED = 30;
const SERVER = { deadlineSeconds: 600, settleSeconds: 5 };

const AGENT: Fault = { kind: 'vendor_error', code: 'AgentError', times: -1 };
const RESET: Fault = { kind: 'reset_before', times: -1 };

const seeded = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `user.${String(index + 50).padStart(5, '0')}`);
const WRITES: Readonly<Record<string, { readonly write: string; items(count: number): Item[] }>> = {
  creates: { write: 'AddUsers', items: (count) => newNames(count).map((name) => creating(name)) },
  deletes: { write: 'DeleteUsers', items: (count) => seeded(count).map(deleting) },
  roles: {
    write: 'ModifyUserGroups',
    items: (count) => seeded(count).map((username) => ({ op: 'update', username, role: 'admin' })),
  },
  passwords: {
    write: 'ModifyUserPasswords',
    items: (count) => seeded(count).map((username) => ({ op: 'update', username, password: OTHER_PASSWORD })),
  },
};

const expectFew = (scene: Scene, count: number, write: string, list: string): void => {
  const [writes, lists] = [scene.calls(write), scene.calls(list)];
  const few = { writes: writes <= MAX_WRITES, lists: lists <= (MAX_LISTS[count] ?? 0) };
  expect({ count, writes, lists, few }).toEqual({ count, writes, lists, few: { writes: true, lists: true } });
};

const CASES: readonly (readonly [string, string, readonly number[], Fault])[] = [
  ['AgentError', 'creates', [300, 100], AGENT],
  ['AgentError', 'deletes', [300], AGENT],
  ['AgentError', 'roles', [300], AGENT],
  ['AgentError', 'passwords', [300], AGENT],
  ['a reset', 'creates', [300, 100], RESET],
];

it.each(CASES)(`E-HPC, ${USERS} users: %s on every call, %s of %j`, async (_, what, counts, fault) => {
  const { write, items } = WRITES[what] as (typeof WRITES)[string];
  for (const count of counts) {
    const scene = await onEhpc({ speed: SPEED, server: SERVER }, ehpcWith(USERS));
    scene.inject({ ...fault, action: write });
    const answer = await scene.batch(items(count));
    expect(Object.keys(tally(answer)).filter((status) => !['failed', 'unknown'].includes(status))).toEqual([]);
    expectFew(scene, count, write, 'ListUsers');
  }
});

it(`Shanhe, ${USERS} users: addUser is reset for ever`, async () => {
  const scene = await onShanhe({ speed: SPEED, server: SERVER }, { jobMs: 20, ...shanheWith(USERS) });
  for (const count of [300, 100]) {
    scene.simulator.clearFaults();
    scene.simulator.resetCalls();
    scene.inject({ ...RESET, action: '/user/addUser' });
    const answer = await scene.batch(newNames(count).map((name) => creating(name)));
    expect(tally(answer)).toEqual({ failed: count });
    expectFew(scene, count, '/user/addUser', '/user');
    expect(scene.simulator.journal).toEqual([]);
  }
});
