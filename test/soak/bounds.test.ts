/** Loops over what a vendor controls have an end: listings, slow answers, lists without an end (issue 7, item 6). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../simulators/kit/index.js';
import {
  atCleanUp,
  cleanUp,
  creating,
  ehpcWith,
  minutes,
  newName,
  onEhpc,
  onShanhe,
  type Scene,
  type Settings,
  shanheWith,
  USERS,
} from '../contract/evidence.js';
import { until } from '../support/wait.js';

afterEach(cleanUp);

const SPEED = 120;
const SERVER = { deadlineSeconds: 600, settleSeconds: 5 };
/** By the clock of the gateway, on which a deadline of one real second is two minutes: no write that nobody can look at is open for longer. */
const MAX_OPEN_MS = minutes(20);
/** Calls of a listing in that time: with waits of up to 5 s in between, and a few pages each. */
const MAX_LISTS = 600;

interface Vendor {
  start(settings?: Settings): Promise<Scene>;
  readonly add: string;
  readonly list: string;
}

const ehpc = (listing: 'sync' | 'async'): Vendor => ({
  start: (settings = {}) =>
    onEhpc({ speed: SPEED, server: SERVER, ...settings, account: { listing } }, { asyncDelayMs: 1, ...ehpcWith(130) }),
  add: 'AddUsers',
  list: listing === 'sync' ? 'ListUsers' : 'ListUsersAsync',
});
const SHANHE: Vendor = {
  start: (settings = {}) => onShanhe({ speed: SPEED, server: SERVER, ...settings }, { jobMs: 5, ...shanheWith(130) }),
  add: '/user/addUser',
  list: '/user',
};

/** The answer of the write is lost, and each look at the list is this. */
const LISTS: readonly (readonly [string, Vendor, Omit<Fault, 'action'>])[] = [
  ['E-HPC: a listing that stays Processing', ehpc('async'), { kind: 'listing_never_ends' }],
  ['E-HPC: a list that drips', ehpc('sync'), { kind: 'drip', delayMs: 1_000 }],
  ['E-HPC: TotalCount 1e12', ehpc('sync'), { kind: 'endless_list' }],
  ['E-HPC: TotalCount 1e12, async', ehpc('async'), { kind: 'endless_list' }],
  ['E-HPC: a page number that is ignored', ehpc('sync'), { kind: 'offset_ignored' }],
  ['Shanhe: a list that drips', SHANHE, { kind: 'drip', delayMs: 1_000 }],
  ['Shanhe: total 1e12', SHANHE, { kind: 'endless_list' }],
  ['Shanhe: an offset that is ignored', SHANHE, { kind: 'offset_ignored' }],
];

const lifeOf = ({ createdAt, finishedAt }: { createdAt: string; finishedAt: string }): number =>
  Date.parse(finishedAt) - Date.parse(createdAt);

describe.each(LISTS)('%s', (_, { start, add, list }, fault) => {
  it('the write ends, claims nothing, can be cancelled, and its user is free again', async () => {
    const scene = await start();
    const name = newName();
    scene.inject({ kind: 'reset_after', action: add, username: name }, { ...fault, action: list, times: -1 });
    const path = await scene.begin([creating(name)]);
    const { body } = await scene.end(path);
    expect(body.results.map(({ status }: { status: string }) => status)).toEqual(['unknown']);
    expect(lifeOf(body)).toBeLessThan(MAX_OPEN_MS);
    expect(scene.calls(list)).toBeLessThan(MAX_LISTS);

    // Cancelled while it reads back.
    const other = newName();
    scene.inject({ kind: 'reset_after', action: add, username: other });
    const second = await scene.begin([creating(other)]);
    await until(() => scene.effects(other).length > 0, Boolean, 1);
    const lists = scene.calls(list);
    await until(async () => scene.calls(list) > lists || (await scene.gateway.get(second)).body.done, Boolean, 5);
    const cancelled = await scene.gateway.request('POST', `${second}/cancel`);
    expect(cancelled.status).toBe(200);
    expect(lifeOf(cancelled.body)).toBeLessThan(MAX_OPEN_MS);

    scene.simulator.clearFaults();
    for (const username of [name, other]) {
      const removed = await scene.remove(username);
      expect([username, removed.status, scene.effects(username)]).toEqual([username, 204, ['created', 'deleted']]);
    }
  });
});

describe.each([
  ['E-HPC', ehpc('sync')],
  ['Shanhe', SHANHE],
])('%s: a write whose answer drips', (_, { start, add }) => {
  it('ends by its own deadline, and is read back', async () => {
    // Slower, so that there is time for a look before the send, which shows whose the user is.
    const scene = await start({ speed: 20 });
    const name = newName();
    scene.inject({ kind: 'drip', delayMs: 1_000, action: add });
    const path = await scene.begin([creating(name)]);
    const { body } = await scene.end(path);
    expect(body.results.map(({ status }: { status: string }) => status)).toEqual(['created']);
    expect(lifeOf(body)).toBeLessThan(MAX_OPEN_MS);
    expect(scene.effects(name)).toEqual(['created']);
  });
});

describe.each([
  ['E-HPC', ehpc('sync')],
  ['Shanhe', SHANHE],
])('%s: reading a list without an end', (_, { start, list }) => {
  it.each(['endless_list', 'offset_ignored'] as const)('is refused after a few calls and little memory (%s)', async (kind) => {
    const scene = await start();
    scene.inject({ kind, action: list, times: -1 });
    const before = process.memoryUsage().heapUsed;
    for (const path of [`${USERS}?search=zz`, `${USERS}?role=admin`, `${USERS}/nobody.here`]) {
      const { status, body } = await scene.gateway.get(path);
      expect([path, status, body.code]).toEqual([path, 502, 'vendor_bad_response']);
    }
    expect(scene.calls(list)).toBeLessThan(60);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 2 ** 20);
  });

  it('costs no more after a restart on the same store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-bounds-'));
    const store = { kind: 'lmdb', path: folder, leaseSeconds: 0.5 };
    // The folder is removed when the gateway has stopped.
    atCleanUp(() => rmSync(folder, { recursive: true, force: true }));
    const scene = await start({ store });
    const name = newName();
    scene.inject(
      { kind: 'reset_after', action: list === '/user' ? '/user/addUser' : 'AddUsers' },
      { kind: 'endless_list', action: list, times: -1 },
    );
    const path = await scene.begin([creating(name)]);
    await until(() => scene.effects(name).length > 0);
    await scene.restart();
    const { body } = await scene.end(path);
    expect(body.results.map(({ status }: { status: string }) => status)).toEqual(['unknown']);
    expect(scene.calls(list)).toBeLessThan(MAX_LISTS);
  });
});
