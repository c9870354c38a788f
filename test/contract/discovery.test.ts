import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AlibabaEhpcSimulator } from '../../simulators/alibaba-ehpc/index.js';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { EHPC_CLUSTER, ehpcAccount, SHANHE_CLUSTER, shanheAccount, startEhpc, startShanhe } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

describe('discovered clusters', () => {
  let ehpc: AlibabaEhpcSimulator;
  let shanhe: ShanheHpcSimulator;
  let gateway: TestGateway;
  beforeAll(async () => {
    const clusters = Array.from({ length: 125 }, (_, index) => ({
      id: `ehpc-hz-many${String(index).padStart(5, '0')}`,
      name: `many ${index}`,
      status: 'running',
      users: [],
    }));
    ehpc = await startEhpc({ clusters });
    shanhe = await startShanhe();
    gateway = await startGateway({
      accounts: { aliyun: { ...ehpcAccount(ehpc), discover: true }, jinan: { ...shanheAccount(shanhe), discover: true } },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([ehpc.close(), shanhe.close()]);
  });

  it('are listed over every vendor page, under the vendor’s ids', async () => {
    const { body } = await gateway.get('/clusters');
    expect(body.problems).toEqual([]);
    expect(body.items.filter(({ vendor }: { vendor: string }) => vendor === 'alibaba-ehpc')).toHaveLength(125);
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(['ehpc-hz-many00124', SHANHE_CLUSTER]));
    expect(body.items.every(({ discovered }: { discovered: boolean }) => discovered)).toBe(true);
  });

  it('are read and written like configured ones', async () => {
    expect((await gateway.get(`/clusters/${SHANHE_CLUSTER}`)).body).toMatchObject({
      id: SHANHE_CLUSTER,
      discovered: true,
      zone: 'jn1a',
    });
    expect((await gateway.get(`/clusters/${SHANHE_CLUSTER}/users?offset=249`)).body.items).toHaveLength(1);
    const path = '/clusters/ehpc-hz-many00124/users';
    expect((await gateway.get(path)).body).toEqual({ items: [], total: 0, nextCursor: null });
    expect((await gateway.post(path, { username: 'first.user', password: 'Abcdefg1@klm' })).status).toBe(201);
    expect((await gateway.get(`${path}/first.user`)).body.clusterId).toBe('ehpc-hz-many00124');
  });

  it('are looked up without asking the vendor each time', async () => {
    await gateway.get(`/clusters/${SHANHE_CLUSTER}/users`);
    shanhe.resetCalls();
    await gateway.get(`/clusters/${SHANHE_CLUSTER}/users?limit=5`);
    expect(shanhe.calls.map(({ action }) => action)).toEqual(['/user']);
  });

  it('do not exist without discovery', async () => {
    const plain = await startGateway({ accounts: { aliyun: ehpcAccount(ehpc) } });
    expect((await plain.get('/clusters')).body).toEqual({ items: [], problems: [] });
    const { status, body } = await plain.get(`/clusters/${EHPC_CLUSTER}/users`);
    expect([status, body.code]).toEqual([404, 'cluster_not_found']);
    await plain.stop();
  });
});
