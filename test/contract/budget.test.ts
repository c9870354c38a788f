/** An account calls its vendor no more often than its budget allows, and says so without a call. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { SHANHE_CLUSTER, shanheAccount, startShanhe } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const PASSWORD = 'Abcdefg1@klm';

let shanhe: ShanheHpcSimulator;
let gateway: TestGateway;

const start = async (budget?: object): Promise<void> => {
  const { budget: _, ...account } = shanheAccount(shanhe) as { readonly budget: object };
  gateway = await startGateway({
    server: { settleSeconds: 0, drainSeconds: 0 },
    accounts: { jinan: { ...account, ...(budget && { budget }) } },
    clusters: [{ id: 'shan', account: 'jinan', vendorClusterId: SHANHE_CLUSTER }],
  });
};
beforeEach(async () => {
  shanhe = await startShanhe();
});
afterEach(async () => {
  await gateway.stop();
  await shanhe.close();
});

const readWindow = () => gateway.get('/clusters/shan/users?limit=5');
const left = async () => (await gateway.get('/accounts/jinan')).body.budget;

describe('the budget of an account', () => {
  it('is 2,000 calls an hour at Shanhe, and shows what is left at the account and its clusters', async () => {
    await start();
    expect((await left()).remaining).toBe(2_000);
    await readWindow();
    const { remaining, resetsAt } = await left();
    expect(remaining).toBe(2_000 - shanhe.calls.length);
    expect(Date.parse(resetsAt) - Date.now()).toBeGreaterThan(3_500_000);
    const { body } = await gateway.get('/clusters/shan');
    expect(body.budget.remaining).toBe(2_000 - shanhe.calls.length);
  });

  it('that is empty answers 429 with Retry-After, and the vendor is not called', async () => {
    await start({ calls: 10, perSeconds: 3_600 });
    for (let asked = 0; asked < 7; asked++) expect((await readWindow()).status).toBe(200);
    const { status, body, headers } = await readWindow();
    expect([status, body.code, body.retryable]).toEqual([429, 'vendor_rate_limited', true]);
    expect(body.detail).toContain('Nothing was sent');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(3_500);
    expect(headers.get('ratelimit')).toBeNull();
    expect(shanhe.calls).toHaveLength(7);
    // Nothing is wrong with the vendor.
    expect((await gateway.get('/accounts/jinan')).body).toMatchObject({
      state: 'ok',
      breaker: 'closed',
      budget: { remaining: 3 },
    });
  });

  it('keeps a part for writes when reads have taken theirs', async () => {
    await start({ calls: 100, perSeconds: 3_600 });
    await until(
      async () => (await readWindow()).status,
      (status) => status === 429,
    );
    expect((await gateway.post('/clusters/shan/users', { username: 'newone', password: PASSWORD })).status).toBe(201);
  });

  it('comes back with the next window', async () => {
    await start({ calls: 20, perSeconds: 6 });
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await readWindow()).status));
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    await until(
      async () => (await readWindow()).status,
      (status) => status === 200,
      200,
    );
  });

  it('has nothing for what the vendor refused, for as long as it says', async () => {
    await start({ calls: 1_000, perSeconds: 3_600 });
    shanhe.inject({ kind: 'throttle', times: 1, retryAfterSeconds: 60 });
    expect((await readWindow()).status).toBe(429);
    const called = shanhe.calls.length;
    const { status, headers } = await readWindow();
    expect([status, shanhe.calls.length]).toEqual([429, called]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(50);
  });

  it('has to be whole numbers that can be', async () => {
    await expect(start({ calls: 0, perSeconds: 10 })).rejects.toThrow('accounts.jinan.budget.calls');
    await start();
  });
});
