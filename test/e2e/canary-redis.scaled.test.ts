import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ALL_ECHO_ROUNDS, ECHO_ROUNDS } from '../support/canary/faults.js';
import { randomText } from '../support/canary/secrets.js';
import { filesIn } from '../support/canary/stage.js';
import { runs } from '../support/mode.js';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/wait.js';
import { type CanaryStore, canary } from './canary.js';

const ACCOUNT = 'gateway';

/** The text of a value, whatever kind of value it is. */
const textOf = async (client: Redis, key: string): Promise<string> => {
  switch (await client.type(key)) {
    case 'string':
      return (await client.get(key)) ?? '';
    case 'zset':
      return (await client.zrange(key, '0', '-1')).join('\n');
    case 'set':
      return (await client.smembers(key)).join('\n');
    case 'none':
      return '';
    case 'hash':
      return JSON.stringify(await client.hgetall(key));
    default:
      throw new Error(`nothing reads values such as ${key}: ${await client.type(key)}`);
  }
};

const redisStore = (): CanaryStore => {
  const folders: string[] = [];
  const published: string[] = [];
  let redis: TestRedis;
  let client: Redis;
  let listener: Redis;

  /** What was removed is in the append-only file until then. */
  const rewrite = async (): Promise<void> => {
    await client.bgrewriteaof();
    await until(async () => /aof_rewrite_in_progress:0/.test(await client.info('persistence')));
  };
  const dump = async (): Promise<string> => {
    const keys = await client.keys('*');
    const lines = await Promise.all(keys.map(async (key) => `${key}\n${await textOf(client, key)}`));
    return lines.join('\n');
  };

  return {
    config: async (_, { watch }) => {
      redis = await startRedis();
      client = new Redis(redis.url);
      const password = watch('password of Redis', randomText(24));
      await client.acl('SETUSER', ACCOUNT, 'on', `>${password}`, '~*', '&*', '+@all');
      listener = new Redis(redis.url);
      await listener.psubscribe('*');
      listener.on('pmessage', (_pattern, channel, text) => void published.push(`${channel} ${text}`));
      return { kind: 'redis', url: `redis://${ACCOUNT}:${password}@127.0.0.1:${redis.port}/0` };
    },
    contents: async () => {
      const before = filesIn(redis.folder);
      const parts = new Map([...before].map(([name, content]) => [`before it was rewritten: ${name}`, content]));
      await rewrite();
      for (const [name, content] of filesIn(redis.folder)) parts.set(`Redis file ${name}`, content);
      parts.set('Redis keys', Buffer.from(await dump()));
      parts.set('Redis channels', Buffer.from(published.join('\n')));
      return parts;
    },
    copy: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'gateway-copy-'));
      folders.push(folder);
      await rewrite();
      const all = [await dump(), ...[...filesIn(redis.folder).values()].map((content) => content.toString('latin1'))];
      for (const [index, text] of all.entries()) writeFileSync(join(folder, `part-${index}`), text, 'latin1');
      const ownKeys = all.flatMap((each) => [...each.matchAll(/"bytes":"([\w-]{43})"/g)].map(([, bytes]) => String(bytes)));
      writeFileSync(
        join(folder, 'secrets'),
        Buffer.concat([...new Set(ownKeys)].map((bytes) => Buffer.from(bytes, 'base64url'))),
      );
      return folder;
    },
    close: async () => {
      client?.disconnect();
      listener?.disconnect();
      await redis?.stop();
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    },
  };
};

describeWithRedis('with Redis', () => {
  canary('Redis', redisStore(), { firstRound: ECHO_ROUNDS, echoRounds: runs(ECHO_ROUNDS, ALL_ECHO_ROUNDS), kills: runs(1, 5) });
});
