/** One sick cluster harms nobody else: not its neighbours at the same vendor, nor those of another account. */
import { describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER, SHANHE_CLUSTER } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import { until } from '../support/wait.js';

const stage = bothVendors();

const HANGING_READS = 100;
const FAILURES = 10;

const statusOf = async (cluster: string): Promise<number> =>
  (await stage.gateway.get(`/clusters/${cluster}/users?limit=5`)).status;

describe.each([
  ['shan', SHANHE_CLUSTER, 'shan-shared', () => stage.shanhe],
  ['ali', EHPC_CLUSTER, 'ali-missing', () => stage.ehpc],
] as const)('reads of %s that hang', (sick, clusterId, neighbour, simulator) => {
  it('hold up none of its neighbours', async () => {
    simulator().inject({ kind: 'hang', clusterId, times: -1 });
    const hanging = new AbortController();
    const all = Array.from({ length: HANGING_READS }, () =>
      fetch(`${stage.gateway.url}/clusters/${sick}/users?limit=5`, { signal: hanging.signal }).catch(() => undefined),
    );
    await until(() => simulator().calls.filter((call) => call.faulted === 'hang').length >= 16);
    const from = performance.now();
    const known = neighbour === 'ali-missing' ? 404 : 200;
    for (let asked = 0; asked < 5; asked++) expect(await statusOf(neighbour)).toBe(known);
    expect((await stage.gateway.get('/clusters')).body.items.length).toBeGreaterThan(0);
    expect(performance.now() - from).toBeLessThan(5_000);
    // No more calls than the places of one cluster.
    expect(simulator().calls.filter((call) => call.faulted === 'hang')).toHaveLength(16);
    hanging.abort();
    await Promise.all(all);
  });
});

describe('a cluster that fails', () => {
  it('opens a breaker of its own', async () => {
    stage.shanhe.inject({ kind: 'http_status', status: 503, clusterId: SHANHE_CLUSTER, times: -1 });
    for (let failed = 0; failed < FAILURES; failed++) expect(await statusOf('shan')).toBe(503);
    const { body } = await stage.gateway.get('/clusters/shan/users');
    expect(body.detail).toContain('circuit breaker');
    for (let asked = 0; asked < 25; asked++) expect(await statusOf('shan-shared')).toBe(200);
  });
});

describe('an account that hangs', () => {
  it('is waited for by no list of clusters: they are shown as they were', async () => {
    const before = (await stage.gateway.get('/clusters')).body.items;
    stage.ehpc.inject({ kind: 'hang', times: -1 });
    for (let asked = 0; asked < 3; asked++) {
      const from = performance.now();
      const { status, body } = await stage.gateway.get('/clusters');
      expect(performance.now() - from).toBeLessThan(2_000);
      expect([status, body.items.length]).toEqual([200, before.length]);
      expect(body.items.find(({ id }: { id: string }) => id === 'shan').state).toBe('ready');
    }
  });

  it('holds up no list that is the first one', async () => {
    stage.ehpc.inject({ kind: 'hang', times: -1 });
    const from = performance.now();
    const { body } = await stage.gateway.get('/clusters');
    expect(performance.now() - from).toBeLessThan(2_000);
    const problem = body.problems.find(({ account }: { account: string }) => account === 'aliyun');
    expect(problem.problem.code).toBe('vendor_timeout');
    expect(body.items.find(({ id }: { id: string }) => id === 'ali').state).toBe('unknown');
  });
});
