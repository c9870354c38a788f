/** The vendors' documents contradict themselves; what they may send is understood, or refused, never misread. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AlibabaEhpcOptions } from '../../simulators/alibaba-ehpc/index.js';
import type { ShanheHpcOptions } from '../../simulators/shanhe-hpc/index.js';
import {
  CLUSTER,
  EHPC_CLUSTER,
  ehpcAccount,
  SHANHE_CLUSTER,
  shanheAccount,
  startEhpc,
  startShanhe,
} from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const USERS = `/clusters/${CLUSTER}/users`;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const serve = async (account: object, vendorClusterId: string): Promise<TestGateway> => {
  const gateway = await startGateway({
    accounts: { a: account },
    clusters: [
      { id: CLUSTER, account: 'a', vendorClusterId },
      { id: 'other', account: 'a', vendorClusterId: `${vendorClusterId}-other` },
    ],
    server: { settleSeconds: 0, drainSeconds: 0, deadlineSeconds: 5 },
  });
  cleanups.push(() => gateway.stop());
  return gateway;
};
const onEhpc = async (options: AlibabaEhpcOptions, settings: object = {}) => {
  const simulator = await startEhpc(options);
  cleanups.push(() => simulator.close());
  return { simulator, gateway: await serve({ ...ehpcAccount(simulator), ...settings }, EHPC_CLUSTER) };
};
const onShanhe = async (options: ShanheHpcOptions, settings: object = {}) => {
  const simulator = await startShanhe(options);
  cleanups.push(() => simulator.close());
  return { simulator, gateway: await serve({ ...shanheAccount(simulator), ...settings }, SHANHE_CLUSTER) };
};
const countOf = async (gateway: TestGateway, limit: number): Promise<number> => {
  const names = new Set<string>();
  for (let path: string | undefined = `${USERS}?limit=${limit}`; path; ) {
    const { body, headers }: Awaited<ReturnType<TestGateway['get']>> = await gateway.get(path);
    for (const { username } of body.items) {
      expect(names.has(username)).toBe(false);
      names.add(username);
    }
    path = /^<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
  }
  return names.size;
};

describe('E-HPC', () => {
  it('a user whose name the vendor writes in its own way is there when they are to be there again', async () => {
    const { simulator, gateway } = await onEhpc({ quirks: { names: 'small' } });
    const put = (change: object = {}) =>
      gateway.request('PUT', `${USERS}/LiWei01`, { body: { password: 'Choose@Your0wn', ...change } });
    const first = await put();
    expect([first.status, first.body.username]).toEqual([201, 'liwei01']);
    const again = await put();
    expect([again.status, again.body.username, again.body.userId]).toEqual([200, 'liwei01', first.body.userId]);
    const items = [{ op: 'ensure', username: 'LiWei01', password: 'Choose@Your0wn' }];
    const { body } = await gateway.post(`${USERS}/batch`, { items });
    expect(body.results[0].status).toBe('unchanged');
    expect(simulator.journal.map(({ effect }) => effect)).toEqual(['created']);
  });

  it('a task without AsyncId is not taken for an empty cluster', async () => {
    const { gateway } = await onEhpc({ quirks: { asyncId: 'missing' } });
    expect((await gateway.get(`${USERS}?limit=1000`)).body.items).toHaveLength(125);
    expect((await gateway.get(`${USERS}/user.0124`)).status).toBe(200);
  });

  it('a task that is done at once is taken as such', async () => {
    const { simulator, gateway } = await onEhpc({ asyncListing: 'instant', quirks: { asyncId: 'missing' } });
    expect((await gateway.get(`${USERS}?limit=50`)).body.total).toBe(125);
    expect(simulator.calls.filter(({ action }) => action === 'ListUsersAsync')).toHaveLength(1);
  });

  it('a task that fails is told', async () => {
    const { gateway } = await onEhpc({ asyncListing: 'fails' });
    const { status, body } = await gateway.get(USERS);
    expect([status, body.code]).toEqual([502, 'cluster_agent_failed']);
  });

  it('a cursor outlives its AsyncId', async () => {
    const { gateway } = await onEhpc({ asyncLifetimeMs: 400 });
    const { headers } = await gateway.get(`${USERS}?limit=100`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const next = /^<([^>]+)>/.exec(headers.get('link') ?? '')?.[1] as string;
    expect((await gateway.get(next)).body.items).toHaveLength(25);
  });

  it('an AsyncId that is refused in the middle of a listing begins it again, once', async () => {
    const { simulator, gateway } = await onEhpc({ asyncListing: 'instant' });
    const refusal = { kind: 'vendor_error', code: 'InvalidParams', status: 400, action: 'ListUsersAsync', skip: 1 } as const;
    simulator.inject({ ...refusal, times: 1 });
    const { body } = await gateway.get(`${USERS}?limit=1000`);
    expect([body.items.length, body.total]).toEqual([125, 125]);
    simulator.inject({ ...refusal, times: -1 });
    simulator.resetCalls();
    const refused = await gateway.get(`${USERS}?limit=1000`);
    expect([refused.status, refused.body.code, refused.body.vendor.code]).toEqual([502, 'vendor_bad_response', 'InvalidParams']);
    expect(simulator.calls.length).toBeLessThan(12);
  });

  it.each([
    ['a page', 'TaskNotFound', 'instant', 1],
    ['a page', 'EntityNotExist.Task', 'instant', 2],
    ['a look at a task that runs', 'InvalidParams', undefined, 1],
  ] as const)('%s that is refused with %s begins the listing again', async (_, code, asyncListing, skip) => {
    const { simulator, gateway } = await onEhpc(asyncListing ? { asyncListing } : {});
    simulator.inject({ kind: 'vendor_error', code, status: 404, action: 'ListUsersAsync', skip, times: 1 });
    const { status, body } = await gateway.get(`${USERS}?limit=1000`);
    expect([status, body.items.length]).toEqual([200, 125]);
  });

  it('a walk by cursor starts one task', async () => {
    const { simulator, gateway } = await onEhpc({ asyncListing: 'instant' });
    expect(await countOf(gateway, 50)).toBe(125);
    const started = simulator.calls.filter(({ action, params }) => action === 'ListUsersAsync' && !params['AsyncId']);
    expect(started).toHaveLength(1);
  });

  it('offset 37 limit 25 takes one call', async () => {
    const { simulator, gateway } = await onEhpc({}, { listing: 'sync' });
    await gateway.get(`${USERS}?offset=37&limit=25`);
    expect(simulator.calls.map(({ action }) => action)).toEqual(['ListUsers']);
  });

  it.each([1, 25, 50, 60])('a TotalCount of the page does not end the list (windows of %i)', async (limit) => {
    const { gateway } = await onEhpc({ quirks: { totalCount: 'page', pageSize: 'rows' } }, { listing: 'sync' });
    expect(await countOf(gateway, limit)).toBe(125);
    expect((await gateway.get(`${USERS}/user.0124`)).status).toBe(200);
  });

  it.each([0, 1, 49, 50, 51, 100])('a list of %i users is told as such, whole windows included', async (count) => {
    const users = Array.from({ length: count }, (_, index) => ({ name: `user.${index}`, group: 'users' as const }));
    const clusters = [{ id: EHPC_CLUSTER, name: 'c', status: 'running', users }];
    const { simulator, gateway } = await onEhpc({ clusters }, { listing: 'sync' });
    for (const limit of [1, 25, 50, 1000]) {
      simulator.resetCalls();
      const { body } = await gateway.get(`${USERS}?limit=${limit}`);
      expect([limit, body.items.length, body.total, body.nextCursor === null]).toEqual([
        limit,
        Math.min(limit, count),
        count,
        limit >= count,
      ]);
      const least = Math.max(1, Math.ceil(Math.min(limit, count) / 50));
      // One more where a full page is as long as its total: the documents leave open what the total counts.
      const full = count > 0 && Math.min(limit, 50) === count ? 1 : 0;
      const listed = simulator.calls.filter(({ action }) => action === 'ListUsers');
      expect([limit, listed.length]).toEqual([limit, least + full]);
    }
  });

  it('times without a zone are read in the zone of the account', async () => {
    const made = '2024-03-05T08:00:00.000Z';
    for (const [timeZone, zonelessClock] of [
      ['UTC', 'utc'],
      ['Asia/Shanghai', 'china'],
    ] as const) {
      const { gateway } = await onEhpc({ quirks: { zonelessClock } }, { listing: 'sync', timeZone });
      expect((await gateway.get(`${USERS}?limit=1`)).body.items[0].createdAt).toBe(made);
    }
  });

  it.each([
    ['creating', 'provisioning'],
    ['uninit', 'provisioning'],
    ['init', 'provisioning'],
    ['INITING', 'provisioning'],
    ['pending', 'provisioning'],
    ['running', 'ready'],
    ['Running', 'ready'],
    ['exception', 'error'],
    ['releasing', 'deleting'],
    ['stopping', 'stopped'],
    ['stopped', 'stopped'],
    ['constructor', 'unknown'],
    ['somethingNew', 'unknown'],
  ])('the state %s is %s', async (status, state) => {
    const { gateway } = await onEhpc({
      clusters: [{ id: EHPC_CLUSTER, name: 'c', status, users: [] }],
      quirks: { describedId: 'instance' },
    });
    expect((await gateway.get(`/clusters/${CLUSTER}`)).body).toMatchObject({
      state,
      vendorState: status,
      vendorClusterId: EHPC_CLUSTER,
    });
  });

  it.each([
    [{ ramDenial: 'NotAuthorized' }, 'vendor_permission_denied'],
    [{ ramDenial: 'Forbidden.RAM' }, 'vendor_permission_denied'],
  ] as const)('a denial by RAM as %o', async (quirks, code) => {
    const { gateway } = await onEhpc({ quirks, denyActions: ['ListUsersAsync'] });
    const { status, body } = await gateway.get(USERS);
    expect([status, body.code]).toEqual([502, code]);
  });

  it('an endpoint that takes no POST is named, and nothing is changed', async () => {
    const { simulator, gateway } = await onEhpc({ strictPost: true });
    const { status, body } = await gateway.post(USERS, { username: 'posted.one', password: 'Abcdefg1@klm' });
    expect([status, body.code]).toEqual([502, 'vendor_bad_response']);
    expect(simulator.journal).toEqual([]);
  });
});

describe('Shanhe', () => {
  it('an unknown cluster that answers an empty list is not found, filters or not', async () => {
    const { gateway } = await onShanhe({ quirks: { unknownCluster: 'empty' } });
    for (const query of ['', '?search=x', '?role=admin']) {
      const { status, body } = await gateway.get(`/clusters/other/users${query}`);
      expect([query, status, body.code]).toEqual([query, 404, 'cluster_not_found']);
    }
  });

  it('an owner is sent where it is configured', async () => {
    const options = { owner: 'usr-vceaHsJu', quirks: { ownerRequired: true } };
    expect((await (await onShanhe(options)).gateway.get(`/clusters/${CLUSTER}`)).body.code).toBe('vendor_bad_response');
    const { gateway } = await onShanhe(options, { owner: 'usr-vceaHsJu' });
    expect((await gateway.get(`/clusters/${CLUSTER}`)).body.state).toBe('ready');
  });

  it.each([
    ['active', 'ready'],
    ['pending', 'provisioning'],
    ['stopped', 'stopped'],
    ['suspended', 'stopped'],
    ['poweroff', 'stopped'],
    ['poweroffed', 'stopped'],
    ['powered off', 'stopped'],
    ['powered_off', 'stopped'],
    ['ceased', 'deleting'],
    ['deleted', 'deleting'],
    ['toString', 'unknown'],
  ])('the state %s is %s', async (status, state) => {
    const { gateway } = await onShanhe({ clusters: [{ id: SHANHE_CLUSTER, name: 'c', type: 'ehpc', status, users: [] }] });
    expect((await gateway.get(`/clusters/${CLUSTER}`)).body).toMatchObject({ state, vendorState: status });
  });

  it('2100 on a user who is there is not told as a user who is not', async () => {
    const { simulator, gateway } = await onShanhe({});
    simulator.inject({ kind: 'vendor_error', code: '2100', action: '/user/deleteUser' });
    const { status, body } = await gateway.request('DELETE', `${USERS}/u0030`);
    expect([status, body.code]).toEqual([502, 'cluster_agent_failed']);
    expect((await gateway.get(`${USERS}/u0030`)).status).toBe(200);
  });

  it('a refusal stays one when its reason cannot be looked up', async () => {
    const { simulator, gateway } = await onShanhe({});
    await gateway.get(`/clusters/${CLUSTER}`);
    // The facts of the cluster are known from here on; only the explanation asks for them anew.
    simulator.inject({ kind: 'vendor_error', code: '1400', action: '/user/addUser' });
    simulator.inject({ kind: 'throttle', action: '/cluster/list', times: -1 });
    const { status, body } = await gateway.post(USERS, { username: 'denied', password: 'Abcdefg1@klm' });
    expect([status, body.code]).toEqual([502, 'vendor_permission_denied']);
  });

  it('searching for one user natively takes one call', async () => {
    const { simulator, gateway } = await onShanhe({});
    await gateway.get(`${USERS}/u0249`);
    expect(simulator.calls.map(({ action }) => action)).toEqual(['/user']);
  });

  it('a user whose name the vendor writes in its own way is found, and linked under that name', async () => {
    const { gateway } = await onShanhe({ quirks: { names: 'small' } });
    const { status, body, headers } = await gateway.post(USERS, { username: 'LiWei01', password: 'Choose@Your0wn' });
    expect([status, body.username, headers.get('location')]).toEqual([201, 'liwei01', `${USERS}/liwei01`]);
    expect((await gateway.get(headers.get('location') as string)).body.userId).toBe(body.userId);
    expect((await gateway.get(`${USERS}/LiWei01`)).status).toBe(404);
  });

  it('a native search is tried with a user who is there, and used where it finds them', async () => {
    const { simulator, gateway } = await onShanhe({}, { search: 'native' });
    const searched = (): number => simulator.calls.filter(({ params }) => params['search_word'] !== undefined).length;
    expect((await gateway.get(`${USERS}?search=249`)).body.items).toHaveLength(1);
    expect(searched()).toBe(2);
    simulator.resetCalls();
    expect((await gateway.get(`${USERS}?search=U024`)).body.items).toHaveLength(10);
    expect(simulator.calls.filter(({ action }) => action === '/user').length).toBe(searched());
  });

  it('a native search that finds too little is noticed, and the gateway searches by itself', async () => {
    const { gateway } = await onShanhe({ quirks: { search: 'prefix' } }, { search: 'native' });
    expect((await gateway.get(`${USERS}?search=249`)).body.items).toHaveLength(1);
    expect((await gateway.get(`${USERS}?search=U024`)).body.items).toHaveLength(10);
  });

  it('a search that matches beginnings only still finds the user', async () => {
    const { gateway } = await onShanhe({ quirks: { search: 'prefix' } });
    expect((await gateway.get(`${USERS}?search=249`)).body.items).toHaveLength(1);
  });
});

describe('cursors', () => {
  it('are good for their own cluster only', async () => {
    const { gateway } = await onEhpc({});
    const { nextCursor } = (await gateway.get(`${USERS}?limit=5`)).body;
    expect((await gateway.get(`/clusters/other/users?cursor=${nextCursor}`)).body.code).toBe('invalid_request');
  });
});
