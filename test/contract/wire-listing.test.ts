/** Lists with holes, without an end, or that repeat themselves: no user is lost, and no reading is endless. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type FakeVendor, fakeEhpc, fakeShanhe, type List } from '../support/fake-vendor.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const start = async (vendor: FakeVendor, more: object = {}): Promise<TestGateway> => {
  cleanups.push(() => vendor.close());
  const gateway = await startGateway({ ...vendor.raw, ...more, server: { settleSeconds: 0, drainSeconds: 0 } });
  cleanups.push(() => gateway.stop());
  return gateway;
};

const USERS = '/clusters/c/users';
const nameOf = (index: number): string => `u${index}`;
const namesBetween = (from: number, to: number): string[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => nameOf(from + index));
const honest =
  (total: number): List =>
  ({ start, size }) => ({ names: namesBetween(start, Math.min(start + size, total)), total });

const walkOf = async (gateway: TestGateway, limit: number): Promise<string[]> => {
  const met: string[] = [];
  for (let path: string | undefined = `${USERS}?limit=${limit}`; path; ) {
    const { status, body, headers }: Awaited<ReturnType<TestGateway['get']>> = await gateway.get(path);
    expect(status).toBe(200);
    met.push(...body.items.map(({ username }: { username: string }) => username));
    path = /^<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
  }
  return met;
};

const batch = (gateway: TestGateway, items: readonly object[], dryRun: boolean) =>
  gateway.post(`${USERS}/batch`, { dryRun, items });

describe.each([
  ['Shanhe, with a total', (list: List) => fakeShanhe(list)],
  ['Shanhe, without one', (list: List) => fakeShanhe((asked) => ({ ...list(asked), total: null }))],
])('a page that is shorter than asked: %s', (_, fake) => {
  const TOTAL = 250;
  /** The second page and what follows it come in pieces of 30. */
  const short: List = (asked) => {
    const { names, total } = honest(TOTAL)(asked);
    return { names: asked.start >= 100 ? names.slice(0, 30) : names, total };
  };

  it('makes no hole in a walk, in one large window, or around one user', async () => {
    const gateway = await start(await fake(short));
    expect(await walkOf(gateway, 60)).toEqual(namesBetween(0, TOTAL));
    expect((await walkOf(gateway, 1000)).length).toBe(TOTAL);
    for (const index of [131, 199, 249]) expect((await gateway.get(`${USERS}/${nameOf(index)}`)).status).toBe(200);
    expect((await gateway.get(`${USERS}/nobody`)).status).toBe(404);
    expect((await gateway.get(`${USERS}?search=24&limit=100`)).body.total).toBe(13);
  });

  it('hides no user from a dry run', async () => {
    const gateway = await start(await fake(short));
    const items = [
      { op: 'delete', username: 'u140' },
      { op: 'create', username: 'u141', password: 'kUISjs@kkkkkk!' },
    ];
    const { body } = await batch(gateway, items, true);
    expect(body.results).toMatchObject([{ status: 'deleted' }, { status: 'already_exists' }]);
  });
});

describe('E-HPC', () => {
  const TOTAL = 125;

  it.each(['sync', 'async'] as const)('is read on in the page size that it echoes (%s)', async (listing) => {
    const clamped: List = ({ start, size }) => {
      const pageSize = Math.min(size, 20);
      const from = (start / size) * pageSize;
      return { names: namesBetween(from, Math.min(from + pageSize, TOTAL)), total: TOTAL, pageSize };
    };
    const gateway = await start(await fakeEhpc(clamped, listing));
    expect(await walkOf(gateway, 60)).toEqual(namesBetween(0, TOTAL));
    expect(await walkOf(gateway, 1000)).toEqual(namesBetween(0, TOTAL));
    expect((await gateway.get(`${USERS}/u124`)).status).toBe(200);
  });

  it('says that its list is incomplete where rows cannot be had, instead of answering without them', async () => {
    const hole: List = (asked) => {
      const { names, total } = honest(TOTAL)(asked);
      return { names: names.filter((name) => name !== 'u60'), total };
    };
    const gateway = await start(await fakeEhpc(hole));
    for (const path of [`${USERS}?limit=1000`, `${USERS}?search=u`, `${USERS}/u60`, `${USERS}/nobody`]) {
      const { status, body } = await gateway.get(path);
      expect([path, status, body.code]).toEqual([path, 502, 'vendor_bad_response']);
      expect(body.detail).toContain('incomplete');
    }
    const dry = await batch(gateway, [{ op: 'delete', username: 'user.60' }], true);
    expect([dry.status, dry.body.code]).toEqual([502, 'vendor_bad_response']);
    // Who is in the list is there, and a window without a hole is whole.
    expect((await gateway.get(`${USERS}/u124`)).status).toBe(200);
    expect((await gateway.get(`${USERS}?limit=50`)).status).toBe(200);
  });

  it('is read once more where a hole was a moment’s', async () => {
    const once: List = (asked) => {
      const { names, total } = honest(TOTAL)(asked);
      return { names: asked.call === 2 ? names.slice(0, 30) : names, total };
    };
    const gateway = await start(await fakeEhpc(once));
    expect(await walkOf(gateway, 1000)).toEqual(namesBetween(0, TOTAL));
  });
});

describe.each([
  ['Shanhe', (list: List) => fakeShanhe(list), 100],
  ['E-HPC', (list: List) => fakeEhpc(list), 50],
] as const)('a list without an end: %s', (_, fake, vendorPage) => {
  it('is refused by its total as soon as it is to be read as a whole, and still gives a window', async () => {
    const vendor = await fake(({ start, size }) => ({ names: namesBetween(start, start + size), total: 1e12 }));
    const gateway = await start(vendor);
    const { status, body } = await gateway.get(`${USERS}?limit=50`);
    expect([status, body.items.length, body.total]).toEqual([200, 50, 1e12]);
    for (const path of [`${USERS}?role=member`, `${USERS}/nobody`]) {
      const before = vendor.asked.length;
      const { status, body } = await gateway.get(path);
      expect([path, status, body.code]).toEqual([path, 502, 'vendor_bad_response']);
      expect(body.detail).toContain('limits.maxListUsers');
      expect(vendor.asked.length - before).toBeLessThanOrEqual(9);
    }
  });

  it('is refused where it has no total', async () => {
    const vendor = await fake(({ start, size }) => ({ names: namesBetween(start, start + size), total: null }));
    const gateway = await start(vendor, { limits: { maxListUsers: vendorPage * 10 } });
    const { status, body } = await gateway.get(`${USERS}/nobody`);
    expect([status, body.code]).toEqual([502, 'vendor_bad_response']);
    expect(vendor.asked.length).toBeLessThanOrEqual(18);
  });

  it.each([1e12, 1000, null])('is refused where each page is the same (total %j)', async (total) => {
    const vendor = await fake(({ size }) => ({ names: namesBetween(0, size), total }));
    const gateway = await start(vendor);
    for (const path of [`${USERS}?limit=1000`, `${USERS}?search=u`, `${USERS}/nobody`]) {
      const { status, body } = await gateway.get(path);
      expect([path, status, body.code]).toEqual([path, 502, 'vendor_bad_response']);
    }
    expect(vendor.asked.length).toBeLessThanOrEqual(30);
  });
});
