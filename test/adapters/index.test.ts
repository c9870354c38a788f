/** What every adapter's data has to say, without a vendor: the list, the schemas, and capabilities that fit the methods. */
import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { exampleHpc } from '../../adapters/_template/index.js';
import { adapters } from '../../adapters/index.js';
import type { Adapter, AdapterModule, VendorCluster } from '../../src/adapter.js';
import { validate } from '../../src/config/validate.js';
import { Secret, secretsIn } from '../../src/secret.js';
import type { HttpClient, HttpRequest } from '../../src/vendor/client.js';
import { guardAdapter } from '../../src/vendor/guard.js';

const FOLDERS = readdirSync('adapters', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_'))
  .map(({ name }) => name)
  .sort();

const MODULES: (readonly [string, AdapterModule])[] = [
  ...Object.entries(adapters),
  ['the template', exampleHpc as unknown as AdapterModule],
];

const METHODS = { create: 'createUsers', setRole: 'setRoles', setPassword: 'setPasswords', delete: 'deleteUsers' } as const;
const WRITES = Object.keys(METHODS) as (keyof typeof METHODS)[];

type Schema = Readonly<Record<string, unknown>>;

/** The smallest value that a configuration schema takes. */
const least = (schema: Schema): unknown => {
  if ('default' in schema) return schema['default'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if (schema['type'] === 'string') return schema['format'] === 'endpoint' ? 'https://vendor.example' : 'x';
  if (schema['type'] === 'object') {
    const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
    const { required = [], else: otherwise = {} } = schema as { required?: string[]; else?: { required?: string[] } };
    const keys = [...required, ...(otherwise.required ?? [])];
    return Object.fromEntries(keys.map((key) => [key, least(properties[key] ?? {})]));
  }
  return schema['type'] === 'array' ? [] : 0;
};

const configOf = ({ configSchema }: AdapterModule): unknown => {
  const config = least(configSchema);
  expect(validate(configSchema, config)).toEqual([]);
  return config;
};

const silent: HttpClient = {
  send: () => {
    throw new Error('No vendor is called here.');
  },
};

const create = (module: AdapterModule, http = silent, config = configOf(module)): Adapter =>
  module.create({
    config,
    http,
    now: () => new Date('2026-01-02T03:04:05.678Z'),
    sleep: async () => undefined,
    nonce: () => 'n'.repeat(32),
  });

const cluster = (type: string | null): VendorCluster => ({
  ...{ id: 'c', name: null, state: 'ready', vendorState: null, type, region: null, zone: null, createdAt: null },
});
const CLUSTERS = [undefined, cluster(null), cluster('hpc'), cluster('ehpc'), cluster('of-a-new-kind')];

const capabilitySchema = (() => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(parse(readFileSync('openapi.yaml', 'utf8')) as object, 'openapi.yaml');
  return ajv.compile({ $ref: 'openapi.yaml#/components/schemas/Capabilities' });
})();

describe('the list of adapters', () => {
  it('names exactly the folders, each by its own name', () => {
    expect(Object.keys(adapters).sort()).toEqual(FOLDERS);
    for (const [name, { vendor }] of Object.entries(adapters)) expect(vendor).toBe(name);
  });

  it('names each vendor for people, once', () => {
    const titles = Object.values(adapters).map(({ title }) => title);
    expect(titles.every((title) => title !== '')).toBe(true);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

describe.each(MODULES)('%s', (_, module) => {
  it('describes its settings by a schema that compiles, and refuses unknown ones', () => {
    const ajv = new Ajv({ strict: true, strictRequired: false });
    for (const format of ['endpoint', 'time-zone']) ajv.addFormat(format, true);
    expect(() => ajv.compile(module.configSchema)).not.toThrow();
    const config = configOf(module) as object;
    expect(validate(module.configSchema, { ...config, surprise: 1 })).toEqual([
      { at: ['surprise'], reason: 'is not a known key' },
    ]);
  });

  it('has no default for a secret', () => {
    const { credentials } = module.configSchema['properties'] as Record<string, Schema>;
    expect(JSON.stringify(credentials ?? {})).not.toContain('"default"');
  });

  it('calls no vendor when it is created', () => {
    expect(() => create(module)).not.toThrow();
  });

  it.each(CLUSTERS)('has capabilities that fit openapi.yaml and its methods (%#)', (of) => {
    const adapter = create(module);
    const general = module.capabilities();
    const given = module.capabilities(of, configOf(module));
    expect(capabilitySchema(given) || capabilitySchema.errors).toBe(true);

    expect(given.features).toEqual(expect.arrayContaining(['list', 'get']));
    expect(general.features).toEqual(expect.arrayContaining(given.features));
    for (const feature of WRITES) {
      const has = given.features.includes(feature);
      expect([feature, given.batch[feature] !== undefined]).toEqual([feature, has]);
      if (has) expect([feature, typeof adapter[METHODS[feature]]]).toEqual([feature, 'function']);
    }
    const takesRoles = given.features.includes('create') || given.features.includes('setRole');
    expect(given.roles.length > 0).toBe(takesRoles);
    if (given.directoryMode) expect(given.features).toContain('create');
    if (given.writes === 'job') expect(typeof adapter.getJobs).toBe('function');
  });

  it('has a feature for every method', () => {
    const adapter = create(module);
    const { features } = module.capabilities();
    expect(WRITES.filter((feature) => adapter[METHODS[feature]] !== undefined)).toEqual(
      WRITES.filter((feature) => features.includes(feature)),
    );
  });

  it('has rules that can be kept', () => {
    const { username, password } = module.capabilities();
    for (const { minLength, maxLength, pattern, description } of [username, password]) {
      expect(minLength).toBeLessThanOrEqual(maxLength);
      expect(() => new RegExp(pattern ?? '', 'u')).not.toThrow();
      expect(description).toContain(String(maxLength));
    }
  });
});

/** The template is copied, never listed: it is run here against answers in the shape that it describes. */
describe('the template', () => {
  const CONFIG = { endpoint: 'https://vendor.example/api/', credentials: { keyId: 'key', secret: new Secret('s3cret') } };
  const call = { requestId: 'r', signal: new AbortController().signal };
  const sent: { request: HttpRequest; kind: string }[] = [];

  const answering = (answer: (url: URL) => { status?: number; body: unknown }): Adapter => {
    sent.length = 0;
    const http: HttpClient = {
      send: async (build, read, { kind }) => {
        const request = await build();
        sent.push({ request, kind });
        const { status = 200, body } = answer(new URL(request.url));
        return read({ status, headers: {}, body: JSON.stringify(body) });
      },
    };
    return guardAdapter(create(exampleHpc as unknown as AdapterModule, http, CONFIG), secretsIn(CONFIG));
  };

  const people = Array.from({ length: 250 }, (_, index) => ({
    ...{ id: index, login: `user_${index}`, is_admin: index === 0, uid: 1000 + index, gid: 100, created: '2026-01-02T03:04:05Z' },
  }));
  const pageOf = ({ searchParams }: URL) => {
    const [page, size] = [Number(searchParams.get('page')), Number(searchParams.get('size'))];
    expect(size).toBeLessThanOrEqual(100);
    return { body: { items: people.slice((page - 1) * size, page * size), total: people.length } };
  };

  it.each([
    [0, 50],
    [99, 2],
    [37, 250],
    [249, 50],
    [300, 10],
  ])('lists the window at %i of %i', async (offset, limit) => {
    const { users, total } = await answering(pageOf).listUsers('c', { offset, limit }, call);
    expect(users.map(({ username }) => username)).toEqual(people.slice(offset, offset + limit).map(({ login }) => login));
    expect(total).toBe(250);
  });

  it('maps a user, and clusters', async () => {
    const { users } = await answering(pageOf).listUsers('c', { offset: 0, limit: 1 }, call);
    expect(users).toMatchObject([
      { username: 'user_0', role: 'admin', uid: 1000, gid: 100, userId: '0', createdAt: '2026-01-02T03:04:05.000Z' },
    ]);
    const row = { id: 'c', name: 'main', status: 'Active' };
    const expected = { id: 'c', name: 'main', state: 'ready', vendorState: 'Active' };
    expect(await answering(() => ({ body: { items: [row], total: 1 } })).listClusters(call)).toMatchObject({
      clusters: [expected],
      omitted: 0,
    });
    expect(await answering(() => ({ body: { cluster: row } })).getCluster('c', call)).toMatchObject(expected);
  });

  it('signs what it sends, and sends writes as writes', async () => {
    const adapter = answering(() => ({ body: {} }));
    const user = { username: 'li_wei', password: new Secret('Choose@Your0wn'), role: 'member' } as const;
    expect(await adapter.createUsers?.('c', [user], call)).toEqual({ state: 'applied' });
    await adapter.setPasswords?.('c', [user], call);
    await adapter.deleteUsers?.('c', ['li_wei'], call);
    expect(sent.map(({ kind }) => kind)).toEqual(['write', 'write', 'write']);
    expect(sent.map(({ request }) => JSON.parse(request.body ?? ''))).toEqual([
      { cluster: 'c', users: [{ login: 'li_wei', password: 'Choose@Your0wn', is_admin: false }] },
      { cluster: 'c', users: [{ login: 'li_wei', password: 'Choose@Your0wn' }] },
      { cluster: 'c', users: [{ login: 'li_wei' }] },
    ]);
    const [{ url, headers, body = '' }] = sent.map(({ request }) => request) as [HttpRequest];
    expect(url).toBe('https://vendor.example/api/users/add');
    const hash = createHash('sha256').update(body).digest('hex');
    const text = `POST\n/api/users/add\n2026-01-02T03:04:05Z\n${'n'.repeat(32)}\n${hash}`;
    expect(headers['x-signature']).toBe(createHmac('sha256', 's3cret').update(text).digest('hex'));
  });

  it.each([
    [404, { error: { code: 'NO_CLUSTER', message: 'no' }, request_id: 'q' }, 'cluster_not_found', 'none'],
    [200, { error: { code: 'USER_EXISTS' } }, 'user_already_exists', 'none'],
    [400, { error: { code: 'WHATEVER' } }, 'vendor_bad_response', 'open'],
    [503, [], 'vendor_unavailable', 'open'],
    [503, { error: { code: 'OVERLOADED' } }, 'vendor_unavailable', 'ended'],
    [500, { error: { code: 'WHATEVER' } }, 'vendor_unavailable', 'open'],
    [400, { error: { code: 'SLOW_DOWN' } }, 'vendor_rate_limited', 'none'],
    [200, [], 'vendor_bad_response', 'open'],
    [200, { error: {} }, 'vendor_bad_response', 'open'],
  ] as const)('answer %i %j → %s', async (status, body, code, effect) => {
    await expect(answering(() => ({ status, body })).listClusters(call)).rejects.toMatchObject({ code, effect });
  });

  it('takes no answer of another shape, and lets no secret into a message', async () => {
    await expect(answering(() => ({ body: { items: {} } })).listClusters(call)).rejects.toMatchObject({
      code: 'vendor_bad_response',
    });
    const echo = { error: { code: 'BAD_VALUE', message: 'Passw0rd!x and s3cret' } };
    const failing = answering(() => ({ status: 422, body: echo })).setPasswords?.(
      'c',
      [{ username: 'u', password: new Secret('Passw0rd!x') }],
      call,
    );
    await expect(failing).rejects.toMatchObject({ code: 'invalid_user', vendor: { message: '[redacted] and [redacted]' } });
  });
});
