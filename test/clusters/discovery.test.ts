/** Discovered clusters while accounts are slow or silent: whose they are, and who may write to them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { ClusterListing } from '../../src/adapter.js';
import type { Caller } from '../../src/callers/caller.js';
import { createDiscovery as createDiscoveryOf, type OnShared } from '../../src/clusters/discovery.js';
import { createListings } from '../../src/clusters/listings.js';
import type { Account } from '../../src/clusters/registry.js';
import { GatewayError } from '../../src/errors.js';
import { anybodysCall } from '../support/callers.js';

const createDiscovery = (registry: Parameters<typeof createDiscoveryOf>[0], onShared: OnShared) =>
  createDiscoveryOf(registry, createListings(), onShared);

const realNow = Date.now;
let passed = 0;
beforeEach(() => {
  passed = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => realNow() + passed);
});
afterEach(() => {
  jest.restoreAllMocks();
});
/** Lists that were read are old now. */
const later = (): void => {
  passed += 31_000;
};

const X = { clusters: [{ id: 'X' }] } as unknown as ClusterListing;
const NOTHING: ClusterListing = { clusters: [] };
const account = (name: string, domain: string, listClusters: () => Promise<ClusterListing>): Account =>
  ({
    name,
    domain,
    discover: true,
    settings: {},
    module: { vendor: 'v', clusterKey: (_: unknown, id: string) => id },
    adapter: { listClusters },
  }) as unknown as Account;
const call = () => anybodysCall(AbortSignal.timeout(5_000));
const never = (): Promise<never> => new Promise(() => undefined);

it('a cluster that a slow account of another domain shows too is read only, from the first moment', async () => {
  let isShared = false;
  const fast = account('fast', 'one', async () => (isShared ? X : NOTHING));
  const slow = account('slow', 'two', async () => {
    await sleep(isShared ? 200 : 0);
    return isShared ? X : NOTHING;
  });
  const discovery = createDiscovery({ accounts: [fast, slow], targets: [] }, () => undefined);
  await expect(discovery.find('X', call())).rejects.toMatchObject({ code: 'cluster_not_found' });
  isShared = true;
  later();
  expect(await discovery.find('X', call())).toMatchObject({ account: { name: 'fast' }, writtenBy: 'slow' });
});

it('a silent account is not asked for what another one has, and its old list keeps a cluster read only', async () => {
  let list: () => Promise<ClusterListing> = async () => X;
  const silent = account('silent', 'one', () => list());
  for (const [domain, writtenBy] of [
    ['one', undefined],
    ['two', 'silent'],
  ] as const) {
    list = async () => X;
    const other = account('other', domain, async () => X);
    const discovery = createDiscovery({ accounts: [silent, other], targets: [] }, () => undefined);
    await discovery.find('X', call());
    list = never;
    later();
    const found = await discovery.find('X', call());
    expect([found.account.name, found.writtenBy]).toEqual(['other', writtenBy]);
    expect(discovery.owned(found, new Map([[other, X]])).writtenBy).toBe(writtenBy);
    const since = performance.now();
    for (let time = 0; time < 20; time++) await discovery.find('X', call());
    // It is waited for once, not by everybody.
    expect(performance.now() - since).toBeLessThan(900);
  }
});

it('what nobody has is reported only when all have answered', async () => {
  const failure = new Error('away');
  const away = account('away', 'one', async () => {
    throw failure;
  });
  const discovery = createDiscovery(
    { accounts: [away, account('empty', 'one', async () => NOTHING)], targets: [] },
    () => undefined,
  );
  await expect(discovery.find('X', call())).rejects.toBe(failure);
});

it('the failure of an account is shown to those who may know the account', async () => {
  const failure = new Error('away');
  let list = async (): Promise<ClusterListing> => X;
  const account1 = account('one', 'one', () => list());
  const discovery = createDiscovery({ accounts: [account1], targets: [] }, () => undefined);
  const callOf = (glob: string) => ({
    ...call(),
    caller: { id: 'c', limits: {}, rights: [{ clusters: [glob], verbs: ['read'], roles: [] }] } as Caller,
  });
  expect((await discovery.find('X', callOf('X*'))).id).toBe('X');
  expect(['*', 'X*', 'jn-*'].map((glob) => discovery.isKnownTo(account1, callOf(glob)))).toEqual([true, true, false]);
  later();
  list = async () => {
    throw failure;
  };
  for (const glob of ['*', 'X*']) await expect(discovery.find('jn-1', callOf(glob))).rejects.toBe(failure);
  await expect(discovery.find('jn-1', callOf('jn-*'))).rejects.toMatchObject({
    code: 'vendor_unavailable',
    message: 'Whether there is a cluster jn-1 cannot be found out now.',
  });
  // Of one that never answered nobody knows what it has.
  const fresh = createDiscovery({ accounts: [account1], targets: [] }, () => undefined);
  await expect(fresh.find('jn-1', callOf('jn-*'))).rejects.toBe(failure);
});

it('a cluster that was there is served while its account does not answer', async () => {
  let list: () => Promise<ClusterListing> = async () => X;
  const silent = account('silent', 'one', () => list());
  const other = account('other', 'two', async () => NOTHING);
  const discovery = createDiscovery({ accounts: [silent, other], targets: [] }, () => undefined);
  await discovery.find('X', call());
  list = never;
  later();
  const since = performance.now();
  expect(await discovery.find('X', call())).toMatchObject({ id: 'X', account: { name: 'silent' } });
  expect(performance.now() - since).toBeLessThan(3_000);
  const seen: string[] = [];
  const problems = await discovery.forEach(call(), async ({ id }) => void seen.push(id));
  expect([seen, problems.map(({ account: name }) => name)]).toEqual([['X'], ['silent']]);
});

it('an account that failed is not asked again at once', async () => {
  let asked = 0;
  const failing = account('failing', 'one', async () => {
    asked++;
    throw new GatewayError('vendor_unavailable', 'down');
  });
  const discovery = createDiscovery({ accounts: [failing], targets: [] }, () => undefined);
  for (let time = 0; time < 20; time++) await expect(discovery.find('X', call())).rejects.toThrow('down');
  expect(asked).toBe(1);
  passed += 2_001;
  await expect(discovery.find('X', call())).rejects.toThrow('down');
  expect(asked).toBe(2);
});
