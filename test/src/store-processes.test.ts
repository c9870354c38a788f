/** Several processes on one LMDB folder. They run what was built: `npm test` builds first. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { openLmdbStore } from '../../src/store/lmdb.js';
import type { Store } from '../../src/store/store.js';
import { built, killStarted, start } from '../support/in-step.js';
import { until } from '../support/wait.js';

const PROCESSES = 3;
const EACH = 100;
const KILLS = 5;

const root = mkdtempSync(join(tmpdir(), 'gateway-processes-'));
const opened = new Set<Store>();
afterEach(killStarted);
afterAll(async () => {
  for (const store of opened) await store.close();
  rmSync(root, { recursive: true });
});

let folders = 0;
const newFolder = (): string => join(root, String(++folders));
const open = (folder: string): Store => {
  const store = openLmdbStore(folder);
  opened.add(store);
  return store;
};

/** Counts a record up, and a second one and an index with it. */
const COUNTING = `
  const { openLmdbStore } = await import(${built('src/store/lmdb.js')});
  const store = openLmdbStore(argument);
  const increment = () => store.change(['one', 'other'], ([one, other]) => {
    const count = (one?.count ?? 0) + 1;
    return {
      result: count,
      put: { one: { count }, other: { count: (other?.count ?? 0) + 1 } },
      add: [['counts', String(count).padStart(6, '0')]],
    };
  });
`;

const countOf = async (store: Store): Promise<number> => {
  const [one, other] = await store.read<{ count: number }>(['one', 'other']);
  const count = one?.count ?? 0;
  expect(other?.count ?? 0).toBe(count);
  const members = await store.members('counts', { order: 'ascending', limit: 100_000 });
  expect(members).toEqual(Array.from({ length: count }, (_, at) => String(at + 1).padStart(6, '0')));
  return count;
};

const increment = (store: Store): Promise<number> =>
  store.change<{ count: number }, number>(['one', 'other'], ([one, other]) => {
    const count = (one?.count ?? 0) + 1;
    return {
      result: count,
      put: { one: { count }, other: { count: (other?.count ?? 0) + 1 } },
      add: [['counts', String(count).padStart(6, '0')]],
    };
  });

describe('processes that share a folder', () => {
  it('lose no change of one another, and each sees what the others wrote', async () => {
    const folder = newFolder();
    const code = `${COUNTING}
      for (let at = 0; at < ${EACH}; at++) console.log(await increment());
      await store.close();`;
    const processes = await Promise.all(Array.from({ length: PROCESSES }, () => start(code, folder)));
    const here = open(folder);
    expect(await countOf(here)).toBe(0);
    for (const { go } of processes) go();
    const counts = await Promise.all(processes.map(({ done }) => done()));
    const all = counts.flat().map(Number);
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: PROCESSES * EACH }, (_, at) => at + 1));
    // Open since before the first change.
    expect(await countOf(here)).toBe(PROCESSES * EACH);
  });

  it('lose none that are made at once, either', async () => {
    const folder = newFolder();
    const code = `${COUNTING}
      await Promise.all(Array.from({ length: ${EACH} }, increment));
      await store.close();`;
    const processes = await Promise.all(Array.from({ length: PROCESSES }, () => start(code, folder)));
    for (const { go } of processes) go();
    await Promise.all(processes.map(({ done }) => done()));
    expect(await countOf(open(folder))).toBe(PROCESSES * EACH);
  });

  it('see at once what another has written, however busy they are', async () => {
    const folder = newFolder();
    const here = open(folder);
    expect(await here.read(['one'])).toEqual([undefined]);
    const code = `${COUNTING}
      const { existsSync } = await import('node:fs');
      const see = async () => console.log((await store.read(['one']))[0].count, (await everyCount()).length);
      const everyCount = () => store.members('counts', { order: 'ascending', limit: 100 });
      console.log(await increment());
      await see();
      // Meanwhile somebody else writes.
      while (!existsSync(argument + '/written')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      await see();
      await store.close();`;
    const other = await start(code, folder);
    other.go();
    await until(() => other.lines().length >= 2);
    expect(await countOf(here)).toBe(1);
    expect(await increment(here)).toBe(2);
    writeFileSync(join(folder, 'written'), '');
    expect(await other.done()).toEqual(['1', '1 1', '2 2']);
  });

  it('go on when one of them is killed in the middle, and so does who comes after', async () => {
    const folder = newFolder();
    const here = open(folder);
    const code = `${COUNTING}
      for (;;) console.log(await increment());`;
    let told = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = await start(code, folder);
      victim.go();
      // Something has come of it, and something is under way.
      await until(async () => {
        await increment(here);
        return victim.lines().length >= 5;
      });
      await victim.kill();
      expect(victim.lines().length).toBeGreaterThanOrEqual(5);
      // What it said was done is there.
      told = Number(victim.lines().at(-1));
      const count = await countOf(here);
      expect(count).toBeGreaterThanOrEqual(told);
      // A change that was being written when its process died shows when the next one is made.
      expect([count + 1, count + 2]).toContain(await increment(here));
    }
    const next = await start(`${COUNTING} console.log(await increment()); await store.close();`, folder);
    const count = await countOf(here);
    next.go();
    expect(await next.done()).toEqual([String(count + 1)]);
    expect(await countOf(here)).toBe(count + 1);
  });

  it('leave a usable store when the only one of them is killed', async () => {
    const folder = newFolder();
    const victim = await start(`${COUNTING} for (;;) console.log(await increment());`, folder);
    victim.go();
    await until(() => victim.lines().length >= 5);
    await victim.kill();
    const store = open(folder);
    const count = await countOf(store);
    expect(count).toBeGreaterThanOrEqual(Number(victim.lines().at(-1)));
    expect(await increment(store)).toBe(count + 1);
    expect(await countOf(store)).toBe(count + 1);
  });
});
