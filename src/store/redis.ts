import { Redis } from 'ioredis';
import { GatewayError } from '../errors.js';
import type { Decision, Store, Value } from './store.js';

/** All keys in one hash slot, so that a Redis cluster takes them together. */
export const PREFIX = '{hpc-gateway}';

/**
 * Writes only when every key still has the value that was decided upon. Sent again by the client after a lost connection it finds its
 * own values and refuses, which is why decisions have to be indifferent to being made again.
 */
const CHANGE = `
local reads, puts, adds, drops = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local key, arg = 0, 4
for i = 1, reads do
  if (redis.call('GET', KEYS[key + i]) or '') ~= ARGV[arg + i] then return 0 end
end
key, arg = key + reads, arg + reads
for i = 1, puts do
  if ARGV[arg + i] == '' then redis.call('DEL', KEYS[key + i]) else redis.call('SET', KEYS[key + i], ARGV[arg + i]) end
end
key, arg = key + puts, arg + puts
for i = 1, adds do redis.call('ZADD', KEYS[key + i], 0, ARGV[arg + i]) end
key, arg = key + adds, arg + adds
for i = 1, drops do redis.call('ZREM', KEYS[key + i], ARGV[arg + i]) end
return 1
`;

type ChangeCommand = { change(keyCount: number, ...rest: (string | number)[]): Promise<number> };

const CHECK_MS = 2_000;

const recordKey = (key: string): string => `${PREFIX}:record:${key}`;
const indexKey = (name: string): string => `${PREFIX}:index:${name}`;

/** Waits for a Redis that is away: what is to be written is written when it is back. */
export const connectRedis = (url: string): Redis => new Redis(url, { maxRetriesPerRequest: null, lazyConnect: false });

/** A Redis that the gateways of many machines share. */
export const openRedisStore = (url: string, onError: (error: Error) => void): Store => {
  const redis = connectRedis(url);
  redis.on('error', onError);
  redis.defineCommand('change', { lua: CHANGE });
  const change = (redis as unknown as ChangeCommand).change.bind(redis);
  const texts = async (keys: readonly string[]): Promise<(string | null)[]> =>
    keys.length === 0 ? [] : redis.mget(keys.map(recordKey));
  const parse = <T extends Value>(text: string | null): T | undefined => (text === null ? undefined : (JSON.parse(text) as T));

  return {
    durable: true,
    read: async <T extends Value>(keys: readonly string[]) => (await texts(keys)).map((text) => parse<T>(text)),

    change: async <T extends Value, Result>(
      keys: readonly string[],
      decide: (values: readonly (T | undefined)[]) => Decision<Result>,
    ): Promise<Result> => {
      for (;;) {
        const current = await texts(keys);
        const { result, put = {}, add = [], drop = [] } = decide(current.map((text) => parse<T>(text)));
        const puts = Object.entries(put);
        if (puts.length + add.length + drop.length === 0) return result;
        const all = [
          ...keys.map(recordKey),
          ...puts.map(([key]) => recordKey(key)),
          ...[...add, ...drop].map(([name]) => indexKey(name)),
        ];
        const done = await change(
          all.length,
          ...all,
          ...[keys.length, puts.length, add.length, drop.length],
          ...current.map((text) => text ?? ''),
          ...puts.map(([, value]) => (value === null ? '' : JSON.stringify(value))),
          ...[...add, ...drop].map(([, member]) => member),
        );
        if (done === 1) return result;
      }
    },

    members: async (index, { order, limit, after }) =>
      order === 'ascending'
        ? redis.zrange(indexKey(index), after === undefined ? '-' : `(${after}`, '+', 'BYLEX', 'LIMIT', 0, limit)
        : redis.zrange(indexKey(index), after === undefined ? '+' : `(${after}`, '-', 'BYLEX', 'REV', 'LIMIT', 0, limit),

    check: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new GatewayError('store_unavailable', 'Redis does not answer.')), CHECK_MS);
      });
      await Promise.race([redis.ping(), late]).finally(() => clearTimeout(timer));
    },

    close: async () => {
      redis.disconnect();
    },
  };
};
