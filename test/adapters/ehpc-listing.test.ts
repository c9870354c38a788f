/** E-HPC's listing task, on a clock of the test's own. */
import { describe, expect, it } from '@jest/globals';
import { alibabaEhpc } from '../../adapters/alibaba-ehpc/index.js';
import type { AdapterContext } from '../../src/adapter.js';
import { Secret } from '../../src/secret.js';

type Config = Parameters<typeof alibabaEhpc.create>[0] extends AdapterContext<infer C> ? C : never;

const CONFIG: Config = {
  region: 'cn-hangzhou',
  signature: 'acs3',
  listing: 'async',
  timeZone: 'UTC',
  credentials: { accessKeyId: 'key', accessKeySecret: new Secret('secret') },
};
const call = { requestId: 'r', signal: new AbortController().signal };
const STARTED_AT = Date.parse('2026-01-02T03:04:05.000Z');

/** A vendor whose task is over after `processing` answers; `passes` says what the clock shows after so much sleep. */
const listingOf = (processing: number, passes: (sleptMs: number) => number) => {
  let sleptMs = 0;
  let calls = 0;
  const { listUsers } = alibabaEhpc.create({
    config: CONFIG,
    now: () => new Date(STARTED_AT + passes(sleptMs)),
    sleep: async (ms) => {
      sleptMs += ms;
    },
    nonce: () => 'n'.repeat(32),
    http: {
      send: async (build, read) => {
        build();
        const isOver = ++calls > processing;
        const users = isOver ? { TotalCount: 1, Users: { UserInfo: [{ Name: 'user.one', Group: 'users' }] } } : {};
        const answer = { AsyncId: 't-1', AsyncStatus: isOver ? 'Success' : 'Processing', ...users };
        return read({ status: 200, headers: {}, body: JSON.stringify(answer) });
      },
    },
  });
  return { list: () => listUsers('c', { offset: 0, limit: 50 }, call), calls: () => calls, sleptMs: () => sleptMs };
};

const GIVEN_UP = { code: 'vendor_timeout', message: 'The vendor has not finished its listing in 60 s.' };

describe('a listing task', () => {
  it('is followed to its end', async () => {
    const { users } = await listingOf(20, (ms) => ms).list();
    expect(users.map(({ username }) => username)).toEqual(['user.one']);
  });

  it.each([
    ['', (ms: number) => ms],
    [', on a clock that stands', () => 0],
    [', on a clock that was set back', () => -3_600_000],
    [', with answers that take long', (ms: number) => ms * 10],
  ])('that never ends is given up after a minute%s', async (_, passes) => {
    const { list, calls, sleptMs } = listingOf(Number.POSITIVE_INFINITY, passes);
    await expect(list()).rejects.toMatchObject(GIVEN_UP);
    expect(sleptMs()).toBeLessThanOrEqual(60_000);
    expect(calls()).toBeLessThan(50);
  });
});
