/** The key that seals stored passwords: the one that is made, and the one that is configured. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { adapters } from '../../adapters/index.js';
import { ConfigError } from '../../src/config/error.js';
import { checkConfig } from '../../src/config/load.js';
import { keyFromFile } from '../../src/store/key-file.js';
import { built, killStarted, start } from '../support/in-step.js';

const PROCESSES = 5;

const root = mkdtempSync(join(tmpdir(), 'gateway-key-'));
afterEach(killStarted);
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const newFolder = (): string => {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  return folder;
};

const problemsOf = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('the key file', () => {
  it('is made once, for nobody else to read, and gives the same key from then on', () => {
    const folder = newFolder();
    const key = keyFromFile(folder);
    const path = join(folder, 'key');
    expect(key).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const text = readFileSync(path, 'utf8');
    expect(Buffer.from(text, 'base64')).toEqual(key);
    expect(keyFromFile(folder)).toEqual(key);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(readdirSync(folder)).toEqual(['key']);
    expect(keyFromFile(newFolder())).not.toEqual(key);
  });

  it('is taken as somebody else made it', () => {
    const folder = newFolder();
    const key = Buffer.alloc(32, 7);
    for (const text of [key.toString('base64'), `${key.toString('base64')}\n`, `  ${key.toString('base64')}\r\n`]) {
      writeFileSync(join(folder, 'key'), text, { mode: 0o400 });
      expect(keyFromFile(folder)).toEqual(key);
      rmSync(join(folder, 'key'));
    }
  });

  it.each([0o640, 0o604, 0o620, 0o644, 0o601])('is refused when others may use it: mode %o', (mode) => {
    const folder = newFolder();
    keyFromFile(folder);
    const path = join(folder, 'key');
    const text = readFileSync(path, 'utf8').trim();
    chmodSync(path, mode);
    const problems = problemsOf(() => keyFromFile(folder));
    expect(problems).toEqual([`store.path: others may read ${path}, the key of the stored passwords; chmod 600 it`]);
    expect(problems.join()).not.toContain(text);
    chmodSync(path, 0o600);
    expect(keyFromFile(folder).toString('base64')).toBe(text);
  });

  it.each([
    ['nothing', ''],
    ['garbage', 'geheim geheim'],
    ['too short a key', Buffer.alloc(31, 7).toString('base64')],
    ['too long a key', Buffer.alloc(33, 7).toString('base64')],
    ['hexadecimal', Buffer.alloc(32, 7).toString('hex')],
    ['two keys', `${Buffer.alloc(32, 7).toString('base64')}\n${Buffer.alloc(32, 8).toString('base64')}`],
  ])('is refused with %s in it, which is not shown', (_, text) => {
    const folder = newFolder();
    const path = join(folder, 'key');
    writeFileSync(path, text, { mode: 0o600 });
    const problems = problemsOf(() => keyFromFile(folder));
    expect(problems).toEqual([`store.path: ${path} holds no key of 32 bytes in base64`]);
    if (text !== '') expect(problems.join()).not.toContain(text);
    // What may be somebody's only copy is not overwritten.
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('that cannot be made or read is told with the reason', () => {
    const nowhere = join(root, 'nowhere');
    expect(problemsOf(() => keyFromFile(nowhere))).toEqual([
      `store.path: the key ${join(nowhere, 'key')} cannot be made or read (ENOENT)`,
    ]);
    const folder = newFolder();
    mkdirSync(join(folder, 'key'), { mode: 0o700 });
    expect(problemsOf(() => keyFromFile(folder))).toEqual([
      `store.path: the key ${join(folder, 'key')} cannot be made or read (EISDIR)`,
    ]);
  });

  it('is one and the same for processes that start at once', async () => {
    const code = `
      const { keyFromFile } = await import(${built('src/store/key-file.js')});
      console.log(keyFromFile(argument).toString('hex'));`;
    for (let round = 0; round < 2; round++) {
      const folder = newFolder();
      const processes = await Promise.all(Array.from({ length: PROCESSES }, () => start(code, folder)));
      for (const { go } of processes) go();
      const keys = (await Promise.all(processes.map(({ done }) => done()))).flat();
      expect(keys).toEqual(Array.from({ length: PROCESSES }, () => keyFromFile(folder).toString('hex')));
      expect(readdirSync(folder)).toEqual(['key']);
    }
  });
});

describe('the configuration of the store', () => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const url = 'redis://127.0.0.1:6379';
  const check = (store: object, env = {}) =>
    checkConfig({ store, accounts: { m: { vendor: 'memory', clusters: {} } } }, adapters, env);
  const ENCRYPTION_KEY = 'store.encryptionKey: must be 32 bytes in base64; make one with: openssl rand -base64 32';
  const URL_REASON = 'store.url: must be a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6380/0';

  it('takes a key of 32 bytes, from the environment too', () => {
    expect(check({ encryptionKey: key }).store.encryptionKey?.unwrap()).toBe(key);
    expect(check({ encryptionKey: '${env:STORE_KEY}' }, { STORE_KEY: key }).store.encryptionKey?.unwrap()).toBe(key);
    expect(check({ encryptionKey: key.replace('=', '') }).store.encryptionKey?.unwrap()).toBe(key.replace('=', ''));
    const urlSafe = Buffer.alloc(32, 0xfb).toString('base64url');
    expect(check({ encryptionKey: urlSafe }).store.encryptionKey?.unwrap()).toBe(urlSafe);
  });

  it.each([
    ['too short', Buffer.alloc(31, 7).toString('base64')],
    ['too long', Buffer.alloc(33, 7).toString('base64')],
    ['hexadecimal', Buffer.alloc(32, 7).toString('hex')],
    ['a password', 'correct horse battery staple'],
    ['empty', ''],
  ])('refuses a key that is %s, and does not show it', (_, encryptionKey) => {
    const problems = problemsOf(() => check({ encryptionKey }));
    expect(problems).toEqual([ENCRYPTION_KEY]);
    if (encryptionKey !== '') expect(problems.join()).not.toContain(encryptionKey);
    const fromEnvironment = problemsOf(() => check({ encryptionKey: '${env:STORE_KEY}' }, { STORE_KEY: encryptionKey }));
    expect(fromEnvironment.at(-1)).toBe(ENCRYPTION_KEY);
    if (encryptionKey !== '') expect(fromEnvironment.join()).not.toContain(encryptionKey);
  });

  it('takes a Redis with its URL and a key', () => {
    for (const good of [url, 'rediss://user:password@redis.example.com:6380/0', 'redis://:password@[::1]:6379']) {
      const { store } = check({ kind: 'redis', url: good, encryptionKey: key });
      expect([store.kind, store.url?.unwrap()]).toEqual(['redis', good]);
    }
  });

  it('refuses a Redis without its URL or without a key, and tells both', () => {
    const noUrl = 'store.url: is missing; redis needs one, such as redis://127.0.0.1:6379';
    const noKey = expect.stringMatching(/^store\.encryptionKey: is missing; .* made with: openssl rand -base64 32$/);
    expect(problemsOf(() => check({ kind: 'redis', encryptionKey: key }))).toEqual([noUrl]);
    expect(problemsOf(() => check({ kind: 'redis', url }))).toEqual([noKey]);
    expect(problemsOf(() => check({ kind: 'redis' }))).toEqual([noUrl, noKey]);
    expect(problemsOf(() => check({ kind: 'lmdb' }))).toEqual([]);
    expect(problemsOf(() => check({ kind: 'memory' }))).toEqual([]);
  });

  it.each([
    'http://user:geheim@127.0.0.1:6379',
    'user:geheim@127.0.0.1:6379',
    '127.0.0.1:6379/geheim',
    'redis://user:geheim@127.0.0.1:99999',
    'geheim',
    '',
  ])('refuses %j for the URL of a Redis, and does not show it', (bad) => {
    const problems = problemsOf(() => check({ kind: 'redis', url: bad, encryptionKey: key }));
    expect(problems).toEqual([URL_REASON]);
    expect(problems.join()).not.toContain('geheim');
    const fromEnvironment = problemsOf(() =>
      check({ kind: 'redis', url: '${env:REDIS_URL}', encryptionKey: key }, { REDIS_URL: bad }),
    );
    expect(fromEnvironment.at(-1)).toBe(URL_REASON);
    expect(fromEnvironment.join()).not.toContain('geheim');
  });

  it('refuses what it does not know', () => {
    expect(problemsOf(() => check({ kind: 'sqlite' }))).toEqual(['store.kind: must be one of lmdb, redis, memory']);
    expect(problemsOf(() => check({ password: 'geheim' }))).toEqual(['store.password: is not a known key']);
    expect(problemsOf(() => check({ path: '' }))).toHaveLength(1);
  });
});
