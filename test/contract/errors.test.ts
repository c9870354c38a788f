/** The table of errors: every vendor code in ours. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors } from '../support/both-vendors.js';

const stage = bothVendors();

const EHPC_ROWS = [
  // Parameters of the gateway's own, in a reading.
  ['InvalidParams', 400, 502, 'vendor_bad_response'],
  ['InvalidParameter.Format', 400, 502, 'vendor_bad_response'],
  ['MissingParameter', 400, 502, 'vendor_bad_response'],
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
    stage.ehpc.inject({
      kind: 'vendor_error',
      code,
      status: vendorStatus,
      message: 'The vendor’s words.',
      action: 'ListUsers',
      times: -1,
    });
    const { status: got, body, headers } = await stage.gateway.get('/clusters/ali/users');
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
  ['1100', 502, 'vendor_bad_response'],
  ['1101', 502, 'vendor_bad_response'],
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
    stage.shanhe.inject({ kind: 'vendor_error', code, message: 'SomeClass, the vendor’s words', action: '/user', times: -1 });
    const { status: got, body, headers } = await stage.gateway.get('/clusters/shan/users');
    expect([got, body.code]).toEqual([status, ours]);
    expect(body.vendor).toMatchObject({ name: 'shanhe-hpc', code, requestId: null, status: 200 });
    expect(headers.has('retry-after')).toBe(status === 429 || status === 503);
  });

  it('asks for a long pause when the quota is used up, and does not try again by itself', async () => {
    stage.shanhe.inject({ kind: 'throttle', action: '/user', times: -1 });
    stage.shanhe.resetCalls();
    const { headers } = await stage.gateway.get('/clusters/shan/users');
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(60);
    expect(stage.shanhe.calls).toHaveLength(1);
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
    stage.ehpc.inject({ kind: 'html', status: vendorStatus, action: 'ListUsers', times: -1 });
    stage.shanhe.inject({ kind: 'html', status: vendorStatus, action: '/user', times: -1 });
    for (const cluster of ['ali', 'shan']) {
      const { status: got, body, text } = await stage.gateway.get(`/clusters/${cluster}/users`);
      expect([cluster, got, body.code]).toEqual([cluster, status, code]);
      expect(text).not.toContain('<');
    }
  });
});

describe('a nonce that was used', () => {
  it('never sends a create again: the same request has arrived before', async () => {
    stage.ehpc.inject({ kind: 'error_after', code: 'SignatureNonceUsed', status: 400, action: 'AddUsers' });
    stage.ehpc.resetCalls();
    const { status } = await stage.gateway.post('/clusters/ali/users', { username: 'nonce.used', password: 'Abcdefg1@klm' });
    expect(status).toBe(201);
    expect(stage.ehpc.calls.filter(({ action }) => action === 'AddUsers')).toHaveLength(1);
  });
});

describe('throttling', () => {
  it('is waited out where the vendor asks for little patience', async () => {
    stage.ehpc.inject({ kind: 'throttle', action: 'AddUsers', times: 2 });
    const { status } = await stage.gateway.post('/clusters/ali/users', { username: 'throttled1', password: 'Abcdefg1@klm' });
    expect(status).toBe(201);
    expect(stage.ehpc.journal.filter(({ username }) => username === 'throttled1')).toHaveLength(1);
  });

  it('is passed on with Retry-After where it asks for more', async () => {
    stage.ehpc.inject({ kind: 'throttle', action: 'ListUsers', retryAfterSeconds: 17 });
    const { status, headers } = await stage.gateway.get('/clusters/ali/users');
    expect([status, headers.get('retry-after')]).toEqual([429, '17']);
  });
});
