/** One row of a vendor's list that cannot be used takes nobody else with it. */
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EHPC_CLUSTER, ehpcAccount, SHANHE_CLUSTER, shanheAccount } from '../support/backends.js';
import { bothVendors } from '../support/both-vendors.js';
import { fakeEhpc, fakeShanhe } from '../support/fake-vendor.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const stage = bothVendors();
const ROWS = ['row_null', 'row_text', 'row_empty', 'row_unnamed', 'row_typed'] as const;

const VENDORS = [
  {
    cluster: 'ali',
    action: 'ListUsers',
    clusters: 'ListClusters',
    count: 125,
    known: 'user.0003',
    simulator: () => stage.ehpc,
  },
  { cluster: 'shan', action: '/user', clusters: '/cluster/list', count: 250, known: 'u0003', simulator: () => stage.shanhe },
] as const;

let discovering: TestGateway | undefined;
afterAll(() => discovering?.stop());
const discovery = async (): Promise<TestGateway> => {
  discovering ??= await startGateway({
    accounts: {
      ali: { ...ehpcAccount(stage.ehpc), discover: true },
      shan: { ...shanheAccount(stage.shanhe), discover: true },
    },
  });
  return discovering;
};

describe.each([
  ['alibaba-ehpc', fakeEhpc],
  ['shanhe-hpc', fakeShanhe],
] as const)('%s: names that cannot be shown', (_, start) => {
  it('are rows that name nobody', async () => {
    const names = ['alice.one', 'two\nlines', 'red\u001b[31m', '\u202egnp.exe', '\ud800', 'bob.two'];
    const vendor = await start(() => ({ names, total: names.length }));
    const gateway = await startGateway(vendor.raw);
    try {
      const { status, body } = await gateway.get('/clusters/c/users');
      const shown = body.items.map(({ username }: { username: string }) => username);
      expect([status, shown, body.total, body.incomplete]).toEqual([200, ['alice.one', 'bob.two'], 6, { omittedRows: 4 }]);
      expect((await gateway.get('/clusters/c/users/bob.two')).status).toBe(200);
      expect((await gateway.get('/clusters/c/users/nobody.here')).body.code).toBe('vendor_bad_response');
      expect(gateway.logged()).toContain('left out');
    } finally {
      await gateway.stop();
      await vendor.close();
    }
  });
});

describe.each(VENDORS)('$cluster', ({ cluster, action, clusters, count, known, simulator }) => {
  const users = `/clusters/${cluster}/users`;
  beforeEach(() => simulator().clearFaults());

  it.each(ROWS)('%s: the row is left out and counted; all others are there', async (shape) => {
    simulator().inject({ kind: 'wrong_shape', shape, action, times: 1 });
    const { status, body } = await stage.gateway.get(`${users}?limit=20`);
    expect([status, body.items.length, body.total, body.incomplete]).toEqual([200, 19, count, { omittedRows: 1 }]);
    const next = await stage.gateway.get(`${users}?limit=20&cursor=${body.nextCursor}`);
    expect([next.body.items.length, next.body.incomplete]).toEqual([20, null]);
  });

  it('a filter passes over it, and one user is found beside it', async () => {
    simulator().inject({ kind: 'wrong_shape', shape: 'row_null', action, times: -1 });
    const filtered = await stage.gateway.get(`${users}?role=member&limit=5`);
    expect([filtered.status, filtered.body.incomplete.omittedRows > 0]).toEqual([200, true]);
    expect((await stage.gateway.get(`${users}/${known}`)).status).toBe(200);
    // It may be anybody: that nobody of this name is there cannot be said.
    const absent = await stage.gateway.get(`${users}/nobody.here`);
    expect([absent.status, absent.body.code]).toEqual([502, 'vendor_bad_response']);
    // Those who are there are shown all the same, and that the list has such a row.
    const several = await stage.gateway.get(`${users}?username=nobody.here,${known}`);
    expect([several.status, several.body.items.map(({ username }: { username: string }) => username)]).toEqual([200, [known]]);
    expect(several.body.incomplete.omittedRows).toBeGreaterThan(0);
  });

  it('a list that begins again in each window is noticed', async () => {
    simulator().inject({ kind: 'offset_ignored', action, times: -1 });
    const first = await stage.gateway.get(`${users}?limit=20`);
    const next = await stage.gateway.get(`${users}?limit=20&cursor=${first.body.nextCursor}`);
    expect([first.status, next.status, next.body.code]).toEqual([200, 502, 'vendor_bad_response']);
  });

  it('the log says so once a minute', async () => {
    simulator().inject({ kind: 'wrong_shape', shape: 'row_unnamed', action, times: -1 });
    for (let time = 0; time < 3; time++) await stage.gateway.get(`${users}?limit=20`);
    const vendorId = cluster === 'ali' ? EHPC_CLUSTER : SHANHE_CLUSTER;
    const lines = stage.gateway
      .logged()
      .split('\n')
      .filter((line) => line.includes('left out') && line.includes(vendorId));
    expect(lines).toHaveLength(1);
  });

  it.each(['object', 'strings'] as const)('a list that is none is refused: %s', async (shape) => {
    simulator().inject({ kind: 'wrong_shape', shape, action, times: -1 });
    const { status, body } = await stage.gateway.get(`${users}?limit=20`);
    expect([status, body.code]).toEqual([502, 'vendor_bad_response']);
    // The vendor's support asks for it.
    if (cluster === 'ali' && shape === 'object') expect(body.vendor.requestId).toMatch(/^[0-9A-F-]{36}$/);
  });

  it('a cluster that may stand in an odd row is not said to be missing', async () => {
    const gateway = await startGateway({
      accounts: { ali: { ...ehpcAccount(stage.ehpc), discover: true }, shan: { ...shanheAccount(stage.shanhe), discover: true } },
      clusters: [{ id: 'configured', account: 'shan', vendorClusterId: SHANHE_CLUSTER }],
    });
    try {
      simulator().inject({ kind: 'wrong_shape', shape: 'row_unnamed', action: clusters, times: -1 });
      const paths = ['/clusters/ehpc-unlisted/users', ...(cluster === 'shan' ? ['/clusters/configured'] : [])];
      for (const path of paths) {
        const { status, body } = await gateway.get(path);
        expect([path, status, body.code, body.detail]).toEqual([
          path,
          502,
          'vendor_bad_response',
          expect.not.stringContaining('Did you mean'),
        ]);
      }
    } finally {
      await gateway.stop();
    }
  });

  it.each(ROWS)('%s among clusters takes no other cluster away', async (shape) => {
    const gateway = await discovery();
    const before = (await gateway.get('/clusters')).body;
    simulator().inject({ kind: 'wrong_shape', shape, action: clusters, times: -1 });
    const { status, body } = await gateway.get('/clusters');
    expect([status, body.items.length, body.problems, body.incomplete]).toEqual([
      200,
      before.items.length - 1,
      [],
      { omittedRows: 1 },
    ]);
  });
});
