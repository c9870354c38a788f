/** How many calls a write made, and how many it was expected to. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors } from '../support/both-vendors.js';

const stage = bothVendors();
const PASSWORDS = { ali: 'Abc1~!@#$%^&*()_+=', shan: 'kUISjs@kkkkkk!' } as const;
let fresh = 0;
const items = (cluster: keyof typeof PASSWORDS, count: number): object[] =>
  Array.from({ length: count }, () => ({
    op: 'create',
    username: cluster === 'ali' ? `calls.${1000 + ++fresh}` : `c${++fresh}`,
    password: PASSWORDS[cluster],
  }));
const calls = (): number => stage.ehpc.calls.length + stage.shanhe.calls.length;

describe.each(['ali', 'shan'] as const)('%s', (cluster) => {
  it('a batch says how many calls it made: all that the vendor has seen, and about as many as expected', async () => {
    // The facts of the cluster are known.
    await stage.gateway.get(`/clusters/${cluster}/users?limit=1`);
    const before = calls();
    const { status, body } = await stage.gateway.post(`/clusters/${cluster}/users/batch`, { items: items(cluster, 10) });
    const { made, expected } = body.vendorCalls;
    const seen = calls() - before;
    expect(status).toBe(200);
    // The facts were asked for by the request, before there was an operation.
    expect([made <= seen, made >= seen - 2]).toEqual([true, true]);
    expect(expected).toBeGreaterThan(0);
    expect(made / expected).toBeGreaterThan(0.3);
    expect(made / expected).toBeLessThan(4);
    expect((await stage.gateway.get(`/operations/${body.operationId}`)).body.vendorCalls).toEqual(body.vendorCalls);
  });

  it('a dry run says how many the batch would take', async () => {
    const planned = await stage.gateway.post(`/clusters/${cluster}/users/batch`, { dryRun: true, items: items(cluster, 40) });
    const before = calls();
    const again = await stage.gateway.post(`/clusters/${cluster}/users/batch`, { dryRun: true, items: items(cluster, 40) });
    expect(again.body.vendorCalls.made).toBe(calls() - before);
    expect(again.body.vendorCalls.expected).toBe(planned.body.vendorCalls.expected);
    const fewer = await stage.gateway.post(`/clusters/${cluster}/users/batch`, { dryRun: true, items: items(cluster, 4) });
    expect(fewer.body.vendorCalls.expected).toBeLessThanOrEqual(again.body.vendorCalls.expected);
  });
});

it('what is refused at once takes none', async () => {
  const { body } = await stage.gateway.post('/clusters/shan/users/batch', {
    items: [{ op: 'create', username: 'no good', password: PASSWORDS.shan }],
  });
  expect(body.vendorCalls).toEqual({ made: 0, expected: 0 });
});
