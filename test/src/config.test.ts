import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { exampleHpc } from '../../adapters/_template/index.js';
import { adapters } from '../../adapters/index.js';
import { ConfigError } from '../../src/config/error.js';
import { checkConfig, loadConfig } from '../../src/config/load.js';
import { coreSchema } from '../../src/config/schema.js';
import { wrapSecrets } from '../../src/config/wrap.js';
import { secretsIn } from '../../src/secret.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const aliyun = { vendor: 'alibaba-ehpc', region: 'cn-hangzhou', credentials: { accessKeyId: 'id', accessKeySecret: 'secret' } };
const good = { accounts: { aliyun }, clusters: [{ id: 'hangzhou', account: 'aliyun', vendorClusterId: 'ehpc-hz-1' }] };
const problemsOf = (raw: unknown, env = {}): readonly string[] => {
  try {
    checkConfig(structuredClone(raw), adapters, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('a good configuration', () => {
  it('gets its defaults', () => {
    const config = checkConfig(structuredClone(good), adapters, {});
    expect(config.server).toEqual({
      host: '127.0.0.1',
      port: 8080,
      deadlineSeconds: 30,
      drainSeconds: 30,
      shutdownDelaySeconds: 0,
      settleSeconds: 15,
      callSeconds: 30,
      jobSeconds: 900,
      docs: { enabled: true, tryItOut: false },
      trustProxy: [],
      allowedHosts: [],
      cors: { origins: [] },
      sendSeconds: 30,
      answerSeconds: 30,
      keepAliveSeconds: 65,
    });
    expect(config.store).toEqual({ kind: 'lmdb', path: 'data', leaseSeconds: 5 });
    expect(config.retention).toEqual({ operationDays: 7, idempotencyKeyHours: 24, auditDays: 30 });
    expect(config.accounts['aliyun']).toEqual({
      vendor: 'alibaba-ehpc',
      discover: false,
      domain: 'aliyun',
      settings: { region: 'cn-hangzhou', signature: 'acs3', listing: 'async', timeZone: 'UTC', credentials: expect.anything() },
    });
  });

  it('takes HOST and PORT over its own', () => {
    const { server } = checkConfig({ ...structuredClone(good), server: { port: 1 } }, adapters, {
      HOST: '::1',
      PORT: '9090',
    });
    expect([server.host, server.port]).toEqual(['::1', 9090]);
    expect(problemsOf(good, { PORT: 'eighty' })).toEqual(['PORT (environment): must be a port, 0 to 65535']);
  });

  it('takes secrets from the environment and from files, and keeps them text', () => {
    const path = join(folder, 'secret');
    writeFileSync(path, '0123\r\n\n');
    const credentials = { accessKeyId: '${env:KEY}', accessKeySecret: `\${file:${path}}` };
    const { accounts } = checkConfig({ ...good, accounts: { aliyun: { ...aliyun, credentials } } }, adapters, { KEY: '42\n' });
    expect(accounts['aliyun']?.settings).toMatchObject({ credentials: { accessKeyId: '42' } });
    expect(secretsIn(accounts).map((secret) => secret.unwrap())).toEqual(['0123']);
  });
});

describe('secrets of a configuration', () => {
  it('cannot be printed, wherever they are', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const config = checkConfig(
      {
        ...structuredClone(good),
        accounts: { aliyun: { ...aliyun, proxy: 'http://user:proxy-pass@127.0.0.1:3128' } },
        store: { kind: 'redis', url: 'redis://user:redis-pass@127.0.0.1', encryptionKey: key },
      },
      adapters,
      {},
    );
    const account = config.accounts['aliyun'];
    const [accountSecret] = secretsIn(account?.settings);
    expect([
      config.store.url?.unwrap(),
      config.store.encryptionKey?.unwrap(),
      account?.proxy?.unwrap(),
      accountSecret?.unwrap(),
    ]).toEqual(['redis://user:redis-pass@127.0.0.1', key, 'http://user:proxy-pass@127.0.0.1:3128', 'secret']);
    const printed = inspect(config, { depth: null, showHidden: true }) + JSON.stringify(config);
    for (const text of ['redis-pass', key, 'proxy-pass', "'secret'", '"secret"']) expect(printed).not.toContain(text);
  });

  it('are found by the schema, in lists, maps and alternatives', () => {
    const secret = { type: 'string', writeOnly: true };
    const schema = {
      properties: { list: { items: secret }, either: { oneOf: [{ properties: { a: {} } }, { properties: { b: secret } }] } },
      additionalProperties: { properties: { deep: { else: secret } } },
    };
    const value = { list: ['1', '2'], either: { a: 'plain', b: '3' }, other: { deep: '4', more: 'plain' }, none: null };
    const wrapped = wrapSecrets(schema, value);
    expect(secretsIn(wrapped).map((found) => found.unwrap())).toEqual(['1', '2', '3', '4']);
    expect(wrapped).toMatchObject({ either: { a: 'plain' }, other: { more: 'plain' }, none: null });
    expect(value.list).toEqual(['1', '2']);
  });

  it('are marked in every schema: a text whose name sounds like one is writeOnly', () => {
    const unmarked = (schema: object, name = ''): string[] =>
      Object.entries(schema).flatMap(([key, inner]) => {
        if (typeof inner !== 'object' || inner === null) return [];
        const isText = 'type' in inner && inner.type === 'string' && !('writeOnly' in inner);
        return isText && /secret|token|passw|privateKey|encryptionKey|^proxy$|^url$/i.test(key)
          ? [`${name}/${key}`]
          : unmarked(inner, `${name}/${key}`);
      });
    const schemas = [coreSchema, exampleHpc.configSchema, ...Object.values(adapters).map(({ configSchema }) => configSchema)];
    expect(schemas.flatMap((schema) => unmarked(schema))).toEqual([]);
  });
});

describe('a wrong configuration names the key and the reason', () => {
  const withAccount = (change: object) => ({ ...good, accounts: { aliyun: { ...aliyun, ...change } } });
  it.each([
    ['no accounts', {}, 'accounts: is missing'],
    ['an empty file', null, 'the file: must be a map of keys'],
    ['accounts that name none', { accounts: {} }, 'accounts: must name at least one'],
    ['an unknown key', { ...good, cluster: [] }, 'cluster: is not a known key; did you mean clusters?'],
    ['an unknown key in the server', { ...good, server: { prot: 1 } }, 'server.prot: is not a known key; did you mean port?'],
    ['a key that is like none', { ...good, colour: 1 }, 'colour: is not a known key'],
    ['a port that is none', { ...good, server: { port: 70000 } }, 'server.port: must be <= 65535'],
    [
      'an unknown vendor',
      { accounts: { a: { vendor: 'aws' } } },
      'accounts.a.vendor: there is no vendor aws; there are alibaba-ehpc, shanhe-hpc, memory',
    ],
    [
      'a vendor of Object',
      { accounts: { a: { vendor: 'constructor' } } },
      'accounts.a.vendor: there is no vendor constructor; there are alibaba-ehpc, shanhe-hpc, memory',
    ],
    ['a missing vendor', { accounts: { a: {} } }, 'accounts.a.vendor: is missing'],
    [
      'a missing region',
      { accounts: { aliyun: { vendor: 'alibaba-ehpc', credentials: aliyun.credentials } } },
      'accounts.aliyun.region: is missing',
    ],
    [
      'an unknown setting',
      withAccount({ signatur: 'acs3' }),
      'accounts.aliyun.signatur: is not a known key; did you mean signature?',
    ],
    ['a wrong choice', withAccount({ signature: 'v2' }), 'accounts.aliyun.signature: must be one of acs3, rpc-v1'],
    [
      'plain http',
      withAccount({ endpoint: 'http://ehpc.example.com' }),
      'accounts.aliyun.endpoint: must be an https URL without query (http is taken for loopback addresses only)',
    ],
    [
      'a time zone that is none',
      withAccount({ timeZone: 'Mars' }),
      'accounts.aliyun.timeZone: must be a time zone such as UTC or Asia/Shanghai',
    ],
    [
      'a number for a secret',
      withAccount({ credentials: { accessKeyId: 'a', accessKeySecret: 7 } }),
      'accounts.aliyun.credentials.accessKeySecret: must be text; put it in quotes',
    ],
    [
      'a missing variable',
      withAccount({ credentials: { accessKeyId: '${env:NOPE}', accessKeySecret: 'x' } }),
      'accounts.aliyun.credentials.accessKeyId: the environment variable NOPE is not set',
    ],
    [
      'a missing file',
      withAccount({ credentials: { accessKeyId: 'x', accessKeySecret: '${file:/nowhere/x}' } }),
      'accounts.aliyun.credentials.accessKeySecret: the file /nowhere/x cannot be read (ENOENT)',
    ],
    [
      'an account of an odd name',
      { accounts: { 'a b': { vendor: 'memory', clusters: {} } } },
      'accounts.a b: is not a fitting name; use letters, digits, dots, dashes and underscores',
    ],
    [
      'an account that is none',
      { ...good, clusters: [{ id: 'c', account: 'x', vendorClusterId: 'y' }] },
      'clusters[0].account: there is no account x; there are aliyun',
    ],
    ['an id twice', { ...good, clusters: [...good.clusters, ...good.clusters] }, 'clusters[1].id: hangzhou is already taken'],
    [
      'an id for no URL',
      { ...good, clusters: [{ id: 'a/b', account: 'aliyun', vendorClusterId: 'y' }] },
      'clusters[0].id: must be letters, digits, dots, dashes and underscores, at most 128, and begin with a letter or digit',
    ],
  ])('%s', (_, raw, problem) => {
    expect(problemsOf(raw)).toEqual([problem]);
  });

  it('takes http on loopback addresses', () => {
    for (const endpoint of ['http://127.0.0.1:8080', 'http://localhost:1', 'http://[::1]:1/', 'https://example.com/api']) {
      expect([endpoint, problemsOf(withAccount({ endpoint }))]).toEqual([endpoint, []]);
    }
    for (const endpoint of [
      'http://127.0.0.1.example.com',
      'ftp://127.0.0.1',
      'https://user:pw@example.com',
      'https://example.com/?x=1',
      'nonsense',
    ]) {
      expect([endpoint, problemsOf(withAccount({ endpoint })).length]).toEqual([endpoint, 1]);
    }
  });

  it.each(['${ALI_ID}', '$ALI_ID', '{{ALI_ID}}', '{{ ALI_ID', '${ENV:ALI_ID}', '${env:ALI_ID', 'x${}', '${file}'])(
    'refuses what is not a placeholder: %s',
    (accessKeyId) => {
      const problems = problemsOf(withAccount({ credentials: { accessKeyId, accessKeySecret: 'pa$$w{o}rd' } }), { ALI_ID: 'x' });
      expect(problems).toEqual([
        'accounts.aliyun.credentials.accessKeyId: has what is not a placeholder of ours; write ${env:NAME} or ${file:PATH}',
      ]);
    },
  );

  it('refuses what is not a placeholder where YAML takes it for a map', () => {
    const path = join(folder, 'braced.yaml');
    const lines = [
      'accounts:',
      '  jinan:',
      '    vendor: shanhe-hpc',
      '    zone: jn1a',
      '    credentials: { accessKeyId: x, secretAccessKey: y }',
      '  aliyun:',
      '    vendor: alibaba-ehpc',
      '    region: cn-hangzhou',
      '    credentials:',
      '      accessKeyId: {{ALI_ID}}',
      '      accessKeySecret: {{ ALI_SECRET }}',
    ];
    writeFileSync(path, lines.join('\n'));
    const problem = 'has what is not a placeholder of ours; write ${env:NAME} or ${file:PATH}';
    expect(() => loadConfig(path, adapters, {})).toThrow(
      expect.objectContaining({
        problems: [
          `${path}: line 10: accounts.aliyun.credentials.accessKeyId: ${problem}`,
          `${path}: line 11: accounts.aliyun.credentials.accessKeySecret: ${problem}`,
        ],
      }),
    );
  });

  it('shows all its mistakes at once, whatever they are of, each with its line', () => {
    const path = join(folder, 'all.yaml');
    const lines = [
      'sever: {}',
      'accounts:',
      '  jinan:',
      '    vendor: shanhe-hpcc',
      '  aliyun:',
      '    vendor: alibaba-ehpc',
      '    credentials: { accessKeyId: "${NOPE}", accessKeySecret: x }',
      'clusters:',
      '  - id: a',
      '    account: alyun',
      '    vendorClusterId: v',
      'store: { kind: redis }',
      'server: { port: high }',
    ];
    writeFileSync(path, lines.join('\n'));
    let problems: readonly string[] = [];
    try {
      loadConfig(path, adapters, {});
    } catch (error) {
      problems = (error as ConfigError).problems;
    }
    const said = problems.map((problem) => problem.replace(`${path}: `, '')).toSorted();
    expect(said).toEqual(
      [
        'line 1: sever: is not a known key; did you mean server?',
        'line 4: accounts.jinan.vendor: there is no vendor shanhe-hpcc; there are alibaba-ehpc, shanhe-hpc, memory; did you mean shanhe-hpc?',
        'line 5: accounts.aliyun.region: is missing',
        'line 7: accounts.aliyun.credentials.accessKeyId: has what is not a placeholder of ours; write ${env:NAME} or ${file:PATH}',
        'line 10: clusters[0].account: there is no account alyun; there are jinan, aliyun; did you mean aliyun?',
        'line 12: store.url: is missing; redis needs one, such as redis://127.0.0.1:6379',
        'line 12: store.encryptionKey: is missing; all gateways on one redis need the same, made with: openssl rand -base64 32',
        'line 13: server.port: must be a whole number',
      ].toSorted(),
    );
  });

  it('takes paths from the folder of the file', () => {
    const path = join(folder, 'paths.yaml');
    writeFileSync(join(folder, 'key'), 'secret\n');
    const credentials = 'credentials: { accessKeyId: x, accessKeySecret: "${file:key}" }';
    writeFileSync(
      path,
      `accounts: { a: { vendor: alibaba-ehpc, region: cn-hangzhou, ${credentials} } }\nstore: { path: kept }\n`,
    );
    const { store, accounts } = loadConfig(path, adapters, {});
    expect([store.path, ...secretsIn(accounts).map((secret) => secret.unwrap())]).toEqual([join(folder, 'kept'), 'secret']);
  });

  it('tells all mistakes at once', () => {
    expect(problemsOf({ ...good, server: { port: -1, hots: 'x' } })).toHaveLength(2);
  });

  it('tells of a missing secret and of all the rest at once', () => {
    const credentials = { accessKeyId: '${env:NOPE}', accessKeySecret: '${env:EMPTY}' };
    const raw = {
      accounts: { aliyun: { ...aliyun, credentials, regoin: 'x' } },
      clusters: [{ id: 'c', account: 'x', vendorClusterId: 'y' }],
    };
    expect(problemsOf(raw, { EMPTY: '' })).toEqual([
      'accounts.aliyun.credentials.accessKeyId: the environment variable NOPE is not set',
      'accounts.aliyun.credentials.accessKeySecret: the environment variable EMPTY is empty',
      'accounts.aliyun.regoin: is not a known key; did you mean region?',
      'clusters[0].account: there is no account x; there are aliyun',
    ]);
  });

  it.each([
    ['an alias', 'accounts: { a: { vendor: memory, key: *s3cret } }'],
    ['an alias of itself', 'accounts: &a { x: *a }'],
    ['an unknown tag', 'accounts: { a: { vendor: !s3cret memory } }'],
    ['a quoted token', 'accounts: { a: "s3cret'],
  ])('%s gets a line and no quotation of the source', (_, yaml) => {
    const path = join(folder, 'odd.yaml');
    writeFileSync(path, yaml);
    let message = '';
    try {
      loadConfig(path, adapters, {});
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      message = (error as Error).message;
    }
    expect(message).toMatch(/odd\.yaml: line 1: /);
    expect(message).not.toContain('s3cret');
  });

  it('says where YAML is wrong, and that a file is missing', () => {
    const path = join(folder, 'bad.yaml');
    writeFileSync(path, 'accounts:\n  a: [1\n  b: 2\n');
    expect(() => loadConfig(path, adapters, {})).toThrow(/bad\.yaml: line \d+: /);
    writeFileSync(path, 'accounts: {}\naccounts: {}\n');
    expect(() => loadConfig(path, adapters, {})).toThrow('line 2: is not valid YAML (DUPLICATE_KEY)');
    writeFileSync(path, 'accounts:\n  a:\n    credentials: { accessKeyId: ${env:A}, accessKeySecret: ${env:B} }\n');
    expect(() => loadConfig(path, adapters, {})).toThrow(/line 3: is not valid YAML \(\w+\); put \$\{env:NAME\} in quotes$/m);
    expect(() => loadConfig(join(folder, 'none.yaml'), adapters, {})).toThrow('none.yaml: cannot be read (ENOENT)');
  });
});
