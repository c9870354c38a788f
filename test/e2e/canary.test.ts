/** The search of the canary tests finds what is there; and no secret is in what the program says of a configuration that cannot be used. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { SPELL } from '../../simulators/kit/spelling.js';
import { createCanaries, randomText } from '../support/canary/secrets.js';
import { endProcesses, READY, server } from '../support/process.js';
import { describeWithRedis, startRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

afterEach(endProcesses);

describe('the search', () => {
  const canaries = createCanaries();
  const secrets = (['ehpc', 'shanhe'] as const).map((vendor) => canaries.password(vendor, 'the search'));
  const namesIn = (hay: Buffer | string): number => new Set(canaries.search.find(hay).map(({ name }) => name)).size;

  it.each(Object.keys(SPELL) as (keyof typeof SPELL)[])('finds what a vendor repeats, %s', (spelling) => {
    for (const secret of secrets) {
      expect(namesIn(`a ${SPELL[spelling](secret)} z`)).toBe(1);
      expect(namesIn(JSON.stringify(JSON.stringify({ message: SPELL[spelling](secret) })))).toBe(1);
    }
  });

  it.each([0, 1, 2, 3, 4, 5])('finds it in base64 after %i characters, in pages of bytes, and cut', (before) => {
    for (const secret of secrets) {
      const body = `${'x'.repeat(before)}${secret}","offset":50`;
      for (const encoding of ['base64', 'base64url', 'hex', 'utf16le', 'latin1'] as const)
        expect([encoding, namesIn(Buffer.concat([randomBytes(5_000), recoded(body, encoding), randomBytes(5_000)]))]).toEqual([
          encoding,
          1,
        ]);
      expect([namesIn(secret.slice(0, 12)), namesIn(secret.slice(-12)), namesIn([...secret].reverse().join(''))]).toEqual([
        1, 1, 1,
      ]);
    }
  });

  it('finds nothing that is not there', () => {
    const { search } = createCanaries();
    const other = createCanaries();
    for (let made = 0; made < 50; made++) other.password('ehpc', 'other');
    expect(other.search.size).toBeGreaterThan(1_000);
    expect([
      search.find(randomText(100_000)),
      other.search.find(randomBytes(1_000_000)),
      other.search.find(secrets.join(' ')),
    ]).toEqual([[], [], []]);
  });
});

/** Characters as text encodings of bytes; bytes as they are. */
const recoded = (text: string, encoding: BufferEncoding): Buffer =>
  encoding === 'utf16le' || encoding === 'latin1'
    ? Buffer.from(text, encoding)
    : Buffer.from(Buffer.from(text).toString(encoding));

const folder = mkdtempSync(join(tmpdir(), 'gateway-canary-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a configuration that cannot be used', () => {
  const canaries = createCanaries();
  let made = 0;
  const secret = (use: string): string => canaries.watch(`${use} ${++made}`, `${randomText(12)}&%+${randomText(12)}`);
  const storeKey = (): string => canaries.watch(`store key ${++made}`, randomBytes(32).toString('base64'));

  const account = (change: object = {}) => ({
    vendor: 'shanhe-hpc',
    credentials: { accessKeyId: secret('key id'), secretAccessKey: secret('key') },
    ...change,
  });
  const config = (change: object = {}): object => ({
    store: { kind: 'lmdb', path: 'data', encryptionKey: storeKey() },
    accounts: { a: account() },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: 'ehpc-1' }],
    ...change,
  });
  const pem = (): string => `-----BEGIN PRIVATE KEY-----\n${secret('TLS key')}\n-----END PRIVATE KEY-----`;

  const cases: Readonly<Record<string, () => object | string>> = {
    'a JSON that is cut': () => JSON.stringify(config()).slice(0, -30),
    'a text after a secret': () =>
      `accounts:\n  a: { vendor: shanhe-hpc, credentials: { accessKeyId: "${secret('key')}" oops } }\n`,
    'an alias in place of a secret': () =>
      `accounts:\n  a: { vendor: x, credentials: { secretAccessKey: *${randomText(4)}${secret('key').slice(0, 12)} } }\n`,
    'a tab in YAML': () => `accounts:\n\ta:\n\t\tkey: ${secret('key')}\n`,
    'the same key twice': () =>
      `accounts: {}\nstore: { url: "redis://:${secret('password')}@x", url: "redis://:${secret('password')}@y" }\n`,
    'a short store key': () => config({ store: { encryptionKey: secret('store key') } }),
    'a number in place of a text': () => config({ accounts: { a: account({ credentials: [secret('key'), secret('key')] }) } }),
    'a text in place of a map': () => config({ accounts: { a: account({ credentials: secret('key') }) } }),
    'a text in place of an account': () => config({ accounts: { a: secret('key') } }),
    'a member that is not known': () =>
      config({ accounts: { a: account({ secretKey: secret('key'), password: secret('password') }) } }),
    'a key of another vendor': () => config({ accounts: { a: account({ vendor: 'alibaba-ehpc', region: secret('region') }) } }),
    'a Redis URL of another protocol': () => config({ store: { kind: 'redis', url: `http://u:${secret('password')}@h` } }),
    'a Redis URL that is none': () => config({ store: { kind: 'redis', url: `redis//u:${secret('password')}@h:x` } }),
    'a proxy that is none': () => config({ accounts: { a: account({ proxy: `socks5://u:${secret('password')}@h` }) } }),
    'a proxy with a bad encoding': () => config({ accounts: { a: account({ proxy: `http://u:%zz${secret('password')}@h` }) } }),
    'an endpoint with a login': () => config({ accounts: { a: account({ endpoint: `http://u:${secret('password')}@h?x` }) } }),
    'other placeholders': () =>
      config({
        accounts: {
          a: account({ credentials: { accessKeyId: `$\{${secret('key')}}`, secretAccessKey: `{{${secret('key')}}}` } }),
        },
      }),
    'a TLS key that is none': () => config({ server: { tls: { key: pem(), certificate: pem() } } }),
    'an API key in place of its hash': () =>
      config({ auth: { callers: [{ id: 'p', keys: [{ hash: `hpcgw_${secret('API key')}` }], rights: [] }] } }),
    'a secret in place of a level': () =>
      config({ log: { level: secret('password') }, limits: { maxOpenItems: secret('password') } }),
  };

  const said = async (content: object | string): Promise<{ code: number | null; text: string }> => {
    const path = join(folder, `gateway-${++made}.yaml`);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    const { exit, output, errors } = server({ HPC_GATEWAY_CONFIG: path });
    const { code } = await exit;
    return { code, text: output() + errors() };
  };

  it('shows none of its secrets', async () => {
    const names = Object.keys(cases);
    const AT_ONCE = 4;
    for (let from = 0; from < names.length; from += AT_ONCE)
      await Promise.all(
        names.slice(from, from + AT_ONCE).map(async (name) => {
          const { code, text } = await said(cases[name]?.() ?? '');
          expect([name, code, text.length > 0]).toEqual([name, 1, true]);
          expect([name, canaries.search.find(text).map(({ excerpt }) => excerpt)]).toEqual([name, []]);
        }),
      );
  }, 240_000);
});

describeWithRedis('a Redis that does not take the password', () => {
  it('is reported without it, for as long as it lasts', async () => {
    const canaries = createCanaries();
    const redis = await startRedis();
    try {
      const password = canaries.watch('password of Redis', randomText(24));
      await redis.command('ACL', 'SETUSER', 'gateway', 'on', `>${randomText(24)}`, '~*', '+@all');
      const path = join(folder, 'redis.yaml');
      const url = `redis://gateway:${password}@127.0.0.1:${redis.port}/0`;
      const store = { kind: 'redis', url, encryptionKey: canaries.watch('store key', randomBytes(32).toString('base64')) };
      const accounts = { a: { vendor: 'memory', clusters: { c: { users: [] } } } };
      const clusters = [{ id: 'c', account: 'a', vendorClusterId: 'c' }];
      writeFileSync(path, JSON.stringify({ server: { drainSeconds: 0 }, store, accounts, clusters, log: { level: 'debug' } }));
      const run = server({ HPC_GATEWAY_CONFIG: path });
      const answers: string[] = [];
      const listening = run.until(READY).then(async ([, at]) => {
        for (const asked of ['/readyz', '/operations', '/clusters/c/users'])
          answers.push(await (await fetch(`${at}${asked}`)).text());
      });
      await until(() => /store unavailable/.test(run.errors()));
      await Promise.race([listening, run.exit]);
      run.child.kill('SIGTERM');
      await run.exit;
      const text = [run.output(), run.errors(), ...answers].join('\n');
      expect(text).toMatch(/WRONGPASS|refuses to work/);
      expect(canaries.search.find(text)).toEqual([]);
    } finally {
      await redis.stop();
    }
  }, 120_000);
});
