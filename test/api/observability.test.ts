/** What operators see: figures, the health of accounts, and lines of the log. */
import { describe, expect, it } from '@jest/globals';
import { SHANHE_CLUSTER } from '../support/backends.js';
import { bothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller } from '../support/callers.js';
import { startGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const stage = bothVendors();
const PASSWORD = 'Abcdefg1@klm';
const FAILURES = 10;

type Line = Readonly<Record<string, unknown>>;

const linesOf = (message: string): Line[] =>
  stage.gateway
    .logged()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
    .filter(({ msg }) => msg === message);

const fail = async (): Promise<void> => {
  stage.shanhe.inject({ kind: 'http_status', status: 503, clusterId: SHANHE_CLUSTER, times: -1 });
  for (let failed = 0; failed < FAILURES; failed++) await stage.gateway.get('/clusters/shan/users?limit=5');
};

/** The value of a figure. @param labels as they stand in the text */
const figure = async (name: string, labels = ''): Promise<number | undefined> => {
  const { text } = await stage.gateway.get('/metrics');
  const line = text.split('\n').find((each) => each.startsWith(labels === '' ? `${name} ` : `${name}{${labels}}`));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
};

describe('the figures', () => {
  it('are in the text format of Prometheus, with those of Node', async () => {
    const { status, headers, text } = await stage.gateway.get('/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain; version=0.0.4')]);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).toMatch(/hpc_gateway_build_info\{version="\d/);
    expect(text).toContain('hpc_gateway_store_up 1');
  });

  it('count requests by operation, and calls by action and outcome', async () => {
    await stage.gateway.get('/clusters/shan/users?limit=5');
    await stage.gateway.get('/no/such/path');
    expect(await figure('hpc_gateway_http_request_duration_seconds_count', 'operation="listUsers",status="200"')).toBe(1);
    expect(await figure('hpc_gateway_http_request_duration_seconds_count', 'operation="none",status="404"')).toBe(1);
    const called = 'vendor="shanhe-hpc",account="jinan",action="/user",outcome="ok"';
    expect(await figure('hpc_gateway_vendor_call_duration_seconds_count', called)).toBe(1);
  });

  it('count a request whose caller left before there was an answer as one of 499', async () => {
    stage.shanhe.inject({ kind: 'hang', action: '/user', times: 1 });
    const before = stage.shanhe.calls.length;
    const leaving = new AbortController();
    const left = fetch(`${stage.gateway.url}/clusters/shan/users?limit=5`, { signal: leaving.signal });
    await until(() => stage.shanhe.calls.length > before);
    leaving.abort();
    await expect(left).rejects.toThrow();
    const labels = 'operation="listUsers",status="499"';
    await until(async () => (await figure('hpc_gateway_http_request_duration_seconds_count', labels)) === 1);
  });

  it('count what writes came to', async () => {
    expect((await stage.gateway.post('/clusters/shan/users', { username: 'newone', password: PASSWORD })).status).toBe(201);
    expect(await figure('hpc_gateway_items_settled_total', 'vendor="shanhe-hpc",step="create",status="created"')).toBe(1);
    expect(await figure('hpc_gateway_item_wait_seconds_count')).toBe(1);
    expect(await figure('hpc_gateway_domain_held', 'account="jinan"')).toBe(1);
    expect(await figure('hpc_gateway_open_items', 'account="jinan"')).toBe(0);
  });

  it('show what is open, and since when', async () => {
    stage.shanhe.inject({ kind: 'hang', action: '/user/addUser', times: 1 });
    const since = Date.now() / 1_000;
    await stage.gateway.request('POST', '/clusters/shan/users', {
      body: { username: 'openone', password: PASSWORD },
      headers: { prefer: 'respond-async' },
    });
    await until(async () => (await figure('hpc_gateway_open_items', 'account="jinan"')) === 1);
    const at = (await figure('hpc_gateway_oldest_open_item_timestamp_seconds', 'account="jinan"')) ?? 0;
    expect(Math.abs(at - since)).toBeLessThan(10);
  });

  it('show the breaker of a cluster and the budget of an account', async () => {
    await fail();
    const of = (state: string): string => `account="jinan",cluster="${SHANHE_CLUSTER}",state="${state}"`;
    expect(await figure('hpc_gateway_breaker_state', of('open'))).toBe(1);
    expect(await figure('hpc_gateway_breaker_state', of('closed'))).toBe(0);
    expect(await figure('hpc_gateway_vendor_budget_remaining_calls', 'account="jinan"')).toBeLessThan(1_000_000);
  });

  it('hold no name of a user, nor a key', async () => {
    await stage.gateway.get('/clusters/shan/users/very.private?limit=5');
    await stage.gateway.get('/users/very.private');
    const { text } = await stage.gateway.get('/metrics');
    expect(text).not.toContain('very.private');
  });
});

describe('a listener for the figures', () => {
  it('serves them, and nothing else, to all who reach it', async () => {
    const { key: _, config } = makeCaller('portal', [{ clusters: ['*'], verbs: ['read'] }]);
    const base = configOver(stage);
    const gateway = await startGateway({
      ...base,
      server: { ...base.server, metrics: { port: 0 } },
      auth: { callers: [config] },
    });
    try {
      const line =
        gateway
          .logged()
          .split('\n')
          .find((each) => each.includes('"metrics"')) ?? '{}';
      const { url } = JSON.parse(line) as { readonly url: string };
      const answer = await fetch(url);
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('hpc_gateway_build_info')]);
      expect((await fetch(url.replace('/metrics', '/clusters'))).status).toBe(404);
      expect((await fetch(url, { method: 'POST' })).status).toBe(404);
      expect((await gateway.get('/metrics')).status).toBe(401);
    } finally {
      await gateway.stop();
    }
  });
});

describe('the health of an account', () => {
  it('shows what calls showed, without a call', async () => {
    expect((await stage.gateway.get('/accounts/jinan')).body).toEqual({
      account: 'jinan',
      vendor: 'shanhe-hpc',
      state: 'unknown',
      lastSuccessAt: null,
      lastFailure: null,
      latencyMs: null,
      breaker: 'closed',
      budget: { remaining: 1_000_000, resetsAt: expect.any(String) },
    });
    await stage.gateway.get('/clusters/shan/users?limit=5');
    const before = stage.shanhe.calls.length + stage.ehpc.calls.length;
    const { body } = await stage.gateway.get('/accounts');
    expect(body.items.map(({ account, state }: Line) => [account, state])).toEqual([
      ['aliyun', 'unknown'],
      ['jinan', 'ok'],
    ]);
    expect(stage.shanhe.calls.length + stage.ehpc.calls.length).toBe(before);
  });

  it('is degraded where one of its clusters is down, and each cluster has its own', async () => {
    await stage.gateway.get('/clusters/shan-shared/users');
    await fail();
    expect((await stage.gateway.get('/accounts/jinan')).body).toMatchObject({
      state: 'degraded',
      breaker: 'open',
      lastFailure: { code: 'vendor_unavailable' },
    });
    const { body } = await stage.gateway.get('/clusters');
    const stateOf = (id: string) => body.items.find((cluster: { readonly id: string }) => cluster.id === id).health.state;
    expect([stateOf('shan'), stateOf('shan-shared')]).toEqual(['down', 'ok']);
  });

  it('says why to those who operate, and names no account of which a caller sees no cluster', async () => {
    const reader = makeCaller('reader', [{ clusters: ['shan*'], verbs: ['read'] }]);
    const operator = makeCaller('operator', [{ clusters: ['shan'], verbs: ['read', 'operate'] }]);
    const gateway = await startGateway({ ...configOver(stage), auth: { callers: [reader.config, operator.config] } });
    try {
      stage.shanhe.inject({ kind: 'http_status', status: 503, times: -1 });
      await gateway.request('GET', '/clusters/shan/users', { headers: reader.headers });
      const of = async (who: typeof reader) => (await gateway.request('GET', '/accounts', { headers: who.headers })).body.items;
      expect(await of(reader)).toMatchObject([{ account: 'jinan', state: 'degraded', lastFailure: null, budget: null }]);
      expect(await of(operator)).toMatchObject([
        {
          account: 'jinan',
          state: 'degraded',
          lastFailure: { code: 'vendor_unavailable' },
          budget: { remaining: expect.any(Number) },
        },
      ]);
      expect((await gateway.request('GET', '/accounts/aliyun', { headers: reader.headers })).status).toBe(404);
    } finally {
      await gateway.stop();
    }
  });

  it('of an account that is not there is 404, with what may be meant', async () => {
    const { status, body } = await stage.gateway.get('/accounts/jinam');
    expect([status, body.code]).toEqual([404, 'not_found']);
    expect(body.detail).toContain('Did you mean jinan?');
  });
});

describe('the log', () => {
  it('has a line for each request and each vendor call, joined by the request id', async () => {
    await stage.gateway.request('GET', '/clusters/ali/users?limit=5', { headers: { 'x-request-id': 'my-request' } });
    expect(await until(() => linesOf('request').find(({ requestId }) => requestId === 'my-request'))).toMatchObject({
      operation: 'listUsers',
      clusterId: 'ali',
      status: 200,
    });
    expect(linesOf('vendor call').filter(({ requestId }) => requestId === 'my-request')).toMatchObject([
      {
        account: 'aliyun',
        vendor: 'alibaba-ehpc',
        action: 'ListUsers',
        kind: 'read',
        attempt: 1,
        outcome: 'ok',
        vendorRequestId: expect.stringMatching(/^[0-9A-F-]{36}$/),
        ms: expect.any(Number),
      },
    ]);
  });

  it('shows that a reading was tried again', async () => {
    stage.shanhe.inject({ kind: 'http_status', status: 503, times: 1 });
    expect((await stage.gateway.get('/clusters/shan/users?limit=5')).status).toBe(200);
    expect(linesOf('vendor call').map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'vendor_unavailable'],
      [2, 'ok'],
    ]);
  });

  it('warns once of a cluster that is down, and says once that it is back', async () => {
    await fail();
    await stage.gateway.get('/clusters/shan/users?limit=5');
    const down = linesOf('the vendor is down: calls failed many times in a row, and are held back');
    expect(down).toMatchObject([{ level: 40, account: 'jinan', cluster: SHANHE_CLUSTER, code: 'vendor_unavailable' }]);
    stage.shanhe.clearFaults();
    await until(async () => (await stage.gateway.get('/clusters/shan/users?limit=5')).status === 200);
    expect(linesOf('the vendor works again')).toMatchObject([{ level: 30, account: 'jinan', cluster: SHANHE_CLUSTER }]);
  });
});
