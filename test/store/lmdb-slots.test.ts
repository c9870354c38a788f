/** The file of own keys beside LMDB's: what is in it after a crash at each point, and what it makes of files that are something else. */
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { openLmdbStore } from '../../src/store/lmdb.js';
import type { Store, Value } from '../../src/store/store.js';
import { copyFolder } from '../support/attack.js';
import { built, killStarted, start } from '../support/in-step.js';
import { until } from '../support/wait.js';

const SLOT_BYTES = 64;
const KILLS = 5;

const root = mkdtempSync(join(tmpdir(), 'gateway-slots-'));
const copies: string[] = [];
const opened = new Set<Store>();
afterEach(async () => {
  killStarted();
  for (const store of opened) await store.close();
  opened.clear();
});
afterAll(() => {
  for (const path of [root, ...copies]) rmSync(path, { recursive: true });
});

let folders = 0;
const newFolder = (): string => join(root, String(++folders));
const copyOf = (folder: string): string => {
  const copy = copyFolder(folder);
  copies.push(copy);
  return copy;
};
const open = (folder: string): Store => {
  const store = openLmdbStore(folder);
  opened.add(store);
  return store;
};
const close = async (store: Store): Promise<void> => {
  opened.delete(store);
  await store.close();
};
const put = (store: Store, values: Record<string, Value | null>): Promise<void> =>
  store.change([], () => ({ result: undefined, put: values }));

const secret = (): { bytes: string } => ({ bytes: randomBytes(32).toString('base64url') });
const fileOf = (folder: string): string => join(folder, 'secrets');
/** The slots that are not empty. */
const filled = (folder: string): Buffer[] => {
  const bytes = readFileSync(fileOf(folder));
  const slots: Buffer[] = [];
  for (let at = SLOT_BYTES; at < bytes.length; at += SLOT_BYTES) slots.push(bytes.subarray(at, at + SLOT_BYTES));
  return slots.filter((slot) => slot.some((byte) => byte !== 0));
};
/** Whether a value is anywhere in the files of the folder, as bytes or as text. */
const isAnywhere = (folder: string, { bytes }: { bytes: string }): boolean =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)))
    .some((content) => content.includes(bytes) || content.includes(Buffer.from(bytes, 'base64url')));

/** The LMDB file of one moment, and the file of own keys of another. */
const combine = (records: string, secrets: string): string => {
  const folder = copyOf(records);
  copyFileSync(fileOf(secrets), fileOf(folder));
  return folder;
};

/** A change that is confirmed proves that recovery is over. */
const recovered = async (folder: string): Promise<Store> => {
  const store = open(folder);
  await put(store, { any: {} });
  return store;
};

describe('own keys', () => {
  it('are in a file for the owner alone, and never in the LMDB file', async () => {
    const folder = newFolder();
    const store = open(folder);
    const value = secret();
    await put(store, { 'secret:a': value, 'item:a': { index: 0 } });
    expect(statSync(fileOf(folder)).mode & 0o777).toBe(0o600);
    expect(readFileSync(fileOf(folder)).includes(Buffer.from(value.bytes, 'base64url'))).toBe(true);
    const records = readFileSync(join(folder, 'operations.mdb'));
    expect(records.includes('secret:a')).toBe(true);
    expect(records.includes(value.bytes) || records.includes(Buffer.from(value.bytes, 'base64url'))).toBe(false);
    await close(store);
    chmodSync(fileOf(folder), 0o644);
    await recovered(folder);
    expect(statSync(fileOf(folder)).mode & 0o777).toBe(0o600);
  });

  it('are nowhere as soon as the change resolves that removes or replaces them', async () => {
    const folder = newFolder();
    const store = open(folder);
    const [one, two] = [secret(), secret()];
    await put(store, { 'secret:a': one });
    await put(store, { 'secret:a': two });
    expect([isAnywhere(folder, one), isAnywhere(folder, two), filled(folder).length]).toEqual([false, true, 1]);
    await put(store, { 'secret:a': null });
    expect([isAnywhere(folder, two), filled(folder).length]).toEqual([false, 0]);
    // So many that erasing them takes longer than looking.
    const keys = Array.from({ length: 2_000 }, (_, at) => `secret:${at}`);
    for (let round = 0; round < 5; round++) {
      await put(store, Object.fromEntries(keys.map((key) => [key, secret()])));
      await Promise.all([put(store, Object.fromEntries(keys.map((key) => [key, null]))), put(store, { 'item:a': { round } })]);
      expect(filled(folder)).toHaveLength(0);
    }
  });

  it('that are put and removed in one group of changes leave nothing', async () => {
    const folder = newFolder();
    const store = open(folder);
    const values = Array.from({ length: 20 }, secret);
    await Promise.all(
      values.flatMap((value, at) => [put(store, { [`secret:${at % 3}`]: value }), put(store, { [`secret:${at % 3}`]: null })]),
    );
    expect(filled(folder)).toEqual([]);
    expect(await store.read(['secret:0', 'secret:1', 'secret:2'])).toEqual([undefined, undefined, undefined]);
  });

  it('take no more room than were ever there at once', async () => {
    const folder = newFolder();
    const store = open(folder);
    for (let round = 0; round < 10; round++) {
      const keys = Array.from({ length: 200 }, (_, at) => `secret:${round}:${at}`);
      await put(store, Object.fromEntries(keys.map((key) => [key, secret()])));
      await put(store, Object.fromEntries(keys.map((key) => [key, null])));
    }
    expect(statSync(fileOf(folder)).size).toBeLessThanOrEqual(SLOT_BYTES * 257);
    expect(filled(folder)).toEqual([]);
  });
});

describe('after a crash', () => {
  /** Copies of a folder before a secret is put, while it is there, and after it was removed. */
  const moments = async () => {
    const folder = newFolder();
    const store = open(folder);
    const [kept, value] = [secret(), secret()];
    await put(store, { 'secret:kept': kept });
    const before = copyOf(folder);
    await put(store, { 'secret:a': value, 'item:a': { sealed: true } });
    const during = copyOf(folder);
    await put(store, { 'secret:a': null, 'item:a': { sealed: false } });
    const after = copyOf(folder);
    await close(store);
    return { kept, value, before, during, after };
  };

  it('before the transaction that refers to a slot, the slot is erased', async () => {
    const { kept, value, before, during } = await moments();
    const folder = combine(before, during);
    expect(isAnywhere(folder, value)).toBe(true);
    const store = await recovered(folder);
    expect([isAnywhere(folder, value), filled(folder).length]).toEqual([false, 1]);
    expect(await store.read(['secret:a', 'secret:kept'])).toEqual([undefined, kept]);
  });

  it('after that transaction, all is there', async () => {
    const { kept, value, during } = await moments();
    const store = await recovered(during);
    expect(await store.read(['secret:a', 'secret:kept', 'item:a'])).toEqual([value, kept, { sealed: true }]);
  });

  it('between the transaction that removes it and the erasing, the slot is erased', async () => {
    const { kept, value, during, after } = await moments();
    const folder = combine(after, during);
    expect(isAnywhere(folder, value)).toBe(true);
    const store = await recovered(folder);
    expect([isAnywhere(folder, value), filled(folder).length]).toEqual([false, 1]);
    expect(await store.read(['secret:a', 'secret:kept', 'item:a'])).toEqual([undefined, kept, { sealed: false }]);
  });

  it('without the slot, which only another copy of the file lacks, the record is absent, and its number is nobody else’s', async () => {
    const { kept, before, during } = await moments();
    const folder = combine(during, before);
    const store = await recovered(folder);
    expect(await store.read(['secret:a', 'secret:kept', 'item:a'])).toEqual([undefined, kept, { sealed: true }]);
    const others = Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`secret:other:${at}`, secret()]));
    await put(store, others);
    await put(store, { 'secret:a': null });
    expect(await store.read(Object.keys(others))).toEqual(Object.values(others));
    expect(await store.read(['secret:kept'])).toEqual([kept]);
  });

  it('with a later copy of the file, a slot that is another record’s now counts as absent', async () => {
    const folder = newFolder();
    const store = open(folder);
    const [one, other] = [secret(), secret()];
    await put(store, { 'secret:a': one });
    const before = copyOf(folder);
    await put(store, { 'secret:a': null });
    await put(store, { 'secret:b': other });
    await close(store);
    const mixed = combine(before, folder);
    expect(filled(mixed)).toHaveLength(1);
    const found = await recovered(mixed);
    expect(await found.read(['secret:a', 'secret:b'])).toEqual([undefined, undefined]);
    await put(found, { 'secret:a': null });
    expect(filled(mixed)).toEqual([]);
  });

  it.each([0, 1, 63, 64, 65, 100, 1_000])(
    'with a file of %d bytes, what it lacks is absent, and the rest works',
    async (size) => {
      const { during, value } = await moments();
      const folder = copyOf(during);
      truncateSync(fileOf(folder), size);
      const store = await recovered(folder);
      const [found] = await store.read(['secret:a']);
      expect([undefined, value]).toContainEqual(found);
      const others = Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`secret:other:${at}`, secret()]));
      await put(store, others);
      await put(store, { 'secret:a': null, 'secret:kept': null });
      expect(await store.read(Object.keys(others))).toEqual(Object.values(others));
      expect(filled(folder)).toHaveLength(600);
      await close(store);
      expect(await (await recovered(folder)).read(Object.keys(others))).toEqual(Object.values(others));
    },
  );

  it('a slot of which a part is wrong counts as absent', async () => {
    const { during, value } = await moments();
    const place = readFileSync(fileOf(during)).indexOf(Buffer.from(value.bytes, 'base64url'));
    for (const at of [place - 1, place, place + 31, place + 32]) {
      const folder = copyOf(during);
      const bytes = readFileSync(fileOf(folder));
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(fileOf(folder), bytes);
      const store = await recovered(folder);
      expect(await store.read(['secret:a'])).toEqual([undefined]);
      await close(store);
    }
  });

  it('by kill -9 at any moment, nothing is lost that was confirmed, and nothing is left that was removed', async () => {
    const folder = newFolder();
    const code = `
      const { openLmdbStore } = await import(${built('src/store/lmdb.js')});
      const { createHash } = await import('node:crypto');
      const store = openLmdbStore(argument);
      const change = (decision) => store.change([], () => ({ result: undefined, ...decision }));
      const bytesOf = (name) => createHash('sha256').update(name).digest('base64url');
      const work = async (worker) => {
        for (let at = 0; ; at++) {
          const name = process.pid + '-' + worker + '-' + at;
          await change({ put: { ['secret:' + name]: { bytes: bytesOf(name) } }, add: [['open', name]] });
          console.log('put ' + name);
          if (at % 2 === 0) continue;
          console.log('removing ' + name);
          await change({ put: { ['secret:' + name]: null }, drop: [['open', name]] });
          console.log('removed ' + name);
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, worker) => work(worker)));`;
    const lines: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = await start(code, folder);
      victim.go();
      await until(() => victim.lines().length >= 100);
      await victim.kill();
      lines.push(...victim.lines());
      const store = await recovered(folder);
      const namesOf = (word: string): string[] =>
        lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
      const removing = new Set(namesOf('removing'));
      const present = await store.members('open', { order: 'ascending', limit: 100_000 });
      expect(present).toEqual(expect.arrayContaining(namesOf('put').filter((name) => !removing.has(name))));
      expect(present.filter((name) => namesOf('removed').includes(name))).toEqual([]);
      const bytesOf = (name: string): string => createHash('sha256').update(name).digest('base64url');
      const found = await store.read(present.map((name) => `secret:${name}`));
      expect(found).toEqual(present.map((name) => ({ bytes: bytesOf(name) })));
      // And no slot but theirs is in the file.
      expect(filled(folder)).toHaveLength(present.length);
      await close(store);
    }
    expect(lines.some((line) => line.startsWith('removed '))).toBe(true);
  });
});

describe('a file', () => {
  it('may be a link to another place', async () => {
    const [folder, other] = [newFolder(), newFolder()];
    mkdirSync(folder);
    mkdirSync(other);
    symlinkSync(fileOf(other), fileOf(folder));
    const value = secret();
    const store = open(folder);
    await put(store, { 'secret:a': value });
    await close(store);
    expect([lstatSync(fileOf(folder)).isSymbolicLink(), filled(other).length]).toEqual([true, 1]);
    expect(await (await recovered(folder)).read(['secret:a'])).toEqual([value]);
  });

  it('that cannot be erased is opened again, which erases it; until then the change is not confirmed', async () => {
    const folder = newFolder();
    const code = `
      const { openLmdbStore } = await import(${built('src/store/lmdb.js')});
      const { closeSync, readdirSync, readFileSync, readlinkSync } = await import('node:fs');
      const { setTimeout: sleep } = await import('node:timers/promises');
      const store = openLmdbStore(argument);
      const bytes = Buffer.alloc(32, 7);
      const put = (values) => store.change([], () => ({ result: 'done', put: values })).catch(({ code, effect }) => code + ' ' + effect);
      console.log(await put({ 'secret:a': { bytes: bytes.toString('base64url') } }));
      const pathOf = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
      for (const fd of readdirSync('/proc/self/fd')) if (pathOf(fd).endsWith('/secrets')) closeSync(Number(fd));
      console.log(await put({ 'secret:a': null }));
      while (await put({ any: {} }) !== 'done') await sleep(20);
      console.log(await store.read(['secret:a']), readFileSync(argument + '/secrets').includes(bytes));`;
    const process = await start(code, folder);
    process.go();
    await until(() => process.lines().length >= 3);
    expect(process.lines()).toEqual(['done', 'store_unavailable open', '[ undefined ] false']);
    await process.kill();
  });

  it.each([
    ['something else', Buffer.from('a list of cats, and nothing that the gateway has written, not in the least')],
    ['a later version', Buffer.concat([Buffer.from('hpc-gateway secrets 2\n'), Buffer.alloc(42)])],
    ['a short text', Buffer.from('cats')],
    ['nothing but zeros', Buffer.alloc(128)],
  ])('that is %s is not touched, and named', async (_, content) => {
    const folder = newFolder();
    await close(open(folder));
    writeFileSync(fileOf(folder), content);
    expect(() => openLmdbStore(folder)).toThrow(`${fileOf(folder)} is not the gateway's file of secrets`);
    expect(readFileSync(fileOf(folder))).toEqual(content);
  });

  it('that cannot grow refuses changes, and leaves nothing of them', async () => {
    const folder = newFolder();
    const code = `
      const { openLmdbStore } = await import(${built('src/store/lmdb.js')});
      const { spawnSync } = await import('node:child_process');
      const store = openLmdbStore(argument);
      const limit = (bytes) => spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':unlimited']);
      const many = (count) => Object.fromEntries(Array.from({ length: count }, (_, at) => ['secret:' + count + ':' + at, { bytes: Buffer.alloc(32, 200 + at % 50).toString('base64url') }]));
      const put = (values) => store.change([], () => ({ result: 'done', put: values })).catch(({ code, effect }) => code + ' ' + effect);
      console.log(await put({ 'secret:first': { bytes: Buffer.alloc(32, 1).toString('base64url') } }));
      limit(16500);
      console.log(await put(many(400)));
      limit('unlimited');
      console.log(await put({ 'item:first': {} }), await put(many(5)));
      await store.close();`;
    const process = await start(code, folder);
    process.go();
    expect(await process.done()).toEqual(['done', 'store_unavailable none', 'done done']);
    expect(filled(folder)).toHaveLength(6);
    const store = await recovered(folder);
    expect(await store.read(['secret:first', 'secret:400:0'])).toEqual([
      { bytes: Buffer.alloc(32, 1).toString('base64url') },
      undefined,
    ]);
  });
});
