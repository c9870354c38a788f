/** Which process works for which domain: two of them on one store, and what they tell each other. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import { createDomains, type DomainRecords, type Domains } from '../../src/journal/domains.js';
import { type Holding, OwnershipLost } from '../../src/journal/holding.js';
import type { LoadedOperation, OpenRef } from '../../src/journal/records.js';
import type { Shared } from '../../src/store/store.js';
import { pause, until } from '../support/wait.js';

const ref = (id: string): OpenRef => ({ id, lane: 'a cluster' });

const LEASE_MS = 600;
const CALL_MS = 1_000;

/** A store that processes share, in memory. */
const createSharedStore = () => {
  const leases = new Map<string, { holder: string; until: number }>();
  const listeners = new Map<string, (text: string) => void>();
  const open = new Map<string, Set<string>>();
  const epochs = new Map<string, number>();
  /** Processes that do not reach the store. */
  const cutOff = new Set<number>();
  let identity = 'first';
  let since = 0;
  const holderOf = (name: string): string | undefined => {
    const lease = leases.get(name);
    return lease && lease.until > Date.now() ? lease.holder : undefined;
  };
  const sharedOf = (process: number): Shared => {
    const reach = (): void => {
      if (cutOff.has(process)) throw new Error('not reached');
    };
    return {
      hold: async (name, holder, ms) => {
        reach();
        const present = holderOf(name);
        if (present !== undefined && present !== holder) return false;
        leases.set(name, { holder, until: Date.now() + ms });
        return true;
      },
      release: async (name, holder) => {
        reach();
        if (holderOf(name) === holder) leases.delete(name);
      },
      notifyHolder: async (name, text) => {
        reach();
        listeners.get(holderOf(name) ?? '')?.(text);
      },
      notify: async (holder, text) => {
        reach();
        listeners.get(holder)?.(text);
      },
      identity: async () => {
        reach();
        return identity;
      },
      get lastIdentity() {
        return identity;
      },
      listen: (holder, onText) => void listeners.set(holder, onText),
    };
  };
  const records: DomainRecords = {
    noteGeneration: async () => since,
    takeDomain: async (domain, _, above = 0) => {
      const epoch = Math.max(epochs.get(domain) ?? 0, above) + 1;
      epochs.set(domain, epoch);
      return epoch;
    },
    domains: async () => [...open.keys()],
    openIn: async (domain) => [...(open.get(domain) ?? [])].map(ref),
    load: async (id) => ({ id, state: 'pending' }) as LoadedOperation,
  };
  /** Another server, which has not seen the last changes. */
  const failOver = (): void => {
    identity = 'second';
    since = Date.now();
    leases.clear();
    epochs.clear();
  };
  return { sharedOf, records, open, cutOff, failOver };
};

const started: Domains[] = [];
afterEach(async () => {
  for (const domains of started.splice(0)) await domains.close();
});

const stage = () => {
  const { sharedOf, records, open, cutOff, failOver } = createSharedStore();
  const restored: Holding[] = [];
  const runs: { process: number; id: string; holding: Holding }[] = [];
  const news: string[] = [];
  const ends = new Map<string, () => void>();
  const faults: unknown[] = [];
  const process = (number: number, run = (id: string) => new Promise<void>((resolve) => ends.set(id, resolve))): Domains => {
    const domains = createDomains({
      records,
      shared: sharedOf(number),
      clock: systemClock,
      leaseMs: LEASE_MS,
      callMs: CALL_MS,
      run: async ({ id }, holding) => {
        runs.push({ process: number, id, holding });
        await run(id);
        open.get(holding.domain)?.delete(id);
      },
      restore: async (holding) => void restored.push({ ...holding }),
      onNews: (id) => news.push(`${number} ${id}`),
      onFault: (error) => faults.push(error),
    });
    started.push(domains);
    return domains;
  };
  const begin = (domain: string, id: string): void => void open.set(domain, (open.get(domain) ?? new Set()).add(id));
  const ran = (): string[] => runs.map(({ process: number, id }) => `${number} ${id}`);
  return { process, begin, ran, runs, ends, news, faults, cutOff, failOver, restored };
};

describe('a domain', () => {
  it('is taken by the process that is asked first, which then works for all', async () => {
    const { process, begin, ran } = stage();
    const [one, other] = [process(1), process(2)];
    begin('d', 'a');
    await one.wake('d', ref('a'));
    begin('d', 'b');
    await other.wake('d', ref('b'));
    await until(() => ran().length === 2);
    expect(ran()).toEqual(['1 a', '1 b']);
    begin('e', 'c');
    await other.wake('e', ref('c'));
    await until(() => ran().length === 3);
    expect(ran()).toEqual(['1 a', '1 b', '2 c']);
  });

  it('is kept as long as its holder lives, and taken over with a higher epoch when it does not', async () => {
    const { process, begin, ran, runs, cutOff } = stage();
    const [one] = [process(1), process(2)];
    begin('d', 'a');
    await one.wake('d', ref('a'));
    await pause(2 * LEASE_MS);
    expect(ran()).toEqual(['1 a']);
    cutOff.add(1);
    await until(() => ran().length === 2);
    expect(ran()).toEqual(['1 a', '2 a']);
    expect(runs.map(({ holding }) => holding.epoch)).toEqual([1, 2]);
    expect(runs[0]?.holding.lost.aborted).toBe(false);
    cutOff.delete(1);
    await until(() => runs[0]?.holding.lost.aborted === true);
  });

  it('may be written for only until half of the lease is over without a renewal', async () => {
    const { process, begin, runs, cutOff } = stage();
    const one = process(1);
    begin('d', 'a');
    await one.wake('d', ref('a'));
    await until(() => runs.length === 1);
    const { holding } = runs[0] as { holding: Holding };
    await pause(LEASE_MS);
    expect(holding.mayWrite()).toBe(true);
    cutOff.add(1);
    await pause(LEASE_MS / 2 + LEASE_MS / 3);
    expect(holding.mayWrite()).toBe(false);
    // It is still the holder when it reaches the store again, if nobody took the domain meanwhile.
    cutOff.delete(1);
    await until(() => holding.mayWrite());
    expect(holding.lost.aborted).toBe(false);
  });

  it('is given up by work that finds a higher epoch', async () => {
    const { process, begin, runs, faults } = stage();
    const one = process(1, async () => {
      throw new OwnershipLost();
    });
    begin('d', 'a');
    await one.wake('d', ref('a'));
    await until(() => runs[0]?.holding.lost.aborted === true);
    expect([runs[0]?.holding.mayWrite(), faults]).toEqual([false, []]);
  });

  it('has nothing begun for it by a process that is pausing, and is free when that has closed', async () => {
    const { process, begin, ran, ends } = stage();
    const [one, other] = [process(1), process(2)];
    begin('d', 'a');
    await one.wake('d', ref('a'));
    await until(() => ran().length === 1);
    one.pause();
    begin('d', 'b');
    await one.wake('d', ref('b'));
    expect(ran()).toEqual(['1 a']);
    ends.get('a')?.();
    await one.idle();
    await one.close();
    await other.wake('d', ref('b'));
    await until(() => ran().length === 2);
    expect(ran()).toEqual(['1 a', '2 b']);
  });
});

it('says from when on nothing of an earlier holder is under way', async () => {
  const { process, begin, runs } = stage();
  begin('d', 'a');
  await process(1).wake('d', ref('a'));
  await until(() => runs.length === 1);
  const { holding } = runs[0] as { holding: Holding };
  const now = Date.now();
  // Sent long ago, and sent by a process whose clock is ahead.
  expect(holding.quietAfter(now - 60_000)).toBeLessThan(now);
  expect(holding.quietAfter(now + 60_000)).toBeLessThan(now + CALL_MS + 1_000);
});

it('brings news to the process that works, and to the one that waits', async () => {
  const { process, begin, news } = stage();
  const [one, other] = [process(1), process(2)];
  begin('d', 'a');
  await one.wake('d', ref('a'));
  await other.notifyWorker('d', 'a');
  await one.notifyProcess(other.process, 'a');
  expect(news.toSorted()).toEqual(['1 a', '2 a', '2 a']);
});

describe('a failover to a replica that lags', () => {
  it('takes nothing from the process that works: it takes its domain again, with a higher epoch, and stores what it knows', async () => {
    const { process, begin, runs, failOver, restored, ran } = stage();
    const [one, other] = [process(1), process(2)];
    begin('d', 'a');
    await one.wake('d', ref('a'));
    await until(() => runs.length === 1);
    const { holding } = runs[0] as (typeof runs)[number];
    const before = holding.epoch;
    failOver();
    // Another process finds the domain free; it gives the first one time to come back.
    begin('d', 'b');
    void other.wake('d', ref('b'));
    await until(() => restored.length === 1);
    expect(restored[0]?.epoch).toBeGreaterThan(before);
    await until(() => holding.mayWrite());
    expect([holding.lost.aborted, holding.traceless > 0]).toEqual([false, true]);
    await until(() => runs.length === 2);
    expect(ran()).toEqual(['1 a', '1 b']);
  });

  it('takes the domain from a process that does not come back in time; it may not write', async () => {
    const { process, begin, runs, failOver, cutOff } = stage();
    const [one, other] = [process(1), process(2)];
    begin('d', 'a');
    await one.wake('d', ref('a'));
    await until(() => runs.length === 1);
    const { holding } = runs[0] as (typeof runs)[number];
    failOver();
    cutOff.add(1);
    void other.wake('d', ref('a'));
    await until(() => runs.length === 2);
    expect(runs[1]?.process).toBe(2);
    expect(holding.mayWrite()).toBe(false);
    cutOff.delete(1);
    await until(() => holding.lost.aborted);
  });
});
