import { expect, it } from '@jest/globals';
import { memory } from '../../adapters/memory/index.js';
import type { Adapter } from '../../src/adapter.js';
import { systemClock } from '../../src/clock.js';
import type { Target } from '../../src/clusters/registry.js';
import { createSharedReads } from '../../src/users/shared-reads.js';
import { vendorUser } from '../support/vendor-user.js';

const stage = (there: readonly string[]) => {
  let listings = 0;
  let failure: Error | undefined;
  const releases: (() => void)[] = [];
  const signals: AbortSignal[] = [];
  const adapter: Partial<Adapter> = {
    listUsers: async (_, __, call) => {
      listings++;
      signals.push(call.signal);
      await new Promise<void>((resolve) => releases.push(resolve));
      if (failure) throw failure;
      return { users: there.map(vendorUser), total: there.length };
    },
  };
  const account = { adapter, module: memory, settings: {}, name: 'a', maxListUsers: 1_000 };
  const target = { id: 'c', vendorClusterId: 'v', account, discovered: false } as unknown as Target;
  const reads = createSharedReads(systemClock);
  const find = (names: readonly string[], signal = new AbortController().signal) =>
    reads.find(target, names, { requestId: 'r', signal }, {});
  const turns = async () => {
    for (let at = 0; at < 5; at++) await new Promise((resolve) => setImmediate(resolve));
  };
  const release = async () => {
    await turns();
    for (const each of releases.splice(0)) each();
    await turns();
  };
  const fail = (error: Error | undefined): void => {
    failure = error;
  };
  return { find, release, turns, signals, listings: () => listings, fail };
};

it('reads once for those who ask at once, and each gets their own', async () => {
  const { find, release, listings } = stage(['ada', 'bob']);
  const all = Promise.all([find(['ada']), find(['bob', 'eve'])]);
  await release();
  const [ada, others] = await all;
  expect(listings()).toBe(1);
  expect([[...ada.found.keys()], ada.complete]).toEqual([['ada'], true]);
  expect([others.found.get('bob')?.username, others.found.get('eve'), others.complete]).toEqual(['bob', null, true]);
});

it('reads again for those who ask while it reads: what was read before they asked proves nothing to them', async () => {
  const { find, release, turns, listings } = stage(['ada']);
  const first = find(['ada']);
  await turns();
  const later = [find(['ada']), find(['eve'])];
  await turns();
  expect(listings()).toBe(1);
  await release();
  await first;
  await release();
  await Promise.all(later);
  expect(listings()).toBe(2);
});

it('ends when nobody waits for it any more', async () => {
  const { find, turns, signals, listings } = stage(['ada']);
  const [one, other] = [new AbortController(), new AbortController()];
  const asked = [find(['ada'], one.signal), find(['ada'], other.signal)].map((each) => each.catch(({ code }) => code));
  await turns();
  one.abort();
  await turns();
  expect([listings(), signals[0]?.aborted]).toEqual([1, false]);
  other.abort();
  await turns();
  expect([await Promise.all(asked), signals[0]?.aborted]).toEqual([['vendor_timeout', 'vendor_timeout'], true]);
  // One that nobody waits for by the time it would begin is not made at all.
  const over = new AbortController();
  const third = find(['ada'], over.signal).catch(({ code }) => code);
  over.abort();
  await turns();
  expect([await third, listings()]).toEqual(['vendor_timeout', 1]);
});

it('ends for each at their own deadline, and fails for all who asked', async () => {
  const { find, release, fail } = stage(['ada']);
  const over = new AbortController();
  const impatient = find(['ada'], over.signal);
  const patient = find(['ada']);
  over.abort();
  await expect(impatient).rejects.toMatchObject({ code: 'vendor_timeout' });
  fail(new TypeError('no'));
  const failed = expect(patient).rejects.toBeInstanceOf(TypeError);
  await release();
  await failed;
  const next = find(['ada']);
  fail(undefined);
  await release();
  expect((await next).complete).toBe(true);
});
