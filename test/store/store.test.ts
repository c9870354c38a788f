/** What every kind of store promises, and what Redis promises about its absence. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../src/config/error.js';
import type { GatewayError } from '../../src/errors.js';
import { openLmdbStore } from '../../src/store/lmdb.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { openRedisStore } from '../../src/store/redis.js';
import { SECRETS } from '../../src/store/secret-records.js';
import { CounterFull, type Member, type Store, type Value, WAIT_MS } from '../../src/store/store.js';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

interface Counter {
  readonly count: number;
}

let names = 0;
/** So that one store serves many tests. */
const fresh = (): string => `test-${++names}`;

const put = (store: Store, values: Record<string, Value | null>): Promise<void> =>
  store.change([], () => ({ result: undefined, put: values }));
const add = (store: Store, ...members: Member[]): Promise<void> => store.change([], () => ({ result: undefined, add: members }));
const drop = (store: Store, ...members: Member[]): Promise<void> =>
  store.change([], () => ({ result: undefined, drop: members }));

const increment = (store: Store, key: string): Promise<number> =>
  store.change<Counter, number>([key], ([counter]) => {
    const count = (counter?.count ?? 0) + 1;
    return { result: count, put: { [key]: { count } } };
  });

const everything = (store: Store, index: string): Promise<string[]> =>
  store.members(index, { order: 'ascending', limit: 10_000 });

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const itKeepsItsPromises = (storeOf: () => Store): void => {
  describe('records', () => {
    it('are read as they were put, one for each key, and are no longer there when removed', async () => {
      const store = storeOf();
      const [a, b, c] = [fresh(), fresh(), fresh()];
      const value = {
        text: 'é中😀 "\\',
        none: null,
        yes: true,
        number: 1.5,
        list: [1, [2, { three: 3 }]],
        nested: { empty: {} },
      };
      expect(await store.read([a])).toEqual([undefined]);
      await put(store, { [a]: value, [b]: { second: 2 } });
      expect(await store.read([b, c, a, b])).toEqual([{ second: 2 }, undefined, value, { second: 2 }]);
      await put(store, { [a]: { other: 1 } });
      expect(await store.read([a])).toEqual([{ other: 1 }]);
      await put(store, { [a]: null, [c]: null });
      expect(await store.read([a, b, c])).toEqual([undefined, { second: 2 }, undefined]);
    });

    it('are none for no keys', async () => {
      expect(await storeOf().read([])).toEqual([]);
    });

    it('are not shared: changing what was read or put changes nothing', async () => {
      const store = storeOf();
      const key = fresh();
      const given = { list: ['a'] };
      await put(store, { [key]: given });
      given.list.push('after it was put');
      const [read] = await store.read<{ list: string[] }>([key]);
      expect(read).toEqual({ list: ['a'] });
      read?.list.push('after it was read');
      await store.change<{ list: string[] }, void>([key], ([value]) => {
        value?.list.push('while deciding');
        return { result: undefined };
      });
      expect(await store.read([key])).toEqual([{ list: ['a'] }]);
    });
  });

  describe('a change', () => {
    it('decides upon the present values, in the order of the keys, and answers its result', async () => {
      const store = storeOf();
      const [a, b, c] = [fresh(), fresh(), fresh()];
      await put(store, { [a]: { is: 'a' }, [c]: { is: 'c' } });
      const seen = await store.change<Value, unknown>([c, b, a], (values) => ({ result: values }));
      expect(seen).toEqual([{ is: 'c' }, undefined, { is: 'a' }]);
      expect(await store.change([], (values) => ({ result: [...values] }))).toEqual([]);
    });

    it('writes values and members together', async () => {
      const store = storeOf();
      const [a, b, index] = [fresh(), fresh(), fresh()];
      await put(store, { [a]: { old: true } });
      await add(store, [index, 'old']);
      await store.change([a], () => ({
        result: undefined,
        put: { [a]: null, [b]: { new: true } },
        add: [[index, 'new']],
        drop: [[index, 'old']],
      }));
      expect(await store.read([a, b])).toEqual([undefined, { new: true }]);
      expect(await everything(store, index)).toEqual(['new']);
    });

    it('that throws while deciding writes nothing, throws that, and hinders nobody', async () => {
      const store = storeOf();
      const [key, index] = [fresh(), fresh()];
      await increment(store, key);
      const thrown = new RangeError('no');
      const failing = store.change<Counter, void>([key], () => {
        throw thrown;
      });
      const [failed, next] = await Promise.allSettled([failing, increment(store, key)]);
      expect(failed).toEqual({ status: 'rejected', reason: thrown });
      expect(next).toEqual({ status: 'fulfilled', value: 2 });
      expect(await everything(store, index)).toEqual([]);
    });

    it('is seen whole or not at all', async () => {
      const store = storeOf();
      const [a, b] = [fresh(), fresh()];
      await put(store, { [a]: { count: 0 }, [b]: { count: 0 } });
      let over = false;
      const writing = (async () => {
        for (let count = 1; count <= 100; count++) await put(store, { [a]: { count }, [b]: { count } });
        over = true;
      })();
      while (!over) {
        const [one, other] = await store.read<Counter>([a, b]);
        expect(one).toEqual(other);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writing;
      expect(await store.read([a, b])).toEqual([{ count: 100 }, { count: 100 }]);
    });

    it('is not lost among many at the same time', async () => {
      const store = storeOf();
      const key = fresh();
      const results = await Promise.all(Array.from({ length: 50 }, () => increment(store, key)));
      expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
      expect(await store.read([key])).toEqual([{ count: 50 }]);
    });

    it('moves between two records without losing or making anything', async () => {
      const store = storeOf();
      const [a, b] = [fresh(), fresh()];
      await put(store, { [a]: { count: 20 }, [b]: { count: 20 } });
      const move = (from: string, to: string): Promise<void> =>
        store.change<Counter, void>([from, to], ([source, sink]) => ({
          result: undefined,
          put: { [from]: { count: (source?.count ?? 0) - 1 }, [to]: { count: (sink?.count ?? 0) + 1 } },
        }));
      await Promise.all(Array.from({ length: 30 }, (_, at) => (at % 3 === 0 ? move(b, a) : move(a, b))));
      expect(await store.read([a, b])).toEqual([{ count: 10 }, { count: 30 }]);
    });

    it('may be of a thousand records', async () => {
      const store = storeOf();
      const [prefix, index] = [fresh(), fresh()];
      const keys = Array.from({ length: 1000 }, (_, at) => `${prefix}:${String(at).padStart(4, '0')}`);
      await store.change(keys, () => ({
        result: undefined,
        put: Object.fromEntries(keys.map((key) => [key, { key }])),
        add: keys.map((key) => [index, key] as const),
      }));
      expect(await store.read(keys)).toEqual(keys.map((key) => ({ key })));
      expect(await everything(store, index)).toEqual(keys);
      await store.change([], () => ({
        result: undefined,
        put: Object.fromEntries(keys.map((key) => [key, null])),
        drop: keys.map((key) => [index, key] as const),
      }));
      expect((await store.read(keys)).filter((value) => value !== undefined)).toEqual([]);
      expect(await everything(store, index)).toEqual([]);
    });
  });

  describe('a record of a secret', () => {
    const secret = (): { bytes: string } => ({ bytes: randomBytes(32).toString('base64url') });
    const secretKey = (): string => `${SECRETS}${fresh()}`;

    it('is read as it was put, replaced, decided upon, and no longer there when removed', async () => {
      const store = storeOf();
      const [a, b, other] = [secretKey(), secretKey(), fresh()];
      const [one, two] = [secret(), secret()];
      expect(await store.read([a])).toEqual([undefined]);
      await put(store, { [a]: one, [other]: { plain: 1 } });
      await put(store, { [b]: one });
      expect(await store.read([a, other, b])).toEqual([one, { plain: 1 }, one]);
      const seen = await store.change<Value, unknown>([a], (values) => ({ result: values, put: { [a]: two, [b]: null } }));
      expect(seen).toEqual([one]);
      expect(await store.read([a, b])).toEqual([two, undefined]);
      await put(store, { [a]: null, [b]: null });
      expect(await store.read([a, b])).toEqual([undefined, undefined]);
    });

    it('is decided upon as others are, among many at the same time', async () => {
      const store = storeOf();
      const key = secretKey();
      const move = (): Promise<string | undefined> =>
        store.change<{ bytes: string }, string | undefined>([key], ([value]) => ({
          result: value?.bytes,
          put: { [key]: secret() },
        }));
      const seen = await Promise.all(Array.from({ length: 30 }, move));
      expect(new Set(seen).size).toBe(30);
    });

    it('is not written by a change that is refused', async () => {
      const store = storeOf();
      const [key, counter] = [secretKey(), fresh()];
      const full = store.change([], () => ({
        result: undefined,
        put: { [key]: secret() },
        count: [{ counter, by: 2, atMost: 1 }],
      }));
      await expect(full).rejects.toBeInstanceOf(CounterFull);
      expect(await store.read([key])).toEqual([undefined]);
    });

    it('may be one of a thousand', async () => {
      const store = storeOf();
      const keys = Array.from({ length: 1_000 }, secretKey);
      const values = Object.fromEntries(keys.map((key) => [key, secret()]));
      await put(store, values);
      expect(await store.read(keys)).toEqual(keys.map((key) => values[key]));
      await put(store, Object.fromEntries(keys.map((key) => [key, null])));
      expect((await store.read(keys)).filter((value) => value !== undefined)).toEqual([]);
    });

    it.each([
      ['too few bytes', { bytes: Buffer.alloc(31, 7).toString('base64url') }],
      ['too many bytes', { bytes: Buffer.alloc(33, 7).toString('base64url') }],
      ['other digits', { bytes: Buffer.alloc(32, 255).toString('base64') }],
      ['more than that', { bytes: Buffer.alloc(32, 7).toString('base64url'), more: 1 }],
      ['something else', { text: 'a' }],
    ])('is refused with %s, which is not shown', async (_, value) => {
      const store = storeOf();
      const key = secretKey();
      const thrown: unknown = await put(store, { [key]: value }).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(TypeError);
      expect(String(thrown)).not.toContain(Buffer.alloc(24, 7).toString('base64url'));
      expect(await store.read([key])).toEqual([undefined]);
    });
  });

  describe('a counter', () => {
    const count = (store: Store, counter: string, by: number, atMost?: number): Promise<string> =>
      store
        .change([], () => ({
          result: 'counted',
          put: { [fresh()]: {} },
          count: [{ counter, by, ...(atMost !== undefined && { atMost }) }],
        }))
        .catch((error: Error) => error.name);

    it('of an order only rises, and who writes it does not compete with those who write lower ones', async () => {
      const store = storeOf();
      const [key, other] = [fresh(), fresh()];
      const rising = (to: (last: number) => number): Promise<number> =>
        store.change<{ last: number }, number>([key], ([record]) => {
          const next = to(record?.last ?? 0);
          return { result: next, put: { [other]: { next } }, rise: { key, to: next } };
        });
      expect(await rising(() => 5)).toBe(5);
      const tries: number[] = [];
      const at = await rising((last) => {
        tries.push(last);
        return Math.max(last + 1, 3);
      });
      expect([at, tries.at(-1)]).toEqual([6, 5]);
      const many = await Promise.all(Array.from({ length: 40 }, () => rising((last) => last + 1)));
      expect(many.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 7));
      expect(await store.read([key])).toEqual([{ last: 46 }]);
    });

    it('refuses what would make it too high, whole, and nothing that lowers it', async () => {
      const store = storeOf();
      const [counter, key] = [fresh(), fresh()];
      expect(await count(store, counter, 3, 3)).toBe('counted');
      const refused = store.change([], () => ({
        result: undefined,
        put: { [key]: {} },
        count: [
          { counter: fresh(), by: 1 },
          { counter, by: 1, atMost: 3 },
        ],
      }));
      await expect(refused).rejects.toBeInstanceOf(CounterFull);
      expect(await store.read([key])).toEqual([undefined]);
      expect(await count(store, counter, -1, 0)).toBe('counted');
      expect([await count(store, counter, 1, 3), await count(store, counter, 1, 3)]).toEqual(['counted', 'CounterFull']);
      expect(await count(store, counter, 5)).toBe('counted');
    });

    it('is exact among many at the same time', async () => {
      const store = storeOf();
      const counter = fresh();
      const all = await Promise.all(Array.from({ length: 60 }, () => count(store, counter, 1, 25)));
      expect(all.filter((result) => result === 'counted')).toHaveLength(25);
    });
  });

  describe('members of an index', () => {
    it('are none where there is no index', async () => {
      const window = { limit: 10, after: 'm' } as const;
      expect(await storeOf().members(fresh(), { order: 'ascending', limit: 10 })).toEqual([]);
      expect(await storeOf().members(fresh(), { order: 'descending', limit: 10 })).toEqual([]);
      expect(await storeOf().members(fresh(), { order: 'ascending', ...window })).toEqual([]);
      expect(await storeOf().members(fresh(), { order: 'descending', ...window })).toEqual([]);
    });

    it.each([
      ['ascending', undefined, 10, 'a b c d e'],
      ['ascending', undefined, 2, 'a b'],
      ['ascending', 'b', 2, 'c d'],
      ['ascending', 'b', 10, 'c d e'],
      ['ascending', 'bb', 2, 'c d'],
      ['ascending', '0', 2, 'a b'],
      ['ascending', 'e', 2, ''],
      ['ascending', 'z', 2, ''],
      ['ascending', undefined, 0, ''],
      ['descending', undefined, 10, 'e d c b a'],
      ['descending', undefined, 2, 'e d'],
      ['descending', 'd', 2, 'c b'],
      ['descending', 'd', 10, 'c b a'],
      ['descending', 'dd', 2, 'd c'],
      ['descending', 'z', 2, 'e d'],
      ['descending', 'a', 2, ''],
      ['descending', '0', 2, ''],
      ['descending', undefined, 0, ''],
    ] as const)('%s after %s, at most %d', async (order, after, limit, expected) => {
      const store = storeOf();
      const index = fresh();
      // Neighbours that are not to be seen.
      await add(store, [`${index}0`, 'x'], [index.slice(0, -1), 'c'], [`${index} `, 'c'], [`${index}:a`, 'c']);
      await add(store, ...['c', 'a', 'e', 'b', 'd'].map((member) => [index, member] as const));
      const members = await store.members(index, { order, limit, ...(after !== undefined && { after }) });
      expect(members.join(' ')).toBe(expected);
    });

    it('are all seen once by going on after the last one', async () => {
      const store = storeOf();
      const index = fresh();
      const all = Array.from({ length: 25 }, (_, at) => `m${String(at).padStart(2, '0')}`);
      await add(store, ...all.map((member) => [index, member] as const));
      for (const order of ['ascending', 'descending'] as const) {
        const seen: string[] = [];
        for (;;) {
          const after = seen.at(-1);
          const page = await store.members(index, { order, limit: 4, ...(after !== undefined && { after }) });
          if (page.length === 0) break;
          seen.push(...page);
        }
        expect(seen).toEqual(order === 'ascending' ? all : all.toReversed());
      }
    });

    it('are there once when added twice, and gone when dropped once', async () => {
      const store = storeOf();
      const index = fresh();
      await add(store, [index, 'a'], [index, 'b'], [index, 'a']);
      await add(store, [index, 'a']);
      expect(await everything(store, index)).toEqual(['a', 'b']);
      await drop(store, [index, 'a'], [index, 'never there'], [fresh(), 'nor is the index']);
      expect(await everything(store, index)).toEqual(['b']);
      await drop(store, [index, 'b']);
      expect(await everything(store, index)).toEqual([]);
      await add(store, [index, 'a']);
      expect(await everything(store, index)).toEqual(['a']);
    });

    it('are sorted by their bytes, not by a language', async () => {
      const store = storeOf();
      const index = fresh();
      const members = ['b', 'B', 'a', 'aa', 'a ', 'a:1', 'a-1', '10', '9', 'é', 'e', 'z', 'ß', '中', 'A', '\ufffd'];
      await add(store, ...members.map((member) => [index, member] as const));
      const sorted = members.toSorted(byBytes);
      expect(await everything(store, index)).toEqual(sorted);
      expect(await store.members(index, { order: 'descending', limit: 100 })).toEqual(sorted.toReversed());
      expect(await store.members(index, { order: 'ascending', limit: 3, after: 'a' })).toEqual(['a ', 'a-1', 'a:1']);
    });
  });

  it('answers a check', async () => {
    await expect(storeOf().check()).resolves.toBeUndefined();
  });
};

describe('the memory store', () => {
  const store = createMemoryStore();
  afterAll(() => store.close());
  itKeepsItsPromises(() => store);

  it('says that it forgets', () => {
    expect(store.durable).toBe(false);
  });
});

describe('the LMDB store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-store-'));
  const store = openLmdbStore(join(folder, 'made', 'for it'));
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  itKeepsItsPromises(() => store);

  it('says that it keeps', () => {
    expect(store.durable).toBe(true);
  });

  it('makes its folder for nobody else', () => {
    expect(statSync(join(folder, 'made', 'for it')).mode & 0o777).toBe(0o700);
  });

  it('is there after it was closed and opened again', async () => {
    const path = join(folder, 'twice');
    const [key, index] = [fresh(), fresh()];
    const before = openLmdbStore(path);
    await before.change([], () => ({ result: undefined, put: { [key]: { kept: 'é' } }, add: [[index, 'member']] }));
    await before.close();
    const after = openLmdbStore(path);
    expect(await after.read([key])).toEqual([{ kept: 'é' }]);
    expect(await everything(after, index)).toEqual(['member']);
    await after.close();
  });

  it('tells what is on disk, and decides upon what is on its way there', async () => {
    const key = fresh();
    await increment(store, key);
    const writing = increment(store, key);
    const [read, after] = await Promise.all([store.read<Counter>([key]), increment(store, key)]);
    expect(read).toEqual([{ count: 1 }]);
    expect([await writing, after]).toEqual([2, 3]);
    expect(await store.read([key])).toEqual([{ count: 3 }]);
  });

  it('refuses a folder that cannot be made, and names it', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const path = join(file, 'below');
    const opening = () => openLmdbStore(path);
    expect(opening).toThrow(ConfigError);
    expect(opening).toThrow(`store.path: the folder ${path} cannot be made (ENOTDIR)`);
  });
});

describeWithRedis('the Redis store', () => {
  let redis: TestRedis;
  let store: Store;
  const opened = new Map<Store, string[]>();
  const open = (url = redis.url): Store => {
    const lines: string[] = [];
    const another = openRedisStore(url, {
      unavailable: (reason) => lines.push(`unavailable: ${reason}`),
      available: () => lines.push('available'),
    });
    opened.set(another, lines);
    return another;
  };
  /** What the store has reported since it was asked last. */
  const saidBy = (one: Store): string[] => opened.get(one)?.splice(0) ?? [];
  beforeAll(async () => {
    redis = await startRedis();
    store = open();
  });
  afterAll(async () => {
    for (const one of opened.keys()) await one.close();
    await redis?.stop();
  });
  // One test that fails takes no other with it.
  afterEach(() => redis.up());
  itKeepsItsPromises(() => store);

  const isThere = (one: Store): Promise<boolean> =>
    one.check().then(
      () => true,
      () => false,
    );
  const isBack = async (away: Store): Promise<void> => {
    await until(() => isThere(away));
  };
  /** The end of the connection has been noticed: nothing is sent into it any more. */
  const isGone = async (away: Store): Promise<void> => {
    await until(async () => !(await isThere(away)));
  };

  it('says that it keeps', () => {
    expect(store.durable).toBe(true);
  });

  it('loses no change of two clients', async () => {
    const other = open();
    const key = fresh();
    await Promise.all(Array.from({ length: 60 }, (_, at) => increment(at % 2 === 0 ? store : other, key)));
    expect(await store.read([key])).toEqual([{ count: 60 }]);
    expect(await other.read([key])).toEqual([{ count: 60 }]);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('is there after a restart by %s', async (ending) => {
    const [key, index] = [fresh(), fresh()];
    await store.change([], () => ({ result: undefined, put: { [key]: { count: 7 } }, add: [[index, 'member']] }));
    await redis.restart(ending);
    expect(await store.read([key])).toEqual([{ count: 7 }]);
    expect(await everything(store, index)).toEqual(['member']);
    expect(await increment(store, key)).toBe(8);
    await expect(store.check()).resolves.toBeUndefined();
  });

  it('does a change that comes while the server is away when it is back', async () => {
    // A busy machine may take longer to start a server than a change waits for it.
    for (let tries = 1; ; tries++) {
      const [key, index] = [fresh(), fresh()];
      await increment(store, key);
      await redis.down();
      const since = Date.now();
      let done = false;
      const changing = Promise.all([increment(store, key), add(store, [index, 'member'])])
        .then(([count]) => count)
        .catch(({ code }: GatewayError) => code)
        .finally(() => {
          done = true;
        });
      await new Promise((resolve) => setTimeout(resolve, 500));
      const wasEarly = done;
      await redis.up();
      const changed = await changing;
      // It was on its way when the connection ended: then it fails at once.
      if (changed === 'store_unavailable' && (wasEarly || Date.now() - since >= WAIT_MS) && tries < 5) continue;
      expect(wasEarly).toBe(false);
      expect(changed).toBe(2);
      expect(await store.read([key])).toEqual([{ count: 2 }]);
      expect(await everything(store, index)).toEqual(['member']);
      return;
    }
  });

  it('writes nothing later that was refused, and keeps nothing of it', async () => {
    const key = fresh();
    await redis.down();
    await isGone(store);
    await expect(put(store, { [key]: { written: true } })).rejects.toMatchObject({ code: 'store_unavailable', effect: 'none' });
    await redis.up();
    await isBack(store);
    expect(await store.read([key])).toEqual([undefined]);
  });

  it('does not write, when it is let go on, what it was sent while it was stopped', async () => {
    const key = fresh();
    redis.pause();
    const refused = expect(put(store, { [key]: { written: true } })).rejects.toMatchObject({ code: 'store_unavailable' });
    await refused;
    redis.resume();
    await isBack(store);
    expect(await store.read([key])).toEqual([undefined]);
  }, 30_000);

  it.each([
    ['a replica that cannot be written', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], 'READONLY'],
    ['out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'], 'OOM'],
    [
      'without enough replicas',
      ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
      ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
      'NOREPLICAS',
    ],
  ] as const)('is unavailable while Redis is %s, says why once, and notices its end by itself', async (_, begin, end, word) => {
    const key = fresh();
    saidBy(store);
    await redis.command(...begin);
    const late = open();
    for (const one of [store, late]) {
      await expect(put(one, { [key]: {} })).rejects.toMatchObject({ code: 'store_unavailable', effect: 'none' });
      await expect(one.check()).rejects.toThrow(word);
    }
    await redis.command(...end);
    for (const one of [store, late]) {
      const said: string[] = [];
      await until(() => said.push(...saidBy(one)) >= 2);
      expect(said).toEqual([expect.stringMatching(/^unavailable: /), 'available']);
    }
    await put(late, { [key]: { written: true } });
    await late.close();
    expect(await store.read([key])).toEqual([{ written: true }]);
  });

  it('closes while the server is away', async () => {
    const leaving = open();
    await leaving.check();
    await redis.down();
    opened.delete(leaving);
    await expect(leaving.close()).resolves.toBeUndefined();
    await redis.up();
    await isBack(store);
  });

  it('reports an unavailable server without waiting, and serves again when it is back', async () => {
    await isBack(store);
    saidBy(store);
    await redis.down();
    await expect(store.check()).rejects.toMatchObject({ code: 'store_unavailable', retryable: true, effect: 'none' });
    const said: string[] = [];
    await until(() => said.push(...saidBy(store)) > 0);
    expect(said).toEqual([expect.stringContaining('unavailable: cannot be reached')]);
    const late = open();
    await expect(late.check()).rejects.toMatchObject({ code: 'store_unavailable' });
    await redis.up();
    await isBack(store);
    await isBack(late);
  });

  describe('with a wrong password', () => {
    let refused: Store;
    beforeAll(() => {
      refused = open(`redis://gateway:top-secret@127.0.0.1:${redis.port}`);
    });

    it('says that the store is not available', async () => {
      await expect(refused.check()).rejects.toMatchObject({ code: 'store_unavailable' });
      const said: string[] = [];
      await until(() => said.push(...saidBy(refused)) > 0);
      expect(said[0]).toContain('WRONGPASS');
    });

    it('never shows the password, nor what is sent', async () => {
      const error: unknown = await refused.check().catch((thrown: unknown) => thrown);
      const shown = [...saidBy(refused), inspect(error, { depth: 10, showHidden: true })].join('\n');
      expect(shown).not.toContain('top-secret');
    });
  });
});
