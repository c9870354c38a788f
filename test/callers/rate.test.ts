/** Requests of a caller are counted by all gateways on one Redis, and by each alone where it fails. */
import { expect, it } from '@jest/globals';
import type { Caller } from '../../src/callers/caller.js';
import { createRate } from '../../src/callers/rate.js';
import { createLimiters } from '../../src/limiters.js';
import { Secret } from '../../src/secret.js';
import { openCounters } from '../../src/store/counters.js';
import { describeWithRedis, startRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

const caller = (id: string, quota: number): Caller => ({ id, rights: [], limits: { requestsPerCallerPerMinute: quota } });

describeWithRedis('on a Redis', () => {
  it('the quota is one for all gateways, and the Redis is not needed to serve', async () => {
    const redis = await startRedis();
    const counters = [1, 2].map(() => openCounters({ kind: 'redis', url: new Secret(redis.url), path: '', leaseSeconds: 5 }));
    const [one, two] = counters.map((each) => createRate(createLimiters(each?.client))) as [
      ReturnType<typeof createRate>,
      ReturnType<typeof createRate>,
    ];
    // The first ones may come before the connections: then each counts alone.
    const early = caller('early', 1_000);
    await until(async () => {
      const first = (await one(early))?.remaining ?? 0;
      return (await two(early))?.remaining === first - 1;
    });
    const ada = caller('ada', 3);
    const remaining = [await one(ada), await two(ada), await one(ada)].map((state) => state?.remaining);
    expect(remaining).toEqual([2, 1, 0]);
    const refused = await two(ada);
    expect([refused?.isAllowed, refused?.remaining]).toEqual([false, 0]);
    expect((await one(caller('grace', 3)))?.remaining).toBe(2);
    await redis.down('SIGKILL');
    expect((await one(caller('grace', 3)))?.isAllowed).toBe(true);
    for (const each of counters) each?.close();
    await redis.stop();
  });
});
