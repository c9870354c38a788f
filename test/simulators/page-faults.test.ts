import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AlibabaEhpcSimulator, AsyncListing } from '../../simulators/alibaba-ehpc/index.js';
import { until } from '../support/wait.js';
import { EHPC_CLUSTER, ehpcListed, SHANHE_CLUSTER, type Side, startEhpc, startShanhe, VENDORS } from './support/both.js';
import { acs3 } from './support/ehpc-client.js';
import { sleep } from './support/http.js';
import { get, usersOf } from './support/shanhe-client.js';

const ENDLESS = 1e12;
const seeded = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `user${String(from + index).padStart(3, '0')}`);

describe.each(VENDORS)('%s', (vendor, make) => {
  let side: Side;
  beforeEach(async () => {
    side = await make(25);
  });
  afterEach(() => side.simulator.close());

  test('short_page caps one page and keeps the total', async () => {
    side.simulator.inject({ kind: 'short_page', rows: 4, skip: 1 });
    expect((await side.page(1, 10)).names).toEqual(seeded(0, 10));
    const short = await side.page(2, 10);
    // E-HPC counts pages in units of the size that it answers.
    const from = vendor === 'E-HPC' ? 4 : 10;
    expect(short).toEqual({ names: seeded(from, from + 4), total: 25, pageSize: vendor === 'E-HPC' ? 4 : undefined });
    expect((await side.page(3, 10)).names).toEqual(seeded(20, 25));
  });

  test('short_page does not make a page larger than asked for', async () => {
    side.simulator.inject({ kind: 'short_page', rows: 20 });
    expect((await side.page(1, 10)).names).toEqual(seeded(0, 10));
  });

  test('hole_page drops the last rows of a page, and the next page begins where it always did', async () => {
    side.simulator.inject({ kind: 'hole_page', rows: 7 });
    expect(await side.page(1, 10)).toEqual({
      names: seeded(0, 7),
      total: 25,
      pageSize: vendor === 'E-HPC' ? 10 : undefined,
    });
    expect((await side.page(2, 10)).names).toEqual(seeded(10, 20));
    side.simulator.inject({ kind: 'hole_page', rows: 0 });
    expect((await side.page(1, 10)).names).toEqual([]);
  });

  test('endless_list invents a full page of new names, however far', async () => {
    side.simulator.inject({ kind: 'endless_list', times: -1 });
    const pages = await Promise.all([1, 2, 3, 1_000_000].map((number) => side.page(number, 50)));
    const all = pages.flatMap(({ names }) => names);
    expect(new Set(all).size).toBe(200);
    for (const name of all) expect(name).toMatch(/^x[a-z0-9]{7}$/);
    expect(pages.map(({ total }) => total)).toEqual([ENDLESS, ENDLESS, ENDLESS, ENDLESS]);
    expect(await side.page(1, 50)).toEqual(pages[0]);
  });

  test('offset_ignored answers the first rows again', async () => {
    side.simulator.inject({ kind: 'offset_ignored', times: -1 });
    for (const number of [1, 2, 9]) {
      const { names, total } = await side.page(number, 10);
      expect([names, total]).toEqual([seeded(0, 10), ENDLESS]);
    }
  });

  test('a list of clusters must be named', async () => {
    const { simulator, actions } = side;
    simulator.inject({ kind: 'hole_page', rows: 0 });
    expect(await side.clusters()).toEqual(simulator.clusters);
    simulator.inject({ kind: 'hole_page', rows: 0, action: actions.clusters });
    expect(await side.clusters()).toEqual([]);
    simulator.inject({ kind: 'endless_list', action: actions.clusters });
    expect(await side.clusters()).toHaveLength(10);
    expect(await side.clusters()).toEqual(simulator.clusters);
    expect((await side.page(1, 10)).names).toEqual([]);
  });

  test('page faults wait for a list of users', async () => {
    side.simulator.inject({ kind: 'hole_page', rows: 1 });
    expect((await side.write('newuser1')).status).toBe(200);
    expect(side.simulator.calls.at(-1)).toMatchObject({ faulted: null });
    expect((await side.page(1, 10)).names).toEqual(seeded(0, 1));
  });
});

describe('E-HPC', () => {
  let simulator: AlibabaEhpcSimulator;
  afterEach(() => simulator.close());

  const ask = (AsyncId = '', more = {}) =>
    acs3(simulator, 'ListUsersAsync', {
      ClusterId: EHPC_CLUSTER,
      PageSize: '10',
      ...(AsyncId === '' ? {} : { AsyncId }),
      ...more,
    });
  const finish = (id: string) =>
    until(
      () => ask(id),
      ({ json }) => json['AsyncStatus'] !== 'Processing',
      5,
    );

  test('maxPageSize: PageSize of the answer says the size that counts', async () => {
    simulator = await startEhpc(25, { quirks: { maxPageSize: 8 } });
    const page = (PageNumber: string, PageSize: string) =>
      acs3(simulator, 'ListUsers', { ClusterId: EHPC_CLUSTER, PageNumber, PageSize });
    expect(ehpcListed(await page('2', '50'))).toEqual({ names: seeded(8, 16), total: 25, pageSize: 8 });
    expect(ehpcListed(await page('2', '5'))).toEqual({ names: seeded(5, 10), total: 25, pageSize: 5 });
    expect((await page('1', '51')).json['Code']).toBe('InvalidParams');
  });

  test('a page fault waits until an asynchronous listing has rows', async () => {
    simulator = await startEhpc(25, { asyncDelayMs: 30 });
    simulator.inject({ kind: 'hole_page', rows: 2 });
    const id = String((await ask()).json['AsyncId']);
    expect(ehpcListed(await finish(id)).names).toEqual(seeded(0, 2));
    expect(ehpcListed(await ask(id, { PageNumber: '2' })).names).toEqual(seeded(10, 20));
    simulator.inject({ kind: 'endless_list' });
    expect(ehpcListed(await ask(id))).toMatchObject({ total: ENDLESS, pageSize: 10 });
  });

  test('listing_never_ends holds one task for ever', async () => {
    simulator = await startEhpc(25);
    simulator.inject({ kind: 'listing_never_ends' });
    const endless = String((await ask()).json['AsyncId']);
    const other = String((await ask()).json['AsyncId']);
    expect(ehpcListed(await finish(other)).names).toHaveLength(10);
    await sleep(20);
    const { json } = await ask(endless);
    expect([json['AsyncStatus'], json['Users']]).toEqual(['Processing', { UserInfo: [] }]);
  });

  test.each(['instant', 'never'] as AsyncListing[])(
    'a listing that never ends where asyncListing is %s',
    async (asyncListing) => {
      simulator = await startEhpc(25, { asyncListing });
      if (asyncListing === 'instant') simulator.inject({ kind: 'listing_never_ends' });
      const id = String((await ask()).json['AsyncId']);
      await sleep(20);
      expect((await ask(id)).json['AsyncStatus']).toBe('Processing');
    },
  );
});

describe('Shanhe', () => {
  test('maxLimit', async () => {
    const simulator = await startShanhe(25, { quirks: { maxLimit: 8 } });
    const reply = await get(simulator, '/user', { cluster_id: SHANHE_CLUSTER, offset: '10', limit: '100' });
    expect(usersOf(reply).map(({ username }) => username)).toEqual(seeded(10, 18));
    await simulator.close();
  });
});
