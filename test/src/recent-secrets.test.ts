/** Secrets of earlier calls, which a vendor may repeat in any later answer. */
import { describe, expect, it } from '@jest/globals';
import type { Adapter, Receipt } from '../../src/adapter.js';
import { GatewayError } from '../../src/errors.js';
import { Secret } from '../../src/secret.js';
import { guardAdapter } from '../../src/vendor/guard.js';
import { createRecentSecrets } from '../../src/vendor/recent-secrets.js';
import { createRedactor } from '../../src/vendor/redact.js';
import { vendorUser } from '../support/vendor-user.js';

const PASSWORD = 'Sup3r@Secret#42';
const MINUTE_MS = 60_000;
const call = { requestId: 'r', signal: new AbortController().signal };
const user = { username: 'u', password: new Secret(PASSWORD), role: 'member' } as const;

const setUp = () => {
  const time = { ms: 0 };
  const recent = createRecentSecrets({ monotonic: () => time.ms });
  const guarded = (adapter: Partial<Adapter>): Adapter => guardAdapter(adapter as Adapter, [], recent);
  const created = guarded({ createUsers: async () => ({ state: 'applied' }) });
  return { time, recent, guarded, create: () => created.createUsers?.('c', [user], call) };
};
const refusal = (message: string) =>
  new GatewayError('vendor_bad_response', 'No.', {
    vendor: { name: 'v', code: message, message, requestId: message, status: 400 },
  });

describe('a password that a vendor was sent', () => {
  it.each([
    ['plain', PASSWORD],
    ['percent', encodeURIComponent(PASSWORD)],
    ['base64', btoa(PASSWORD)],
    ['hex', Buffer.from(PASSWORD).toString('hex').toUpperCase()],
  ])('is hidden in a later list, and in a later failure, of every account: %s', async (_, spelt) => {
    const { guarded, create } = setUp();
    await create();
    const row = {
      ...vendorUser('other'),
      group: spelt,
      mountPoint: `/${spelt}`,
      userId: spelt,
      attributes: { [spelt]: [spelt] },
    };
    const listing = guarded({ listUsers: async () => ({ users: [row], total: 1, snapshot: spelt }) });
    const slice = await listing.listUsers('c', { offset: 0, limit: 1 }, call);
    expect(JSON.stringify(slice).match(/\[redacted\]/g)).toHaveLength(5);
    expect([JSON.stringify(slice).includes(spelt), slice.snapshot]).toEqual([false, undefined]);
    const failing = guarded({ getCluster: () => Promise.reject(refusal(`not ${spelt}`)) });
    const shown = { code: 'not [redacted]', message: 'not [redacted]', requestId: 'not [redacted]' };
    await expect(failing.getCluster('c', call)).rejects.toMatchObject({ vendor: shown });
  });

  it('is no name of a user or of a cluster, unless it could be one', async () => {
    const { guarded, create, recent } = setUp();
    await create();
    recent.note([new Secret('alice.chen1')]);
    const names = ['u', PASSWORD, Buffer.from(PASSWORD).toString('hex'), 'alice.chen1'];
    const adapter = guarded({
      listUsers: async () => ({ users: names.map(vendorUser), total: 4 }),
      lookUpUser: async (_, name) => vendorUser(name),
    });
    const { users, omitted } = await adapter.listUsers('c', { offset: 0, limit: 9 }, call);
    expect([users.map(({ username }) => username), omitted]).toEqual([['u', 'alice.chen1'], 2]);
    expect([await adapter.lookUpUser?.('c', PASSWORD, call), (await adapter.lookUpUser?.('c', 'u', call))?.username]).toEqual([
      null,
      'u',
    ]);
  });

  it('is no job, which would be stored', async () => {
    const { guarded } = setUp();
    const accepted = (job: string) => guarded({ createUsers: async (): Promise<Receipt> => ({ state: 'accepted', job }) });
    expect(await accepted('j-1').createUsers?.('c', [user], call)).toEqual({ state: 'accepted', job: 'j-1' });
    await expect(accepted(`j-${btoa(PASSWORD)}`).createUsers?.('c', [user], call)).rejects.toMatchObject({
      code: 'vendor_bad_response',
      effect: 'open',
    });
  });

  it('is forgotten after ten minutes since it was sent last', async () => {
    const { time, recent, create } = setUp();
    const redact = (): string => createRedactor([], recent)(`is ${PASSWORD}`);
    await create();
    time.ms += 9 * MINUTE_MS;
    expect(redact()).toBe('is [redacted]');
    await create();
    time.ms += 9 * MINUTE_MS;
    expect(redact()).toBe('is [redacted]');
    time.ms += MINUTE_MS;
    expect([redact(), recent.longest]).toEqual([`is ${PASSWORD}`, 0]);
  });
});

describe('many of them', () => {
  const numbered = (index: number): string => `Welcome@2026#${String(index).padStart(5, '0')}`;

  it('are bounded, the oldest are forgotten, and those that begin alike are kept apart', () => {
    const { recent } = setUp();
    for (let index = 0; index < 6_000; index++) recent.note([new Secret(numbered(index))]);
    const redact = createRedactor([], recent);
    const indexes = Array.from({ length: 6_000 }, (_, index) => index);
    expect(indexes.filter((index) => redact(numbered(index)) === '[redacted]')).toEqual(indexes.slice(1_000));
    expect(redact('Welcome@2026#')).toBe('Welcome@2026#');
  });

  it('take hardly more time than few', () => {
    const timeOf = (count: number): number => {
      const { recent } = setUp();
      for (let index = 0; index < count; index++) recent.note([new Secret(numbered(index))]);
      const redact = createRedactor([], recent);
      const text = '{"home":"/home/user.0001","role":"member","note":"Welcome to 2026"} '.repeat(900);
      const times = Array.from({ length: 5 }, () => {
        const started = performance.now();
        expect(redact(text)).toBe(text);
        return performance.now() - started;
      });
      return Math.min(...times);
    };
    expect(timeOf(5_000)).toBeLessThan(Math.max(timeOf(5), 2) * 20);
  });
});
