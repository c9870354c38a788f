import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { GatewayError } from '../errors.js';
import { type Decision, type Store, storeUnavailable, type Value } from './store.js';

/** All keys in one hash slot, so that a Redis cluster takes them together. */
export const PREFIX = '{hpc-gateway}';

/**
 * Writes only when every key still has the value that was decided upon, and it is not too late. Sent again by the client after a lost
 * connection it finds its own values and refuses, which is why decisions have to be indifferent to being made again.
 */
const CHANGE = `
local reads, puts, adds, drops = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local latest = tonumber(ARGV[5])
local time = redis.call('TIME')
if latest > 0 and time[1] * 1000 + time[2] / 1000 > latest then return -1 end
local key, arg = 0, 5
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

const LOOK_MS = 50;
const CHECK_MS = 2_000;
const LONGEST_RETRY_MS = 1_000;

const recordKey = (key: string): string => `${PREFIX}:record:${key}`;
const indexKey = (name: string): string => `${PREFIX}:index:${name}`;

/** What Redis said, without the command that it said it to: ioredis hangs that on its errors, the password of a login included. */
export const withoutCommand = (error: unknown): Error => {
  const { name, message } = error as Error;
  return Object.assign(new Error(message), { name });
};

/** A refusal, such as READONLY or OOM, is no more an answer than silence. */
const refused = (error: unknown): never => {
  if (error instanceof GatewayError) throw error;
  const { message } = withoutCommand(error);
  throw new GatewayError('store_unavailable', `The store of the gateway refuses to work (${message.split(' ')[0]}).`, {
    cause: withoutCommand(error),
  });
};

/** Waits for a Redis that is away: what is to be written is written when it is back. */
export const connectRedis = (url: string): Redis =>
  new Redis(url, { maxRetriesPerRequest: null, retryStrategy: (attempts) => Math.min(attempts * 100, LONGEST_RETRY_MS) });

/** A Redis that the gateways of many machines share. */
export const openRedisStore = (url: string, onError: (error: Error) => void): Store => {
  const redis = connectRedis(url);
  redis.on('error', (error) => onError(withoutCommand(error)));
  redis.defineCommand('change', { lua: CHANGE });
  const change = (...args: Parameters<ChangeCommand['change']>): Promise<number> =>
    (redis as unknown as ChangeCommand).change(...args).catch(refused);
  const texts = async (keys: readonly string[]): Promise<(string | null)[]> =>
    keys.length === 0 ? [] : redis.mget(keys.map(recordKey)).catch(refused);
  /** What would wait for Redis to come back is not sent at all. */
  const untilReady = async (until: number): Promise<void> => {
    while (redis.status !== 'ready') {
      if (Date.now() >= until) throw storeUnavailable();
      await sleep(LOOK_MS);
    }
  };
  /** A time of ours by the clock of Redis, in milliseconds. */
  const latestFor = async (ours: number): Promise<number> => {
    const [seconds, micros] = await redis.time().catch(refused);
    const left = Math.max(ours - Date.now(), 0);
    return Math.floor(Number(seconds) * 1000 + Number(micros) / 1000 + left);
  };
  const parse = <T extends Value>(text: string | null): T | undefined => (text === null ? undefined : (JSON.parse(text) as T));

  return {
    durable: true,
    read: async <T extends Value>(keys: readonly string[]) => (await texts(keys)).map((text) => parse<T>(text)),

    change: async <T extends Value, Result>(
      keys: readonly string[],
      decide: (values: readonly (T | undefined)[]) => Decision<Result>,
      withinMs?: number,
    ): Promise<Result> => {
      const until = withinMs === undefined ? undefined : Date.now() + withinMs;
      let late = false;
      if (until !== undefined) await untilReady(until);
      for (;;) {
        const [current, latest] = await Promise.all([texts(keys), until === undefined ? 0 : latestFor(until)]);
        const { result, put = {}, add = [], drop = [] } = decide(current.map((text) => parse<T>(text)));
        const puts = Object.entries(put);
        if (puts.length + add.length + drop.length === 0) return result;
        // What was sent again after a lost answer may have been written the first time: then there would be nothing to write.
        if (late) throw storeUnavailable();
        const all = [
          ...keys.map(recordKey),
          ...puts.map(([key]) => recordKey(key)),
          ...[...add, ...drop].map(([name]) => indexKey(name)),
        ];
        const done = await change(
          all.length,
          ...all,
          ...[keys.length, puts.length, add.length, drop.length, latest],
          ...current.map((text) => text ?? ''),
          ...puts.map(([, value]) => (value === null ? '' : JSON.stringify(value))),
          ...[...add, ...drop].map(([, member]) => member),
        );
        if (done === 1) return result;
        if (done === -1) late = true;
      }
    },

    members: async (index, { order, limit, after }) => {
      const from = after === undefined ? '' : `(${after}`;
      const range = (
        order === 'ascending'
          ? redis.zrange(indexKey(index), from || '-', '+', 'BYLEX', 'LIMIT', 0, limit)
          : redis.zrange(indexKey(index), from || '+', '-', 'BYLEX', 'REV', 'LIMIT', 0, limit)
      ) as Promise<string[]>;
      return range.catch(refused);
    },

    check: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(storeUnavailable()), CHECK_MS);
      });
      await Promise.race([redis.ping().catch(refused), late]).finally(() => clearTimeout(timer));
    },

    close: async () => {
      redis.disconnect();
    },
  };
};
