/** What Redis' append-only file has of secrets that were deleted, and who asks for it to be rewritten. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { openRedisStore } from '../../src/store/redis.js';
import type { Store } from '../../src/store/store.js';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

/** That somebody has asked. */
const MARK = '{hpc-gateway}:rewritten';
const HOUR_MS = 3_600_000;

describeWithRedis('the append-only file of Redis', () => {
  let redis: TestRedis;
  let client: Redis;
  const stores: Store[] = [];
  beforeEach(async () => {
    redis = await startRedis();
    client = new Redis(redis.url);
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    client.disconnect();
    await redis.stop();
  });

  const open = async (url = redis.url) => {
    const notes: string[] = [];
    const store = openRedisStore(url, {
      unavailable: () => undefined,
      available: () => undefined,
      note: (text) => void notes.push(text),
    });
    stores.push(store);
    await store.check();
    return { store, notes };
  };
  let names = 0;
  const putAndRemove = async (store: Store, count = 1): Promise<string[]> => {
    const secrets = Array.from({ length: count }, () => ({ bytes: randomBytes(32).toString('base64url') }));
    const keys = secrets.map(() => `secret:${++names}`);
    const put = (of: (at: number) => object | null): Promise<void> =>
      store.change([], () => ({ result: undefined, put: Object.fromEntries(keys.map((key, at) => [key, of(at)])) }));
    await put((at) => secrets[at] as object);
    await put(() => null);
    expect(await store.read(keys)).toEqual(keys.map(() => undefined));
    return secrets.map(({ bytes }) => bytes);
  };
  const calls = async (command: string): Promise<number> =>
    Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(await client.info('commandstats'))?.[1] ?? 0);
  const inFiles = (texts: readonly string[]): string[] => {
    const folder = join(redis.folder, 'appendonlydir');
    // Files come and go while the server rewrites them.
    const read = (name: string): string => {
      try {
        return readFileSync(join(folder, name), 'latin1');
      } catch {
        return '';
      }
    };
    const content = readdirSync(folder).map(read);
    return texts.filter((text) => content.some((each) => each.includes(text)));
  };

  it('has no secret that was deleted, once it is rewritten; not before somebody else’s hour is over', async () => {
    await client.set(MARK, '', 'PX', 6_000);
    const { store } = await open();
    const secrets = await putAndRemove(store, 20);
    expect(inFiles(secrets)).toEqual(secrets);
    expect(await calls('bgrewriteaof')).toBe(0);
    await until(() => inFiles(secrets).length === 0);
    expect(await calls('bgrewriteaof')).toBe(1);
    expect(await client.pttl(MARK)).toBeGreaterThan(HOUR_MS - 60_000);
  });

  it('is rewritten at most once an hour for two gateways', async () => {
    const [one, other] = [await open(), await open()];
    const secrets = [...(await putAndRemove(one.store)), ...(await putAndRemove(other.store))];
    await until(async () => (await calls('bgrewriteaof')) === 1);
    // The other has asked, and waits.
    await until(async () => (await calls('pttl')) === 1);
    await until(() => inFiles(secrets).length === 0);
    await putAndRemove(one.store);
    await putAndRemove(other.store);
    expect(await calls('bgrewriteaof')).toBe(1);
    expect([...one.notes, ...other.notes]).toEqual([]);
  });

  it.each([
    ['rewrite it', '-bgrewriteaof'],
    ['ask whether there is one', '-info'],
  ])('is left to the operator where the account may not %s, which is noted once', async (_, permission) => {
    await client.acl('SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', permission);
    const { store, notes } = await open(`redis://limited:secret@127.0.0.1:${redis.port}`);
    await putAndRemove(store, 3);
    await until(() => notes.length > 0);
    await putAndRemove(store, 3);
    expect(notes).toEqual([expect.stringMatching(/does not let the gateway rewrite its append-only file \(NOPERM\)/)]);
    await expect(store.check()).resolves.toBeUndefined();
    expect(await calls('bgrewriteaof')).toBe(0);
  });

  it('is not made where Redis has none', async () => {
    await client.config('SET', 'appendonly', 'no');
    const asked: string[] = [];
    const monitor = await client.monitor();
    monitor.on('monitor', (_, words: string[]) => void asked.push(words.join(' ').toLowerCase()));
    const { store, notes } = await open();
    await putAndRemove(store);
    await until(() => asked.includes('info persistence'));
    await putAndRemove(store);
    expect(asked.filter((words) => words.includes('bgrewriteaof') || words.includes(MARK))).toEqual([]);
    expect([await calls('bgrewriteaof'), await client.exists(MARK), notes]).toEqual([0, 0, []]);
    monitor.disconnect();
  });
});
