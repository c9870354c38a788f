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
    expect((await gateway.get(path)).body).toEqual({ items: [], total: 0, nextCursor: null, incomplete: null });
    expect((await gateway.post(path, { username: 'first.user', password: 'Abcdefg1@klm' })).status).toBe(201);
    expect((await gateway.get(`${path}/first.user`)).body.clusterId).toBe('ehpc-hz-many00124');
  });

  it('are no example in the document, nor is one that is not there', async () => {
    const { ClusterId } = (await gateway.get('/openapi.json')).body.components.parameters;
    expect(JSON.stringify(ClusterId)).not.toContain('xample');
  });

  it('are looked up without asking the vendor each time', async () => {
    await gateway.get(`/clusters/${SHANHE_CLUSTER}/users`);
    shanhe.resetCalls();
    await gateway.get(`/clusters/${SHANHE_CLUSTER}/users?limit=5`);
    expect(shanhe.calls.map(({ action }) => action)).toEqual(['/user']);
  });

  it('of one account are there while another account does not answer', async () => {
    const own = await startGateway({
      server: { deadlineSeconds: 3 },
      accounts: { aliyun: { ...ehpcAccount(ehpc), discover: true }, jinan: { ...shanheAccount(shanhe), discover: true } },
      clusters: [{ id: 'second', account: 'jinan', vendorClusterId: SHANHE_CLUSTER }],
    });
    ehpc.inject({ kind: 'hang', action: 'ListClusters', times: -1 });
    try {
      const { body } = await own.get('/users/u0003');
      const second = body.items.find(({ clusterId }: { clusterId: string }) => clusterId === 'second');
      expect([second.user.username, body.problems]).toMatchObject(['u0003', [{ account: 'aliyun' }]]);
    } finally {
      await own.stop();
      ehpc.clearFaults();
    }
    const discovering = await startGateway({
      server: { deadlineSeconds: 3 },
      accounts: { aliyun: { ...ehpcAccount(ehpc), discover: true }, jinan: { ...shanheAccount(shanhe), discover: true } },
    });
    ehpc.inject({ kind: 'hang', action: 'ListClusters', times: -1 });
    try {
      expect((await discovering.get(`/clusters/${SHANHE_CLUSTER}/users?limit=5`)).body.items).toHaveLength(5);
      const { body } = await discovering.get('/users/u0003');
      expect(body.items[0]).toMatchObject({ clusterId: SHANHE_CLUSTER, user: { username: 'u0003' } });
    } finally {
      await discovering.stop();
      ehpc.clearFaults();
    }
  }, 60_000);

  it('do not exist without discovery', async () => {
    const plain = await startGateway({ accounts: { aliyun: ehpcAccount(ehpc) } });
    expect((await plain.get('/clusters')).body).toEqual({ items: [], problems: [], incomplete: null });
    const { status, body } = await plain.get(`/clusters/${EHPC_CLUSTER}/users`);
    expect([status, body.code]).toEqual([404, 'cluster_not_found']);
    await plain.stop();
    const vendorClusterId = 'ehpc-hz-many00001';
    const named = await startGateway({
      accounts: { aliyun: { ...ehpcAccount(ehpc), discover: true } },
      clusters: [{ id: 'hangzhou', account: 'aliyun', vendorClusterId }],
    });
    const answer = await named.get(`/clusters/${vendorClusterId}/users`);
    await named.stop();
    expect([answer.status, answer.body.detail]).toEqual([
      404,
      `There is no cluster ${vendorClusterId}. The configuration calls it hangzhou.`,
    ]);
  });
});

describe('a cluster that two accounts show', () => {
  let ehpc: AlibabaEhpcSimulator;
  let gateway: TestGateway;
  beforeAll(async () => {
    ehpc = await startEhpc();
  });
  afterAll(() => ehpc.close());
  const start = async (more: object, clusters: object[] = []): Promise<void> => {
    const account = { ...ehpcAccount(ehpc), discover: true };
    gateway = await startGateway({ accounts: { one: { ...account, ...more }, two: { ...account, ...more } }, clusters });
  };
  const create = () => gateway.post(`/clusters/${EHPC_CLUSTER}/users`, { username: 'first.user', password: 'Abcdefg1@klm' });

  it('of different domains is read only, says why, and says so in its capabilities', async () => {
    await start({});
    const { status, body } = await create();
    expect([status, body.code]).toEqual([501, 'not_supported']);
    expect(body.detail).toContain('Give them the same domain');
    expect((await gateway.get(`/clusters/${EHPC_CLUSTER}`)).body.capabilities.features).toEqual(['list', 'get']);
    const { items } = (await gateway.get('/clusters')).body;
    expect(items.filter(({ id }: { id: string }) => id === EHPC_CLUSTER)).toMatchObject([
      { capabilities: { features: ['list', 'get'] } },
    ]);
    expect((await gateway.get(`/clusters/${EHPC_CLUSTER}/users?limit=1`)).status).toBe(200);
    await gateway.stop();
  });

  it('of one domain is written to', async () => {
    await start({ domain: 'both' });
    expect((await create()).status).toBe(201);
    await gateway.stop();
  });

  it('is refused in the configuration, where it is named for different domains', async () => {
    const named = ['one', 'two'].map((account) => ({ id: `c-${account}`, account, vendorClusterId: EHPC_CLUSTER }));
    await expect(start({}, named)).rejects.toThrow('is the same cluster for the accounts one and two; give both the same domain');
    await start({ domain: 'both' }, named);
    const answers = await Promise.all(
      ['c-one', 'c-two'].map((id) => gateway.post(`/clusters/${id}/users`, { username: 'same.name', password: 'Abcdefg1@klm' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    await gateway.stop();
  });
});
