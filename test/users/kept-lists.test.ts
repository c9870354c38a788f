/** Bounds of the lists that are kept, and when they are out of date. */
import { describe, expect, it } from '@jest/globals';
import { memory } from '../../adapters/memory/index.js';
import type { CallerCall } from '../../src/callers/caller.js';
import { systemClock } from '../../src/clock.js';
import type { Account, Target } from '../../src/clusters/registry.js';
import { createEvents } from '../../src/telemetry/events.js';
import { createKeptLists } from '../../src/users/kept-lists.js';
import { anybodysCall } from '../support/callers.js';
import { vendorUser } from '../support/vendor-user.js';

const MINUTE = 60_000;

const setUp = ({ ms = MINUTE, maxUsers = 1_000 } = {}) => {
  let now = 1_000_000;
  let revision: string | undefined = 'first';
  const account = { name: 'a', module: memory, settings: {} } as unknown as Account;
  const targetOf = (vendorClusterId: string): Target => ({ id: vendorClusterId, account, vendorClusterId, discovered: false });
  const clock = { ...systemClock, now: () => now };
  const lists = createKeptLists('users', { of: async () => revision }, { ms, maxUsers }, clock, createEvents());
  const call: CallerCall = anybodysCall();
  return {
    lists,
    call,
    targetOf,
    keep: async (cluster: string, count: number) =>
      lists.keep(
        targetOf(cluster),
        await lists.look(targetOf(cluster), call),
        Array.from({ length: count }, (_, index) => vendorUser(`u${index}`)),
        0,
      ),
    kept: async (cluster: string, more: Partial<CallerCall> = {}) =>
      (await lists.look(targetOf(cluster), { ...call, ...more })).list,
    pass: (more: number) => {
      now += more;
    },
    write: (next: string | undefined) => {
      revision = next;
    },
  };
};

describe('a list that is kept', () => {
  it('is served for its time', async () => {
    const { keep, kept, pass } = setUp();
    const list = await keep('c', 3);
    expect(await kept('c')).toBe(list);
    expect(await kept('other')).toBeUndefined();
    pass(MINUTE - 1);
    expect(await kept('c')).toBe(list);
    pass(1);
    expect(await kept('c')).toBeUndefined();
  });

  it('is not served after a write, nor where the store does not say', async () => {
    const { keep, kept, write } = setUp();
    const list = await keep('c', 3);
    write(undefined);
    expect(await kept('c')).toBeUndefined();
    write('first');
    expect(await kept('c')).toBe(list);
    write('second');
    expect(await kept('c')).toBeUndefined();
  });

  it('that was read before a write is never served, however late its reading ends', async () => {
    const { lists, targetOf, call, kept, write } = setUp();
    const look = await lists.look(targetOf('c'), call);
    write('second');
    lists.keep(targetOf('c'), look, [vendorUser('old')], 0);
    expect(await kept('c')).toBeUndefined();
  });

  it('gives way to those that are used, beyond so many users in all', async () => {
    const { lists, keep, kept, pass } = setUp({ maxUsers: 10 });
    await keep('one', 4);
    pass(1);
    await keep('two', 4);
    pass(1);
    expect(await kept('one')).toBeDefined();
    await keep('three', 4);
    expect([await kept('one'), await kept('two'), await kept('three')].map((list) => list !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
    await keep('long', 11);
    expect(await kept('long')).toBeUndefined();
    expect(lists.size()).toBe(8);
  });

  it('stays for those who page through it, for five minutes after its last use', async () => {
    const { lists, targetOf, keep, pass, write } = setUp({ ms: 1_000 });
    const list = await keep('c', 3);
    lists.pin(list);
    write('second');
    for (let page = 0; page < 3; page++) {
      pass(4 * MINUTE);
      expect(lists.pinned(list.id, targetOf('c'))).toBe(list);
    }
    // A cursor of another cluster names nothing here.
    expect(lists.pinned(list.id, targetOf('other'))).toBeUndefined();
    pass(5 * MINUTE + 1);
    expect(lists.pinned(list.id, targetOf('c'))).toBeUndefined();
  });

  it('is younger than a second for who wants a fresh one', async () => {
    const { keep, kept, pass } = setUp();
    const list = await keep('c', 3);
    pass(999);
    expect(await kept('c', { isFresh: true })).toBe(list);
    pass(1);
    expect(await kept('c', { isFresh: true })).toBeUndefined();
    expect(await kept('c')).toBe(list);
  });
});

describe('one reading for all who ask meanwhile', () => {
  it('is for those who came after the same writes', async () => {
    const { lists, targetOf, call, write } = setUp();
    const target = targetOf('c');
    let reads = 0;
    const read = async (): Promise<number> => {
      const mine = ++reads;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return mine;
    };
    const ask = async () => (await lists.share(target, await lists.look(target, call), ['w'], call, read)).value;
    const early = Promise.all([ask(), ask()]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    write('second');
    const late = ask();
    expect([await early, await late]).toEqual([[1, 1], 2]);
  });

  it('ends when the last of them has left, and begins again for the next', async () => {
    const { lists, targetOf, call } = setUp();
    const target = targetOf('c');
    const signals: AbortSignal[] = [];
    const read = ({ signal }: { signal: AbortSignal }): Promise<string> => {
      signals.push(signal);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => resolve('done'), 50);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(new Error('left'));
        });
      });
    };
    const leaving = new AbortController();
    const ask = async (signal: AbortSignal) =>
      lists.share(target, await lists.look(target, call), ['w'], { ...call, signal }, read);
    const left = ask(leaving.signal);
    await new Promise((resolve) => setTimeout(resolve, 5));
    leaving.abort();
    await expect(left).rejects.toThrow();
    expect((await ask(call.signal)).value).toBe('done');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('is as old as when it began, and not for who wants a fresh one', async () => {
    const { lists, targetOf, call, pass } = setUp();
    const target = targetOf('c');
    const releases: (() => void)[] = [];
    const read = (): Promise<number> => new Promise((resolve) => releases.push(() => resolve(releases.length)));
    const ask = async (isFresh = false) => {
      const asking = { ...call, isFresh };
      return lists.share(target, await lists.look(target, asking), ['w'], asking, read);
    };
    const first = ask();
    await new Promise((resolve) => setImmediate(resolve));
    pass(5_000);
    const joined = ask();
    const fresh = ask(true);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(releases).toHaveLength(2);
    for (const release of releases) release();
    expect((await joined).readAt).toBe((await first).readAt);
    expect((await fresh).readAt).toBe((await first).readAt + 5_000);
  });
});
