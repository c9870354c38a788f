/** What waits for one account is bounded, and holds up no other account. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AlibabaEhpcSimulator } from '../../simulators/alibaba-ehpc/index.js';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { EHPC_CLUSTER, ehpcAccount, SHANHE_CLUSTER, shanheAccount, startEhpc } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const PASSWORD = 'Abcdefg1@klm';
const SECOND_CLUSTER = 'ehpc-second01';
const MAX_OPEN = 20;
/** More than a domain works on at once. */
const WAITING = 1_100;
const AT_ONCE = 100;
/** A create takes some tens of milliseconds; who is held up waits for minutes. */
const SOON_MS = 10_000;

let ehpc: AlibabaEhpcSimulator;
let shanhe: ShanheHpcSimulator;
let gateway: TestGateway;
let fresh = 0;
const newName = (): string => `b${++fresh}`;

const start = async (limits: object): Promise<void> => {
  gateway = await startGateway({
    server: { settleSeconds: 0.5, drainSeconds: 0 },
    limits,
    accounts: { aliyun: { ...ehpcAccount(ehpc), listing: 'sync' }, jinan: shanheAccount(shanhe) },
    clusters: [
      { id: 'ali', account: 'aliyun', vendorClusterId: EHPC_CLUSTER },
      { id: 'shan', account: 'jinan', vendorClusterId: SHANHE_CLUSTER },
      { id: 'shan-2', account: 'jinan', vendorClusterId: SECOND_CLUSTER },
    ],
  });
};
beforeEach(async () => {
  ehpc = await startEhpc();
  shanhe = await startShanheHpc({
    jobMs: 50,
    clusters: [SHANHE_CLUSTER, SECOND_CLUSTER].map((id) => ({
      id,
      name: id,
      type: 'ehpc' as const,
      status: 'active',
      users: [],
    })),
  });
});
afterEach(async () => {
  await gateway.stop();
  await Promise.all([ehpc.close(), shanhe.close()]);
});

const throttle = (): void => shanhe.inject({ kind: 'throttle', action: '/user/addUser', times: -1, retryAfterSeconds: 1 });
const batch = (cluster: string, count: number) =>
  gateway.request('POST', `/clusters/${cluster}/users/batch`, {
    body: { items: Array.from({ length: count }, () => ({ op: 'create', username: newName(), password: PASSWORD })) },
    headers: { prefer: 'respond-async' },
  });

describe('the backlog', () => {
  it('of an account has an end, of which one cluster may use half', async () => {
    await start({ maxOpenItems: MAX_OPEN });
    throttle();
    expect((await batch('shan', MAX_OPEN / 2)).status).toBe(202);
    const refused = await batch('shan', 1);
    expect([refused.status, refused.body.code, refused.body.retryable]).toEqual([503, 'backlog_full', true]);
    expect(refused.body.detail).toContain('Nothing was begun.');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await batch('shan-2', MAX_OPEN / 2)).status).toBe(202);
    expect((await batch('shan-2', 1)).status).toBe(503);
    expect((await gateway.get('/operations?clusterId=shan')).body.items).toHaveLength(1);
    // Of another account, nothing waits.
    expect((await batch('ali', 1)).status).toBe(202);
  });

  it('has places again for what has ended', async () => {
    await start({ maxOpenItems: MAX_OPEN });
    for (let round = 0; round < 3; round++) {
      const { body } = await batch('shan', MAX_OPEN / 2);
      await until(async () => (await gateway.get(`/operations/${body.id}`)).body.done === true);
    }
  });

  it('of one account holds up no write to another one', async () => {
    await start({});
    throttle();
    for (let begun = 0; begun < WAITING; begun += AT_ONCE) {
      const accepted = await Promise.all(Array.from({ length: AT_ONCE }, () => batch('shan', 1)));
      expect(new Set(accepted.map(({ status }) => status))).toEqual(new Set([202]));
    }
    const since = Date.now();
    const { status } = await gateway.post('/clusters/ali/users', { username: 'healthy.one', password: PASSWORD });
    expect([status, Date.now() - since < SOON_MS]).toEqual([201, true]);
  });
});
