/** The same mistake gets the same answer on every vendor; several accounts and kinds of clusters side by side. */
import { describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';

const stage = bothVendors();

describe('the same mistake, the same answer', () => {
  const both = async (
    ask: (
      cluster: string,
      seeded: string,
    ) => Promise<{ status: number; body: { code?: string; errors?: { pointer: string }[] } }>,
  ) => {
    const answers = await Promise.all([ask('ali', 'user.0003'), ask('shan', 'u0003')]);
    const told = answers.map(({ status, body }) => ({
      status,
      code: body.code,
      pointers: body.errors?.map(({ pointer }) => pointer),
    }));
    expect(told[0]).toEqual(told[1]);
    return told[0];
  };
  const post = (body: unknown) => (cluster: string) => stage.gateway.post(`/clusters/${cluster}/users`, body);

  it.each([
    ['an unknown user', (c: string) => stage.gateway.get(`/clusters/${c}/users/nobody00`), 404, 'user_not_found'],
    [
      'deleting an unknown user',
      (c: string) => stage.gateway.request('DELETE', `/clusters/${c}/users/nobody00`),
      404,
      'user_not_found',
    ],
    ['a missing password', post({ username: 'a' }), 400, 'invalid_request'],
    ['an unknown field', post({ username: 'a', password: 'b', shell: 'zsh' }), 400, 'invalid_request'],
    ['a bad name', post({ username: 'no good', password: 'Abcdefg1@klm' }), 422, 'invalid_user'],
    ['a bad password', post({ username: 'abcdef12', password: 'short' }), 422, 'invalid_user'],
    ['a role that is not given', post({ username: 'abcdef12', password: 'Abcdefg1@klm', role: 'owner' }), 422, 'invalid_user'],
    ['a role that is none', post({ username: 'abcdef12', password: 'Abcdefg1@klm', role: 'root' }), 400, 'invalid_request'],
    ['a limit too large', (c: string) => stage.gateway.get(`/clusters/${c}/users?limit=1001`), 400, 'invalid_request'],
  ] as const)('%s', async (_, ask, status, code) => {
    expect(await both(ask)).toMatchObject({ status, code });
  });

  it('a taken name', async () => {
    const told = await both((cluster, username) =>
      stage.gateway.post(`/clusters/${cluster}/users`, {
        username: cluster === 'ali' ? username : username,
        password: 'Abcdefg1@klm',
      }),
    );
    expect(told).toMatchObject({ status: 409, code: 'user_already_exists' });
  });

  it('a cluster that the vendor does not have', async () => {
    for (const cluster of ['ali-missing', 'shan-missing', 'none-at-all']) {
      for (const path of ['', '/users', '/users/nobody00']) {
        const { status, body } = await stage.gateway.get(`/clusters/${cluster}${path}`);
        expect([cluster, path, status, body.code]).toEqual([cluster, path, 404, 'cluster_not_found']);
      }
      const created = await stage.gateway.post(`/clusters/${cluster}/users`, { username: 'abcdef12', password: 'Abcdefg1@klm' });
      expect([created.status, created.body.code]).toEqual([404, 'cluster_not_found']);
    }
  });

  it('a cluster that is not ready', async () => {
    for (const [cluster, username] of [
      ['ali-broken', 'abcdef12'],
      ['shan-stopped', 'abcdef12'],
    ]) {
      const { status, body } = await stage.gateway.post(`/clusters/${cluster}/users`, { username, password: 'Abcdefg1@klm' });
      expect([cluster, status, body.code]).toEqual([cluster, 409, 'cluster_not_ready']);
    }
  });
});

describe('capabilities of one cluster', () => {
  it('a shared Shanhe cluster takes no new users and loses none, and says so', async () => {
    const { body: cluster } = await stage.gateway.get('/clusters/shan-shared');
    expect(cluster.capabilities.features).toEqual(['list', 'get', 'setPassword']);
    const created = await stage.gateway.post('/clusters/shan-shared/users', { username: 'abc', password: 'Abcdefg1@klm' });
    expect([created.status, created.body.code]).toEqual([501, 'not_supported']);
    expect((await stage.gateway.request('DELETE', '/clusters/shan-shared/users/usr-vceaHsJu')).status).toBe(501);
    expect((await stage.gateway.get('/clusters/shan-shared/users')).body.items).toMatchObject([
      { username: 'usr-vceaHsJu', role: 'owner' },
    ]);
    const path = '/clusters/shan-shared/users/usr-vceaHsJu/password';
    expect((await stage.gateway.request('PUT', path, { body: { password: 'Abcdefg1@klm' } })).status).toBe(204);
  });

  it('refuses a directoryMode where there is none, and passes it on where there is', async () => {
    const user = { username: 'dirmode1', password: 'Abcdefg1@klm', directoryMode: '700' };
    const refused = await stage.gateway.post('/clusters/ali/users', user);
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, '/directoryMode']);
    expect((await stage.gateway.post('/clusters/shan/users', user)).status).toBe(201);
    expect((await stage.gateway.get('/clusters/shan/users/dirmode1?include=vendor')).body.vendor.attributes.mod).toBe('700');
  });

  it('a denied state is told as such where the vendor has one code for both', async () => {
    stage.shanhe.inject({ kind: 'vendor_error', code: '1400', action: '/user/addUser' });
    const { status, body } = await stage.gateway.post('/clusters/shan/users', { username: 'denied', password: 'Abcdefg1@klm' });
    expect([status, body.code]).toEqual([502, 'vendor_permission_denied']);
  });
});

describe('several accounts', () => {
  it('lists what it can when one account fails, and says which', async () => {
    stage.shanhe.inject({ kind: 'vendor_error', code: '1200', action: '/cluster/list', times: -1 });
    const { status, body } = await stage.gateway.get('/clusters');
    expect(status).toBe(200);
    expect(body.problems).toHaveLength(2);
    expect(body.problems).toMatchObject([
      { account: 'jinan', problem: { code: 'vendor_credentials_rejected', detail: expect.stringContaining('(account jinan)') } },
      { account: 'aliyun', problem: { code: 'cluster_not_found', detail: expect.stringContaining('ehpc-hz-missing001') } },
    ]);
    const states = Object.fromEntries(body.items.map(({ id, state }: { id: string; state: string }) => [id, state]));
    expect(states).toMatchObject({ ali: 'ready', 'ali-broken': 'error', shan: 'unknown' });
  });

  it('does not call a cluster unknown while an account that may have it fails', async () => {
    stage.shanhe.inject({ kind: 'vendor_error', code: '1200', action: '/cluster/list', times: -1 });
    const { status, body } = await stage.gateway.get('/clusters/ehpc-undecided/users');
    expect([status, body.code]).toEqual([502, 'vendor_credentials_rejected']);
  });

  it('names a configured cluster by its configured id only', async () => {
    const { body } = await stage.gateway.get('/clusters');
    const ids = body.items.map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(EHPC_CLUSTER);
  });
});
