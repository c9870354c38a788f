import { afterAll, beforeAll } from '@jest/globals';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { crashes, VENDORS } from './crashes.js';

export const REDIS_KEY = Buffer.alloc(32, 7).toString('base64');

export const crashesOnRedis = (vendor: keyof typeof VENDORS): void =>
  describeWithRedis('Redis', () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis.stop());

    crashes(`${vendor} on Redis`, VENDORS[vendor], async () => ({ kind: 'redis', url: redis.url, encryptionKey: REDIS_KEY }));
  });
