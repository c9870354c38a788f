/** Who is in a list, and what a list proves about who is not. */
import { describe, expect, it } from '@jest/globals';
import { memory } from '../../adapters/memory/index.js';
import type { Adapter, Call, UserSlice, UserWindow, VendorUser } from '../../src/adapter.js';
import type { Account, Target } from '../../src/clusters/registry.js';
import { findUser, findUsers, walk } from '../../src/users/find.js';
import { vendorUser } from '../support/vendor-user.js';

const call: Call = { requestId: 'r', signal: AbortSignal.timeout(60_000) };
const PAGE = 10;
const TOTAL = 95;

const user = (index: number): VendorUser => vendorUser(`u${index}`);

type Fault = (honest: UserSlice, window: UserWindow, call: number) => UserSlice;

/** A cluster of 95 users in pages of ten, whose honest windows a fault may change. */
const clusterOf = (fault: Fault = (honest) => honest, more: Partial<Adapter> = {}, maxListUsers = 1_000) => {
  const windows: UserWindow[] = [];
  const listUsers: Adapter['listUsers'] = async (_, window) => {
    windows.push(window);
    const end = Math.min(TOTAL, window.offset + window.limit);
    const users = Array.from({ length: Math.max(0, end - window.offset) }, (_, index) => user(window.offset + index));
    return fault({ users, total: TOTAL }, window, windows.length);
  };
  const module = { ...memory, capabilities: () => ({ ...memory.capabilities(), pageSize: PAGE }) };
  const account = { module, adapter: { listUsers, ...more }, maxListUsers } as unknown as Account;
  const target: Target = { id: 'c', account, vendorClusterId: 'v', discovered: false };
  return { target, windows, limits: () => windows.map(({ limit }) => limit) };
};

const incomplete: Fault = (honest) => ({
  ...honest,
  users: honest.users.filter(({ username }) => username !== 'u50'),
  incomplete: true,
});
const untold: Fault = (honest) => ({ ...honest, total: null });

describe('one user', () => {
  it.each([undefined, untold])('is found on any page, and their absence is known (%#)', async (fault) => {
    const { target } = clusterOf(fault);
    expect(await findUser(target, 'u94', call)).toMatchObject({ username: 'u94' });
    expect(await findUser(target, 'u9', call)).toMatchObject({ username: 'u9' });
    expect(await findUser(target, 'u95', call)).toBeNull();
  });

  it('who is in an incomplete list is there; of others nothing is known', async () => {
    const { target } = clusterOf(incomplete);
    expect(await findUser(target, 'u94', call)).toMatchObject({ username: 'u94' });
    await expect(findUser(target, 'u50', call)).rejects.toMatchObject({
      code: 'vendor_bad_response',
      message: "The vendor's list of users of the cluster c was incomplete, so whether the user u50 exists is not known.",
    });
  });

  it('is looked for again where the first reading was incomplete', async () => {
    const { target, windows } = clusterOf((honest, window, call) => (call <= 3 ? incomplete(honest, window, call) : honest));
    expect(await findUser(target, 'u50', call)).toMatchObject({ username: 'u50' });
    expect(windows).toHaveLength(3 + 2);
  });

  it('is not proven absent by a shortcut', async () => {
    const { target } = clusterOf(undefined, { lookUpUser: async () => null });
    expect(await findUser(target, 'u50', call)).toMatchObject({ username: 'u50' });
  });
});

describe('many users', () => {
  it('are found in one reading, which ends with the last of them', async () => {
    const { target, windows } = clusterOf();
    const { found, complete } = await findUsers(target, ['u1', 'u81'], call);
    expect([found.get('u1')?.username, found.get('u81')?.username, complete, windows.length]).toEqual(['u1', 'u81', true, 2]);
  });

  it('who are not there are known to be absent from a complete list only', async () => {
    const whole = await findUsers(clusterOf().target, ['u1', 'nobody'], call);
    expect([whole.found.get('u1')?.username, whole.found.get('nobody'), whole.complete]).toEqual(['u1', null, true]);
    const holes = await findUsers(clusterOf(incomplete).target, ['u1', 'u50'], call);
    expect([holes.found.get('u1')?.username, holes.found.get('u50'), holes.complete]).toEqual(['u1', null, false]);
  });

  it('are known once all are found, whatever the rest of the list is like', async () => {
    expect((await findUsers(clusterOf(incomplete).target, ['u1', 'u2'], call)).complete).toBe(true);
  });

  it('are not looked for where there are none', async () => {
    const { target, windows } = clusterOf();
    expect(await findUsers(target, [], call)).toEqual({ found: new Map(), isWhole: true, complete: true, omitted: 0 });
    expect(windows).toEqual([]);
  });

  it.each([
    [1, [10], false],
    [4, [10, 30], false],
    [6, [10, 50], false],
    [9, [10, 80], false],
    [10, [10, 80, 10], true],
    [50, [10, 80, 80], true],
  ])('are looked for in at most %i pages', async (maxPages, limits, complete) => {
    const cluster = clusterOf();
    expect((await findUsers(cluster.target, ['nobody'], call, { maxPages })).complete).toBe(complete);
    expect(cluster.limits()).toEqual(limits);
  });

  it('are looked for in at most so many pages, readings that are repeated included', async () => {
    const cluster = clusterOf(incomplete);
    expect((await findUsers(cluster.target, ['nobody'], call, { maxPages: 15 })).complete).toBe(false);
    expect(cluster.limits().reduce((sum, limit) => sum + limit)).toBeLessThanOrEqual(15 * PAGE);
  });
});

describe('a list', () => {
  const tooLong = { code: 'vendor_bad_response', message: expect.stringContaining('limits.maxListUsers') };

  it('that says it is too long is refused after one window, of one page where pages are counted', async () => {
    const cluster = clusterOf((honest) => ({ ...honest, total: 1e12 }));
    await expect(findUser(cluster.target, 'nobody', call)).rejects.toMatchObject(tooLong);
    await expect(findUsers(cluster.target, ['nobody'], call, { maxPages: 60 })).rejects.toMatchObject(tooLong);
    expect(cluster.limits()).toEqual([80, 10]);
  });

  it('without a total is refused beyond the limit', async () => {
    const endless = clusterOf((_, { offset, limit }) => ({
      users: Array.from({ length: limit }, (_, index) => user(offset + index)),
      total: null,
    }));
    await expect(walk(endless.target, call)).rejects.toMatchObject(tooLong);
    expect(endless.windows).toHaveLength(13);
  });

  it('of the limit is read', async () => {
    expect((await walk(clusterOf(undefined, {}, TOTAL).target, call)).users).toHaveLength(TOTAL);
  });

  it.each([null, TOTAL])('that repeats itself is refused (total %j)', async (total) => {
    const { target, windows } = clusterOf((_, { limit }) => ({
      users: Array.from({ length: limit }, (_, index) => user(index)),
      total,
    }));
    await expect(walk(target, call)).rejects.toMatchObject({ code: 'vendor_bad_response' });
    expect(windows).toHaveLength(2);
  });

  it('whose total changes between windows is read again, three times at most', async () => {
    const settling = clusterOf((honest, _, call) => ({ ...honest, total: call === 1 ? TOTAL + 1 : TOTAL }));
    expect(await walk(settling.target, call)).toMatchObject({ complete: true });
    expect(settling.windows).toHaveLength(4);
    const restless = clusterOf((honest, _, call) => ({ ...honest, total: TOTAL + call }));
    expect(await walk(restless.target, call)).toMatchObject({ complete: false });
    expect(restless.windows).toHaveLength(6);
  });
});
