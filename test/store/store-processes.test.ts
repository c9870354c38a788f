/** Several processes on one LMDB folder, and disks that fail. The processes run what was built: `npm test` builds first. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { openLmdbStore } from '../../src/store/lmdb.js';
import type { Store } from '../../src/store/store.js';
import { built, killStarted, start } from '../support/in-step.js';
import { pause, until } from '../support/wait.js';

const KILLS = 5;
/** "Within a second", on a busy machine. */
const TAKEN_OVER_MS = 3_000;

const root = mkdtempSync(join(tmpdir(), 'gateway-processes-'));
const opened = new Set<Store>();
afterEach(killStarted);
afterAll(async () => {
  for (const store of opened) await store.close();
  rmSync(root, { recursive: true });
});

let folders = 0;
const newFolder = (): string => join(root, String(++folders));
const open = (folder: string): { readonly store: Store; readonly said: string[] } => {
  const said: string[] = [];
  const store = openLmdbStore(folder, {
    unavailable: (reason) => said.push(`unavailable: ${reason}`),
    available: () => said.push('available'),
  });
  opened.add(store);
  return { store, said };
};

/** Counts a record up, and a second one and an index with it. */
const COUNTING = `
  const { openLmdbStore } = await import(${built('src/store/lmdb.js')});
  const store = openLmdbStore(argument);
  const increment = (size = 1) => store.change(['one', 'other'], ([one, other]) => {
    const count = (one?.count ?? 0) + 1;
    return {
      result: count,
      put: { one: { count }, other: { count: (other?.count ?? 0) + 1, text: 'x'.repeat(size) } },
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

const isAvailable = (store: Store): Promise<boolean> =>
  store.check().then(
    () => true,
    () => false,
  );

/** How long the store is not available, in milliseconds. */
const availableAfter = async (store: Store): Promise<number> => {
  const since = performance.now();
  await until(() => isAvailable(store), Boolean, 20);
  return performance.now() - since;
};

describe('a folder', () => {
  it('belongs to one process; another one is a standby, and takes over when the first is killed', async () => {
    const folder = newFolder();
    const holder = await start(`${COUNTING} for (;;) console.log(await increment());`, folder);
    holder.go();
    await until(() => holder.lines().length >= 5);
    const { store, said } = open(folder);
    const words = new RegExp(`standby: process ${holder.child.pid} on .* holds the folder`);
    await expect(store.check()).rejects.toThrow(words);
    await expect(store.read(['one'])).rejects.toMatchObject({ code: 'store_unavailable', effect: 'none' });
    await expect(store.change([], () => ({ result: 1, put: { a: {} } }))).rejects.toThrow(words);
    await holder.kill();
    expect(await availableAfter(store)).toBeLessThan(TAKEN_OVER_MS);
    expect(await countOf(store)).toBeGreaterThanOrEqual(Number(holder.lines().at(-1)));
    expect(said).toEqual([expect.stringMatching(words), 'available']);
  });

  it('stays with a process that is stopped', async () => {
    const folder = newFolder();
    const holder = await start(`${COUNTING} for (;;) console.log(await increment());`, folder);
    holder.go();
    await until(() => holder.lines().length >= 5);
    holder.child.kill('SIGSTOP');
    const { store } = open(folder);
    await pause(1_000);
    expect(await isAvailable(store)).toBe(false);
    holder.child.kill('SIGCONT');
    const before = holder.lines().length;
    await until(() => holder.lines().length > before);
    await holder.kill();
    await availableAfter(store);
    expect(await countOf(store)).toBeGreaterThanOrEqual(Number(holder.lines().at(-1)));
  });

  it('belongs to one store of a process, too', async () => {
    const folder = newFolder();
    const first = open(folder);
    const second = open(folder);
    await first.store.change([], () => ({ result: undefined, put: { a: { kept: true } } }));
    expect([await isAvailable(first.store), await isAvailable(second.store)]).toEqual([true, false]);
    await first.store.close();
    await availableAfter(second.store);
    expect(await second.store.read(['a'])).toEqual([{ kept: true }]);
    await expect(first.store.read(['a'])).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('has all changes that a killed process saw acknowledged, and nothing by halves', async () => {
    const folder = newFolder();
    for (let kill = 0; kill < KILLS; kill++) {
      const code = `${COUNTING}
        const many = async () => { for (;;) console.log(await increment(5_000)); };
        await Promise.all(Array.from({ length: 20 }, many));`;
      const victim = await start(code, folder);
      victim.go();
      await until(() => victim.lines().length >= 40);
      await victim.kill();
      const counts = victim.lines().map(Number);
      const { store } = open(folder);
      await availableAfter(store);
      expect(await countOf(store)).toBeGreaterThanOrEqual(Math.max(...counts));
      await store.close();
    }
  });
});

describe('a disk', () => {
  /** Files of the process can grow no further than this: what writes more fails, as on a full disk. */
  const limitFiles = (pid: number, bytes: number | 'unlimited'): void => {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
    expect([status, stderr.toString()]).toEqual([0, '']);
  };

  it('that is full refuses changes, with a reason; when there is space again, it goes on by itself', async () => {
    const folder = newFolder();
    const code = `${COUNTING}
      process.stdin.on('data', async (line) => {
        const [word] = String(line).trim().split(' ');
        if (word === 'check') console.log(await store.check().then(() => 'checked', ({ code, message }) => code + ' ' + message));
        else console.log(await increment(Number(word)).then((count) => 'count ' + count, ({ code, effect }) => code + ' ' + effect));
      });
      console.log('open', await increment());
      await new Promise(() => {});`;
    const process = await start(code, folder);
    process.go();
    await until(() => process.lines().length >= 1);
    const ask = async (text: string): Promise<string> => {
      const before = process.lines().length;
      process.child.stdin?.write(`${text}\n`);
      await until(() => process.lines().length > before);
      return process.lines().at(-1) ?? '';
    };
    const { pid = 0 } = process.child;
    limitFiles(pid, statSync(join(folder, 'operations.mdb')).size);
    expect(await ask('3000000')).toBe('store_unavailable none');
    expect(await ask('3000000')).toBe('store_unavailable none');
    limitFiles(pid, 'unlimited');
    expect(await ask('check')).toBe('checked');
    expect(await ask('3000000')).toBe('count 2');
    await process.kill();
    const { store } = open(folder);
    await availableAfter(store);
    expect(await countOf(store)).toBe(2);
  });
});
