/** The table of errors: every vendor code in ours, and the same mistake with the same answer on every vendor. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AlibabaEhpcSimulator } from '../../simulators/alibaba-ehpc/index.js';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { EHPC_CLUSTER, ehpcAccount, SHANHE_CLUSTER, shanheAccount, startEhpc, startShanhe } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let ehpc: AlibabaEhpcSimulator;
let shanhe: ShanheHpcSimulator;
let gateway: TestGateway;

beforeAll(async () => {
  [ehpc, shanhe] = await Promise.all([startEhpc(), startShanhe()]);
});
afterAll(async () => {
  await Promise.all([ehpc.close(), shanhe.close()]);
});
/** A gateway for each test: a breaker that has opened stays with its gateway. */
beforeEach(async () => {
  gateway = await startGateway({
    server: { settleSeconds: 0, drainSeconds: 0 },
    accounts: {
      aliyun: { ...ehpcAccount(ehpc), listing: 'sync', discover: true },
      jinan: { ...shanheAccount(shanhe), discover: true },
    },
    clusters: [
      { id: 'ali', account: 'aliyun', vendorClusterId: EHPC_CLUSTER },
      { id: 'ali-broken', account: 'aliyun', vendorClusterId: 'ehpc-hz-broken0001' },
      { id: 'ali-missing', account: 'aliyun', vendorClusterId: 'ehpc-hz-missing001' },
      { id: 'shan', account: 'jinan', vendorClusterId: SHANHE_CLUSTER },
      { id: 'shan-shared', account: 'jinan', vendorClusterId: 'hpc-shared001' },
      { id: 'shan-stopped', account: 'jinan', vendorClusterId: 'ehpc-stopped1' },
      { id: 'shan-missing', account: 'jinan', vendorClusterId: 'ehpc-missing1' },
    ],
  });
});
afterEach(async () => {
  ehpc.clearFaults();
  shanhe.clearFaults();
  await gateway.stop();
});

const EHPC_ROWS = [
  ['InvalidParams', 400, 422, 'invalid_user'],
  ['InvalidParameter.Format', 400, 422, 'invalid_user'],
  ['MissingParameter', 400, 422, 'invalid_user'],
  ['ClusterNotFound', 404, 404, 'cluster_not_found'],
  ['AgentError.Account.UserNotExist', 406, 404, 'user_not_found'],
  ['UserNotFound', 404, 404, 'user_not_found'],
  ['AgentError.Account.UserAlreadyExist', 406, 409, 'user_already_exists'],
  ['InvalidClusterStatus', 403, 409, 'cluster_not_ready'],
  ['ManagerNotFound', 404, 409, 'cluster_not_ready'],
  ['ConflictOpt', 403, 409, 'cluster_not_ready'],
  ['InvalidOpt', 400, 409, 'cluster_not_ready'],
  ['Throttling', 400, 429, 'vendor_rate_limited'],
  ['Throttling.User', 429, 429, 'vendor_rate_limited'],
  ['Throttling.Api', 400, 429, 'vendor_rate_limited'],
  ['Rejected.Throttling', 400, 429, 'vendor_rate_limited'],
  ['InvalidAccessKeyId.NotFound', 404, 502, 'vendor_credentials_rejected'],
  ['InvalidAccessKeyId.Inactive', 400, 502, 'vendor_credentials_rejected'],
  ['SignatureDoesNotMatch', 400, 502, 'vendor_credentials_rejected'],
  ['IncompleteSignature', 400, 502, 'vendor_credentials_rejected'],
  ['MissingAccessKeyId', 400, 502, 'vendor_credentials_rejected'],
  ['InvalidSecurityToken.Expired', 400, 502, 'vendor_credentials_rejected'],
  ['MissingSecurityToken', 400, 502, 'vendor_credentials_rejected'],
  ['NotAuthorized', 407, 502, 'vendor_permission_denied'],
  ['Forbidden.RAM', 403, 502, 'vendor_permission_denied'],
  ['InDebt', 400, 502, 'vendor_account_problem'],
  ['NotEnabled', 400, 502, 'vendor_account_problem'],
  ['InvalidTimeStamp.Expired', 400, 502, 'vendor_clock_skew'],
  ['IllegalTimestamp', 400, 502, 'vendor_clock_skew'],
  ['SignatureNonceUsed', 400, 503, 'vendor_unavailable'],
  ['InvalidAction.NotFound', 404, 502, 'vendor_bad_response'],
  ['InvalidApi.NotFound', 404, 502, 'vendor_bad_response'],
  ['AgentError', 406, 502, 'cluster_agent_failed'],
  ['AgentError.Account.GetUserListFailure', 406, 502, 'cluster_agent_failed'],
  ['EcsError', 406, 502, 'cluster_agent_failed'],
  ['AliyunError', 406, 502, 'cluster_agent_failed'],
  ['ServiceUnavailable', 503, 503, 'vendor_unavailable'],
  ['InternalError', 500, 503, 'vendor_unavailable'],
  ['UnknownError', 500, 503, 'vendor_unavailable'],
  ['InvalidSignatureMethod', 400, 502, 'vendor_bad_response'],
  ['UnsupportedHTTPMethod', 400, 502, 'vendor_bad_response'],
  ['NoSuchVersion', 400, 502, 'vendor_bad_response'],
  ['SomethingNew', 400, 502, 'vendor_bad_response'],
  ['SomethingNew', 500, 503, 'vendor_unavailable'],
] as const;

describe('E-HPC codes', () => {
  it.each(EHPC_ROWS)('%s (HTTP %i) → %i %s', async (code, vendorStatus, status, ours) => {
    ehpc.inject({
      kind: 'vendor_error',
      code,
      status: vendorStatus,
      message: 'The vendor’s words.',
      action: 'ListUsers',
      times: -1,
    });
    const { status: got, body, headers } = await gateway.get('/clusters/ali/users');
    expect([got, body.code]).toEqual([status, ours]);
    expect(body.vendor).toEqual({
      name: 'alibaba-ehpc',
      code,
      message: 'The vendor’s words.',
      requestId: expect.stringMatching(/^[0-9A-F-]{36}$/),
      status: vendorStatus,
    });
    expect(headers.has('retry-after')).toBe(status === 429 || status === 503);
  });
});

const SHANHE_ROWS = [
  ['1100', 422, 'invalid_user'],
  ['1101', 422, 'invalid_user'],
  ['1200', 502, 'vendor_credentials_rejected'],
  ['1300', 502, 'vendor_clock_skew'],
  ['1400', 502, 'vendor_permission_denied'],
  ['2100', 404, 'cluster_not_found'],
  ['2110', 409, 'user_already_exists'],
  ['2400', 502, 'vendor_account_problem'],
  ['2500', 429, 'vendor_rate_limited'],
  ['5000', 502, 'cluster_agent_failed'],
  ['5100', 503, 'vendor_unavailable'],
  ['5200', 503, 'vendor_unavailable'],
  ['5300', 503, 'vendor_unavailable'],
  ['1660', 502, 'vendor_bad_response'],
] as const;

describe('Shanhe codes', () => {
  it.each(SHANHE_ROWS)('%s → %i %s', async (code, status, ours) => {
    shanhe.inject({ kind: 'vendor_error', code, message: 'SomeClass, the vendor’s words', action: '/user', times: -1 });
    const { status: got, body, headers } = await gateway.get('/clusters/shan/users');
    expect([got, body.code]).toEqual([status, ours]);
    expect(body.vendor).toMatchObject({ name: 'shanhe-hpc', code, requestId: null, status: 200 });
    expect(headers.has('retry-after')).toBe(status === 429 || status === 503);
  });

  it('asks for a long pause when the quota is used up, and does not try again by itself', async () => {
    shanhe.inject({ kind: 'throttle', action: '/user', times: -1 });
    shanhe.resetCalls();
    const { headers } = await gateway.get('/clusters/shan/users');
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(60);
    expect(shanhe.calls).toHaveLength(1);
  });
});

describe('HTTP statuses without a body that can be read', () => {
  it.each([
    [401, 502, 'vendor_bad_response'],
    [403, 502, 'vendor_bad_response'],
    [404, 502, 'vendor_bad_response'],
    [407, 502, 'vendor_bad_response'],
    [429, 429, 'vendor_rate_limited'],
    [500, 503, 'vendor_unavailable'],
    [502, 503, 'vendor_unavailable'],
    [503, 503, 'vendor_unavailable'],
  ] as const)('HTML with %i → %i %s on both', async (vendorStatus, status, code) => {
    ehpc.inject({ kind: 'html', status: vendorStatus, action: 'ListUsers', times: -1 });
    shanhe.inject({ kind: 'html', status: vendorStatus, action: '/user', times: -1 });
    for (const cluster of ['ali', 'shan']) {
      const { status: got, body, text } = await gateway.get(`/clusters/${cluster}/users`);
      expect([cluster, got, body.code]).toEqual([cluster, status, code]);
      expect(text).not.toContain('<');
    }
  });
});

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
  const post = (body: unknown) => (cluster: string) => gateway.post(`/clusters/${cluster}/users`, body);

  it.each([
    ['an unknown user', (c: string) => gateway.get(`/clusters/${c}/users/nobody00`), 404, 'user_not_found'],
    [
      'deleting an unknown user',
      (c: string) => gateway.request('DELETE', `/clusters/${c}/users/nobody00`),
      404,
      'user_not_found',
    ],
    ['a missing password', post({ username: 'a' }), 400, 'invalid_request'],
    ['an unknown field', post({ username: 'a', password: 'b', shell: 'zsh' }), 400, 'invalid_request'],
    ['a bad name', post({ username: 'no good', password: 'Abcdefg1@klm' }), 422, 'invalid_user'],
    ['a bad password', post({ username: 'abcdef12', password: 'short' }), 422, 'invalid_user'],
    ['a role that is not given', post({ username: 'abcdef12', password: 'Abcdefg1@klm', role: 'owner' }), 422, 'invalid_user'],
    ['a role that is none', post({ username: 'abcdef12', password: 'Abcdefg1@klm', role: 'root' }), 400, 'invalid_request'],
    ['a limit too large', (c: string) => gateway.get(`/clusters/${c}/users?limit=1001`), 400, 'invalid_request'],
  ] as const)('%s', async (_, ask, status, code) => {
    expect(await both(ask)).toMatchObject({ status, code });
  });

  it('a taken name', async () => {
    const told = await both((cluster, username) =>
      gateway.post(`/clusters/${cluster}/users`, { username: cluster === 'ali' ? username : username, password: 'Abcdefg1@klm' }),
    );
    expect(told).toMatchObject({ status: 409, code: 'user_already_exists' });
  });

  it('a cluster that the vendor does not have', async () => {
    for (const cluster of ['ali-missing', 'shan-missing', 'none-at-all']) {
      for (const path of ['', '/users', '/users/nobody00']) {
        const { status, body } = await gateway.get(`/clusters/${cluster}${path}`);
        expect([cluster, path, status, body.code]).toEqual([cluster, path, 404, 'cluster_not_found']);
      }
      const created = await gateway.post(`/clusters/${cluster}/users`, { username: 'abcdef12', password: 'Abcdefg1@klm' });
      expect([created.status, created.body.code]).toEqual([404, 'cluster_not_found']);
    }
  });

  it('a cluster that is not ready', async () => {
    for (const [cluster, username] of [
      ['ali-broken', 'abcdef12'],
      ['shan-stopped', 'abcdef12'],
    ]) {
      const { status, body } = await gateway.post(`/clusters/${cluster}/users`, { username, password: 'Abcdefg1@klm' });
      expect([cluster, status, body.code]).toEqual([cluster, 409, 'cluster_not_ready']);
    }
  });
});

describe('capabilities of one cluster', () => {
  it('a shared Shanhe cluster takes no new users and loses none, and says so', async () => {
    const { body: cluster } = await gateway.get('/clusters/shan-shared');
    expect(cluster.capabilities.features).toEqual(['list', 'get', 'setPassword']);
    const created = await gateway.post('/clusters/shan-shared/users', { username: 'abc', password: 'Abcdefg1@klm' });
    expect([created.status, created.body.code]).toEqual([501, 'not_supported']);
    expect((await gateway.request('DELETE', '/clusters/shan-shared/users/usr-vceaHsJu')).status).toBe(501);
    expect((await gateway.get('/clusters/shan-shared/users')).body.items).toMatchObject([
      { username: 'usr-vceaHsJu', role: 'owner' },
    ]);
    const path = '/clusters/shan-shared/users/usr-vceaHsJu/password';
    expect((await gateway.request('PUT', path, { body: { password: 'Abcdefg1@klm' } })).status).toBe(204);
  });

  it('refuses a directoryMode where there is none, and passes it on where there is', async () => {
    const user = { username: 'dirmode1', password: 'Abcdefg1@klm', directoryMode: '700' };
    const refused = await gateway.post('/clusters/ali/users', user);
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, '/directoryMode']);
    expect((await gateway.post('/clusters/shan/users', user)).status).toBe(201);
    expect((await gateway.get('/clusters/shan/users/dirmode1?include=vendor')).body.vendor.attributes.mod).toBe('700');
  });

  it('a denied state is told as such where the vendor has one code for both', async () => {
    shanhe.inject({ kind: 'vendor_error', code: '1400', action: '/user/addUser' });
    const { status, body } = await gateway.post('/clusters/shan/users', { username: 'denied', password: 'Abcdefg1@klm' });
    expect([status, body.code]).toEqual([502, 'vendor_permission_denied']);
  });
});

describe('a nonce that was used', () => {
  it('never sends a create again: the same request has arrived before', async () => {
    ehpc.inject({ kind: 'error_after', code: 'SignatureNonceUsed', status: 400, action: 'AddUsers' });
    ehpc.resetCalls();
    const { status } = await gateway.post('/clusters/ali/users', { username: 'nonce.used', password: 'Abcdefg1@klm' });
    expect(status).toBe(201);
    expect(ehpc.calls.filter(({ action }) => action === 'AddUsers')).toHaveLength(1);
  });
});

describe('throttling', () => {
  it('is waited out where the vendor asks for little patience', async () => {
    ehpc.inject({ kind: 'throttle', action: 'AddUsers', times: 2 });
    const { status } = await gateway.post('/clusters/ali/users', { username: 'throttled1', password: 'Abcdefg1@klm' });
    expect(status).toBe(201);
    expect(ehpc.journal.filter(({ username }) => username === 'throttled1')).toHaveLength(1);
  });

  it('is passed on with Retry-After where it asks for more', async () => {
    ehpc.inject({ kind: 'throttle', action: 'ListUsers', retryAfterSeconds: 17 });
    const { status, headers } = await gateway.get('/clusters/ali/users');
    expect([status, headers.get('retry-after')]).toEqual([429, '17']);
  });
});

describe('secrets', () => {
  const PASSWORD = 'Sup3r@Secret#42';

  it.each(['acs3', 'rpc-v1'])(
    'never come back in a vendor’s message, not even where it quotes the request (%s)',
    async (signature) => {
      const account = {
        ...ehpcAccount(ehpc),
        signature,
        credentials: { accessKeyId: ehpc.accessKeyId, accessKeySecret: 'a-wrong-secret' },
      };
      const wrong = await startGateway({
        accounts: { a: account },
        clusters: [{ id: 'c', account: 'a', vendorClusterId: EHPC_CLUSTER }],
      });
      const answer = await wrong.get('/clusters/c/users');
      expect(answer.body.code).toBe('vendor_credentials_rejected');
      expect(answer.text).not.toContain(ehpc.accessKeyId);
      expect(answer.text).not.toContain('%2F');
      await wrong.stop();
    },
  );

  it.each([PASSWORD, encodeURIComponent(PASSWORD), encodeURIComponent(encodeURIComponent(PASSWORD))])(
    'a vendor that echoes %s',
    async (echo) => {
      ehpc.inject({
        kind: 'vendor_error',
        code: 'InvalidParams',
        status: 400,
        message: `The value ${echo} is bad.`,
        action: 'AddUsers',
      });
      shanhe.inject({ kind: 'vendor_error', code: '1101', message: `The value ${echo} is bad.`, action: '/user/addUser' });
      for (const [cluster, username] of [
        ['ali', 'echoed.user'],
        ['shan', 'echoed'],
      ]) {
        const { status, body, text } = await gateway.post(`/clusters/${cluster}/users`, { username, password: PASSWORD });
        expect([status, body.vendor.message]).toEqual([422, 'The value [redacted] is bad.']);
        expect(text + gateway.logged()).not.toContain(echo);
      }
    },
  );
});

describe('several accounts', () => {
  it('lists what it can when one account fails, and says which', async () => {
    shanhe.inject({ kind: 'vendor_error', code: '1200', action: '/cluster/list', times: -1 });
    const { status, body } = await gateway.get('/clusters');
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
    shanhe.inject({ kind: 'vendor_error', code: '1200', action: '/cluster/list', times: -1 });
    const { status, body } = await gateway.get('/clusters/ehpc-undecided/users');
    expect([status, body.code]).toEqual([502, 'vendor_credentials_rejected']);
  });

  it('names a configured cluster by its configured id only', async () => {
    const { body } = await gateway.get('/clusters');
    const ids = body.items.map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(EHPC_CLUSTER);
  });
});
