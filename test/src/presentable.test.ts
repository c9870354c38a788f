/** What is shown of what vendors say: nothing secret, nothing harmful, nothing without end. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Adapter, VendorCluster } from '../../src/adapter.js';
import { GatewayError } from '../../src/errors.js';
import { Secret } from '../../src/secret.js';
import { guardAdapter } from '../../src/vendor/guard.js';
import { harmless, isHarmless, shortened } from '../../src/vendor/harmless.js';
import { createPresenter } from '../../src/vendor/presentable.js';
import { vendorUser } from '../support/vendor-user.js';

const KEY = 'account-Key/0123456789+abc=';
const PASSWORD = 'Sup3r@Secret#42';
const call = { requestId: 'r', signal: new AbortController().signal };
const shown = createPresenter([new Secret(KEY)]);

const CLUSTER: VendorCluster = {
  id: 'c',
  name: null,
  state: 'ready',
  vendorState: null,
  type: null,
  region: null,
  zone: null,
  createdAt: null,
};

const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\u001b[31m', '\u202e', '\u2066', '\r\n', '\ud800', '\u0000', '\u009b1m'),
  ),
});

describe('harmless', () => {
  it.each([
    ['a line end', 'one\r\ntwo', 'one two'],
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['colours in one character', '\u009b31mred', 'red'],
    ['a title', 'a\u001b]0;owned\u0007b', 'ab'],
    ['a link', '\u001b]8;;http://x\u001b\\here', 'here'],
    ['half of a command', 'a\u001b[', 'a'],
    ['overrides of direction', 'a\u202eb\u2066c\u2069', 'a b c '],
    ['line separators', 'a\u2028b\u2029c', 'a b c'],
    ['half of a character', 'a\ud800b', 'a\ufffdb'],
    ['a delete', 'a\u007f\u0085b', 'a b'],
  ])('%s', (_, given, expected) => {
    const result = harmless(given).replace('[', '');
    expect([result.trimEnd(), isHarmless(result)]).toEqual([expected.trimEnd(), true]);
  });

  it.each(['plain', 'naïve 密码 🔑', 'a\u200db', ' ', '~', '\u00a0\u2027\u202f\u2065\u206a'])('keeps %j', (given) => {
    expect(harmless(given)).toBe(given);
  });

  it('whatever the text, the result is, and stays as it is', () => {
    fc.assert(
      fc.property(text, (given) => {
        const result = harmless(given);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested
        expect(result).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
        expect([result.isWellFormed(), isHarmless(result), harmless(result)]).toEqual([true, true, result]);
      }),
    );
  });

  it('is short, and whole, at any length', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 20 }), (given, max) => {
        const result = shortened(harmless(given), max);
        expect([result.length <= max, result.isWellFormed()]).toEqual([true, true]);
      }),
    );
    expect(shortened('x'.repeat(1000), 500)).toHaveLength(500);
    expect(shortened('🔑🔑', 3)).toBe('🔑…');
  });
});

describe('a user', () => {
  const attributesOf = (attributes: Record<string, unknown>) => shown.user({ ...vendorUser('u'), attributes }).attributes;

  it('is shown as it is where there is nothing to hide', () => {
    const user = {
      ...vendorUser('alice'),
      group: 'users',
      mountPoint: '/home/alice',
      attributes: { a: 1, b: 'text', c: null, d: { e: [true, 'x'] } },
    };
    expect(shown.user(user)).toEqual(user);
  });

  it('has no secret in any field but its name', () => {
    const attributes = {
      note: KEY,
      [`x${KEY}`]: 1,
      deep: { list: [KEY, { [encodeURIComponent(KEY)]: encodeURIComponent(KEY) }] },
    };
    const user = shown.user({ ...vendorUser('u'), group: KEY, mountPoint: `/home/${KEY}`, userId: KEY, attributes });
    const printed = JSON.stringify(user);
    expect(printed.match(/\[redacted\]/g)).toHaveLength(8);
    expect(printed).not.toContain('0123456789');
  });

  it('has no number that is a secret, and all others', () => {
    const digits = createPresenter([new Secret('8675309123')]);
    expect(digits.user({ ...vendorUser('u'), uid: 8675309123, attributes: { a: 8675309123, b: 8675309 } })).toMatchObject({
      uid: null,
      attributes: { a: '[redacted]', b: 8675309 },
    });
  });

  it('has no text that the vendor itself calls a password', () => {
    const attributes = {
      new_password: 'x',
      UserPassword: '',
      passwd: 'y',
      deep: { clientSecret: 'z' },
      has_password: true,
      note: 'x',
    };
    const shownAs = shown.user({ ...vendorUser('u'), attributes }).attributes;
    const hidden = '[redacted]';
    const texts = { new_password: hidden, UserPassword: hidden, passwd: hidden, deep: { clientSecret: hidden } };
    expect(shownAs).toEqual({ ...texts, has_password: true, note: 'x' });
  });

  it('has a bounded number of attributes, of a bounded length and depth', () => {
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, index]));
    expect(Object.keys(attributesOf(wide))).toHaveLength(100);
    expect((attributesOf({ list: Array.from({ length: 5_000 }, () => 1) })['list'] as unknown[]).length).toBeLessThan(100);
    expect(attributesOf({ long: 'x'.repeat(5_000) })['long']).toHaveLength(2_000);
    expect(Object.keys(attributesOf({ ['k'.repeat(500)]: 1 }))[0]).toHaveLength(128);
    const deep = JSON.parse(`${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`) as Record<string, unknown>;
    expect(JSON.stringify(attributesOf(deep)).length).toBeLessThan(100);
  });

  it('shares a bound with the others of its answer, after which attributes are left out', () => {
    const many = createPresenter([]);
    const users = Array.from({ length: 1_000 }, (_, index) =>
      many.user({ ...vendorUser(`u${index}`), attributes: { note: 'x'.repeat(10_000) } }),
    );
    expect([Object.keys(users[0]?.attributes ?? {}), Object.keys(users[999]?.attributes ?? {})]).toEqual([['note'], []]);
  });

  it('cannot change what objects are', () => {
    const attributes = attributesOf(JSON.parse('{"__proto__":{"polluted":true},"a":1}') as Record<string, unknown>);
    expect([Object.keys(attributes), 'polluted' in attributes]).toEqual([['a'], false]);
  });
});

describe('a failure', () => {
  const vendor = { name: 'v', code: null, message: null, requestId: null, status: 500 };

  it('keeps its facts, and loses secrets in every text', () => {
    const thrown = new GatewayError('vendor_unavailable', `Ours (${KEY}).`, {
      vendor: { ...vendor, code: KEY, message: `said ${KEY}`, requestId: KEY },
      effect: 'ended',
      retryAfterMs: 17,
      retryable: false,
      errors: [{ pointer: '/username', message: `is ${KEY}` }],
      cause: new Error(KEY),
    });
    const failure = shown.failure(thrown);
    expect(failure).toMatchObject({
      code: 'vendor_unavailable',
      message: 'Ours ([redacted]).',
      vendor: { code: '[redacted]', message: 'said [redacted]', requestId: '[redacted]', status: 500 },
      effect: 'ended',
      errors: [{ pointer: '/username', message: 'is [redacted]' }],
      retryAfterMs: 17,
      retryable: false,
    });
    expect(failure.cause).toBeUndefined();
  });

  it('is short in every text', () => {
    const long = 'x'.repeat(100_000);
    const { message, vendor: said } = shown.failure(
      new GatewayError('vendor_bad_response', long, { vendor: { ...vendor, code: long, message: long, requestId: long } }),
    );
    const lengths = [message, said?.code, said?.message, said?.requestId].map((part) => part?.length);
    expect(lengths).toEqual([1_000, 128, 500, 128]);
  });

  it('shows no piece of a secret at the end of what was read', () => {
    for (const keep of [5, 10, 20]) {
      const long = `${KEY.repeat(Math.floor(65_536 / KEY.length))}`.slice(0, 65_536 - keep) + KEY.repeat(9);
      const { vendor: said } = shown.failure(
        new GatewayError('vendor_bad_response', '', { vendor: { ...vendor, message: long } }),
      );
      expect(said?.message).not.toMatch(/account|0123/);
    }
  });

  it('shows no piece of a long secret, of which a whole answer is made', () => {
    const token = Array.from({ length: 400 }, (_, index) => `T0ken${index}`).join('/');
    const long = `${'x'.repeat(100)}${token.repeat(30)}`;
    const { vendor: said } = createPresenter([new Secret(token)]).failure(
      new GatewayError('vendor_bad_response', '', { vendor: { ...vendor, message: long } }),
    );
    expect(said?.message).not.toContain('T0ken');
  });

  it('does not put a secret together by what it takes away', () => {
    const split = `${KEY.slice(0, 9)}\u001b[31m${KEY.slice(9)}`;
    const { vendor: said } = shown.failure(
      new GatewayError('vendor_bad_response', '', { vendor: { ...vendor, message: split } }),
    );
    expect(said?.message).toBe('[redacted]');
  });

  it.each([
    ['of the adapter', new TypeError(`Cannot read ${KEY}\nof\u001b[2J`)],
    ['that is no error', KEY],
    ['that an adapter reports', new GatewayError('internal_error', 'x', { cause: new Error(`about ${KEY}`) })],
  ])('without a secret in the log: a fault %s', (_, thrown) => {
    const failure = shown.failure(thrown);
    const { message, stack } = failure.cause as Error;
    expect([failure.code, message, stack].join('\n')).toMatch(/internal_error[\s\S]*\[redacted\]/);
    expect([failure.message, message, stack].join('\n')).not.toMatch(/0123456789|\p{Cc}(?<!\n)/u);
  });
});

describe('the guard of an adapter', () => {
  const guarded = (adapter: Partial<Adapter>) => guardAdapter(adapter as Adapter, [new Secret(KEY)]);
  const failing = (message: string) => async (): Promise<never> => {
    throw new GatewayError('invalid_user', 'No.', { vendor: { name: 'v', code: null, message, requestId: null, status: 400 } });
  };

  it('has the methods of the adapter, and no others', () => {
    expect(Object.keys(guarded({ listUsers: failing(''), setRoles: failing('') })).sort()).toEqual(['listUsers', 'setRoles']);
  });

  it('hides the passwords of the call, the key of the account, and what the requests say', async () => {
    const signature = 'f00d'.repeat(16);
    const adapter = guarded({
      createUsers: async (_, users, { scope }) => {
        await Promise.resolve();
        scope?.secrets.add(new Secret(signature));
        return failing(`${users[0]?.password.unwrap()} ${KEY} ${signature} ${PASSWORD.slice(1)}`)();
      },
    });
    const user = { username: 'u', password: new Secret(PASSWORD), role: 'member' } as const;
    await expect(adapter.createUsers?.('c', [user], call)).rejects.toMatchObject({
      vendor: { message: `[redacted] [redacted] [redacted] ${PASSWORD.slice(1)}` },
    });
  });

  it('keeps the secrets of calls apart', async () => {
    const adapter = guarded({ setPasswords: (_, [change]) => failing(`${change?.username} ${PASSWORD}`)() });
    const own = adapter.setPasswords?.('c', [{ username: 'one', password: new Secret(PASSWORD) }], call);
    const other = adapter.setPasswords?.('c', [{ username: 'two', password: new Secret('Another@Secret1') }], call);
    await Promise.all([
      expect(own).rejects.toMatchObject({ vendor: { message: 'one [redacted]' } }),
      expect(other).rejects.toMatchObject({ vendor: { message: `two ${PASSWORD}` } }),
    ]);
  });

  it('leaves out rows whose names cannot be shown, and counts them', async () => {
    const names = ['ok', 'naïve 密码', 'a\nb', 'a\u001b[31m', '\ud800', '\u202eevil', 'a\u0085'];
    const adapter = guarded({
      listUsers: async () => ({ users: names.map(vendorUser), total: 7, omitted: 1 }),
      listClusters: async () => ({ clusters: names.map((id) => ({ ...CLUSTER, id })) }),
    });
    const { users, omitted, total } = await adapter.listUsers('c', { offset: 0, limit: 10 }, call);
    expect([users.map(({ username }) => username), omitted, total]).toEqual([['ok', 'naïve 密码'], 6, 7]);
    const listing = await adapter.listClusters(call);
    expect([listing.clusters.map(({ id }) => id), listing.omitted]).toEqual([['ok', 'naïve 密码'], 5]);
  });

  it('shows words of clusters and codes of jobs without secrets, and short', async () => {
    const long = `${KEY} \u001b[31m${'x'.repeat(400)}`;
    const adapter = guarded({
      getCluster: async () => ({ ...CLUSTER, name: long, vendorState: long, type: long, region: long, zone: long }),
      getJobs: async () => [{ state: 'pending' }, { state: 'failed', code: long }, { state: 'failed', code: null }],
    });
    const { id, state, createdAt, ...words } = await adapter.getCluster('c', call);
    expect([id, state, createdAt]).toEqual(['c', 'ready', null]);
    const jobs = (await adapter.getJobs?.(['1', '2', '3'], call)) ?? [];
    const codes = jobs.map((job) => ('code' in job ? job.code : undefined));
    expect([jobs[0]?.state, codes[0], codes[2]]).toEqual(['pending', undefined, null]);
    for (const [word, max] of [...Object.values(words).map((each) => [each, 255] as const), [codes[1], 128] as const]) {
      expect(word).toMatch(/^\[redacted\] x+…$/);
      expect(word?.length).toBeLessThanOrEqual(max);
    }
  });

  it('passes on a listing to go on in, unless it shows a secret', async () => {
    const snapshotOf = async (snapshot: string) =>
      (
        await guarded({ listUsers: async () => ({ users: [], total: 0, snapshot }) }).listUsers(
          'c',
          { offset: 0, limit: 1 },
          call,
        )
      ).snapshot;
    expect([await snapshotOf('task-1'), await snapshotOf(`task-${KEY}`), await snapshotOf('x'.repeat(5_000))]).toEqual([
      'task-1',
      undefined,
      undefined,
    ]);
  });
});
