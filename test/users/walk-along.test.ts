/** A list of any length, a few pages at a time. */
import { describe, expect, it } from '@jest/globals';
import { memory } from '../../adapters/memory/index.js';
import type { Adapter, Call } from '../../src/adapter.js';
import type { Account, Target } from '../../src/clusters/registry.js';
import { walkAlong } from '../../src/users/walk-along.js';
import { vendorUser } from '../support/vendor-user.js';

const PAGE = 10;
const WINDOW = 8 * PAGE;
const nextCall = (): Call => ({ requestId: 'r', signal: AbortSignal.timeout(60_000) });

/** A cluster of these users, which change after the reading of a window. */
const clusterOf = (
  names: readonly string[],
  change: (names: readonly string[], windows: number) => readonly string[] = (same) => same,
) => {
  let present = names;
  let windows = 0;
  const listUsers: Adapter['listUsers'] = async (_, { offset, limit }) => {
    const users = present.slice(offset, offset + limit).map(vendorUser);
    const slice = { users, total: present.length };
    present = change(present, ++windows);
    return slice;
  };
  const module = { ...memory, capabilities: () => ({ ...memory.capabilities(), pageSize: PAGE }) };
  const account = { module, adapter: { listUsers }, maxListUsers: 1_000 } as unknown as Account;
  return { id: 'c', account, vendorClusterId: 'v', discovered: false } satisfies Target;
};

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `u${index}`);

const read = async (target: Target, from = 0): Promise<string[]> => {
  const names: string[] = [];
  for await (const { users } of walkAlong(target, from, nextCall)) names.push(...users.map(({ username }) => username));
  return names;
};

describe('a walk along a list', () => {
  it.each([0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 250])('has all of %i users once', async (count) => {
    expect(await read(clusterOf(numbered(count)))).toEqual(numbered(count));
    expect(await read(clusterOf(numbered(count)), 7)).toEqual(numbered(count).slice(7));
  });

  it('misses nobody where users before it are deleted meanwhile', async () => {
    const target = clusterOf(numbered(250), (names, windows) => (windows < 3 ? names.slice(5) : names));
    const found = await read(target);
    expect(found.slice(0, WINDOW)).toEqual(numbered(WINDOW));
    // Those who were there all the time.
    for (const name of numbered(250).slice(10)) expect(found).toContain(name);
    expect(new Set(found).size).toBe(found.length);
  });

  it('has those who are added at the end', async () => {
    const target = clusterOf(numbered(100), (names, windows) => (windows === 1 ? [...names, 'new'] : names));
    expect(await read(target)).toEqual([...numbered(100), 'new']);
  });

  it('ends where a list does not', async () => {
    await expect(read(clusterOf(numbered(250), (names) => [...names, ...names.map((name) => `${name}x`)]))).rejects.toMatchObject(
      {
        code: 'vendor_bad_response',
      },
    );
  });
});
