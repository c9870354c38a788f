/** Every operation of the document, by every kind of caller. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { operationsOf, readDocument } from '../../api/rest/document.js';
import { startEhpc, startShanhe } from '../support/backends.js';
import { type BothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller } from '../support/callers.js';
import { type RequestOptions, startGateway, type TestAnswer, type TestGateway } from '../support/gateway.js';
import { AUDIENCE, startIssuer, type TestIssuer } from '../support/issuer.js';

const CLUSTER = 'ali';
const OTHER = 'shan';
const ALL = ['read', 'write', 'operate', 'audit', 'metrics'];

// ---- the document, by a reader of its own

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** What the path names. */
  readonly scope: 'cluster' | 'operation' | 'account' | 'service';
  /** As the document has them, sorted; empty where it needs no caller. */
  readonly verbs: readonly string[];
  readonly statuses: readonly string[];
}

interface RawOperation {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: object;
}

const raw = JSON.parse(readFileSync('dist/openapi.json', 'utf8')) as { paths: Record<string, Record<string, RawOperation>> };
const HTTP_METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];
const scopeOf = (path: string): Operation['scope'] => {
  if (path.includes('{clusterId}')) return 'cluster';
  if (path.includes('{accountId}')) return 'account';
  return path.includes('{operationId}') ? 'operation' : 'service';
};
const OPERATIONS: readonly Operation[] = Object.entries(raw.paths).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => HTTP_METHODS.includes(method))
    .map(([method, { operationId: id, security, responses }]) => {
      const verbs = [...new Set(security.flatMap((requirement) => Object.values(requirement).flat()))].sort();
      return { id, method: method.toUpperCase(), path, scope: scopeOf(path), verbs, statuses: Object.keys(responses) };
    }),
);

// ---- what is sent; an operation without an entry fails

interface Example extends RequestOptions {
  /** Beside `clusterId` and `operationId`. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
}

const PASSWORD = 'Abc1~!@#$%^&*()_+=';
let fresh = 0;
const newName = (): string => `matrix.${String(++fresh).padStart(4, '0')}`;

const EXAMPLES: Readonly<Record<string, () => Example>> = {
  listVendors: () => ({}),
  listClusters: () => ({}),
  getCluster: () => ({}),
  listUsers: () => ({ query: '?limit=2' }),
  createUser: () => ({ body: { username: newName(), password: PASSWORD } }),
  batchUsers: () => ({ body: { items: [{ op: 'create', username: newName(), password: PASSWORD }] } }),
  // Refused by a rule: it goes on after its answer, and would call the vendor in the middle of the next question.
  startOperation: () => ({ body: { items: [{ op: 'create', username: 'a b', password: PASSWORD }] } }),
  getUser: () => ({ params: { username: 'user.0001' } }),
  ensureUser: () => ({ params: { username: newName() }, body: { password: PASSWORD } }),
  updateUser: () => ({ params: { username: 'user.0002' }, body: { role: 'member' } }),
  deleteUser: () => ({ params: { username: 'user.0003' } }),
  setUserPassword: () => ({ params: { username: 'user.0004' }, body: { password: PASSWORD } }),
  findUser: () => ({ params: { username: 'user.0001' } }),
  listOperations: () => ({}),
  listAccounts: () => ({}),
  getAccount: () => ({ params: { accountId: 'aliyun' } }),
  getMetrics: () => ({}),
  listAudit: () => ({}),
  getOperation: () => ({}),
  cancelOperation: () => ({}),
  getHealth: () => ({}),
  getReadiness: () => ({}),
  getOpenApi: () => ({}),
  getOpenApiYaml: () => ({}),
  getOpenApi30: () => ({}),
  getDocs: () => ({}),
  getProblemType: () => ({ params: { code: 'forbidden' } }),
};

// ---- who asks

const live = {
  readOnly: makeCaller('read-only', [{ clusters: [CLUSTER, OTHER], verbs: ['read'] }]),
  otherCluster: makeCaller('other-cluster', [{ clusters: [OTHER], verbs: ALL, roles: ['owner'] }]),
  writeOnly: makeCaller('write-only', [{ clusters: [CLUSTER], verbs: ['write'], roles: ['owner'] }]),
  metricsOnly: makeCaller('metrics-only', [{ clusters: ['*'], verbs: ['metrics'] }]),
  all: makeCaller('all', [{ clusters: [CLUSTER], verbs: ALL, roles: ['owner'] }]),
};
const expired = makeCaller('expired', [{ clusters: ['*'], verbs: ALL }]);

type Kind = 'refused' | 'nothing' | 'readOnly' | 'otherCluster' | 'writeOnly' | 'metricsOnly' | 'all';

interface Asker {
  readonly name: string;
  readonly kind: Kind;
  headers(): Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
}

const stage = {} as Pick<BothVendors, 'ehpc' | 'shanhe'>;
let issuer: TestIssuer;
let gateway: TestGateway;
/** Of an operation on the cluster. */
let operationId: string;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const YESTERDAY = Math.floor(Date.now() / 1000) - 86_400;

const ASKERS: readonly Asker[] = [
  { name: 'nobody', kind: 'refused', headers: () => ({}) },
  { name: 'a wrong key', kind: 'refused', headers: () => makeCaller('wrong').headers },
  { name: 'an expired key', kind: 'refused', headers: () => expired.headers },
  { name: 'a token for others', kind: 'refused', headers: async () => bearer(await issuer.sign({ aud: 'another' })) },
  { name: 'an expired token', kind: 'refused', headers: async () => bearer(await issuer.sign({ exp: YESTERDAY })) },
  { name: 'a token without roles', kind: 'nothing', headers: async () => bearer(await issuer.sign({ roles: ['guest'] })) },
  { name: 'a user without a group', kind: 'nothing', headers: () => ({ 'x-user': 'bob', 'x-groups': 'guests' }) },
  { name: 'read only', kind: 'readOnly', headers: () => live.readOnly.headers },
  { name: 'another cluster only', kind: 'otherCluster', headers: () => live.otherCluster.headers },
  { name: 'write only', kind: 'writeOnly', headers: () => live.writeOnly.headers },
  { name: 'metrics only', kind: 'metricsOnly', headers: () => live.metricsOnly.headers },
  { name: 'all rights', kind: 'all', headers: () => live.all.headers },
  { name: 'all rights, as X-API-Key', kind: 'all', headers: () => ({ 'x-api-key': live.all.key }) },
  { name: 'a token with a role', kind: 'all', headers: async () => bearer(await issuer.sign({ roles: ['hpc-admin'] })) },
  { name: 'a user of a group', kind: 'all', headers: () => ({ 'x-user': 'bob', 'x-groups': 'guests, hpc-admins' }) },
];

// ---- what is expected, for each verb

const PASSES = 'passes';
type Expected = 401 | 403 | 404 | typeof PASSES;
const NOBODY_PASSES = { refused: 401, all: PASSES } as const;

const EXPECTED: Readonly<Record<string, Readonly<Record<Kind, Expected>>>> = {
  // Without `read`, there is no such cluster.
  'read of a cluster': {
    ...NOBODY_PASSES,
    nothing: 404,
    readOnly: PASSES,
    otherCluster: 404,
    writeOnly: 404,
    metricsOnly: 404,
  },
  'write of a cluster': { ...NOBODY_PASSES, nothing: 404, readOnly: 403, otherCluster: 404, writeOnly: 404, metricsOnly: 404 },
  'read of a operation': {
    ...NOBODY_PASSES,
    nothing: 403,
    readOnly: PASSES,
    otherCluster: 404,
    writeOnly: 403,
    metricsOnly: 403,
  },
  'operate,write of a operation': {
    ...NOBODY_PASSES,
    nothing: 403,
    readOnly: 403,
    otherCluster: 404,
    writeOnly: 404,
    metricsOnly: 403,
  },
  'read of a service': {
    ...NOBODY_PASSES,
    nothing: 403,
    readOnly: PASSES,
    otherCluster: PASSES,
    writeOnly: 403,
    metricsOnly: 403,
  },
  'read of a account': {
    ...NOBODY_PASSES,
    nothing: 403,
    readOnly: PASSES,
    otherCluster: 404,
    writeOnly: 403,
    metricsOnly: 403,
  },
  'metrics of a service': {
    ...NOBODY_PASSES,
    nothing: 403,
    readOnly: 403,
    otherCluster: PASSES,
    writeOnly: 403,
    metricsOnly: PASSES,
  },
  'audit of a service': {
    ...NOBODY_PASSES,
    nothing: 403,
    readOnly: 403,
    otherCluster: PASSES,
    writeOnly: 403,
    metricsOnly: 403,
  },
};

const HIDDEN = {
  cluster: 'cluster_not_found',
  operation: 'operation_not_found',
  account: 'not_found',
  service: 'not_found',
} as const;

// ---- the requests

beforeAll(async () => {
  [stage.ehpc, stage.shanhe, issuer] = await Promise.all([startEhpc(), startShanhe(), startIssuer()]);
  const [{ hash }] = (expired.config as { keys: [{ hash: string }] }).keys;
  const rights = { clusters: [CLUSTER], verbs: ALL, roles: ['owner'] };
  gateway = await startGateway({
    ...configOver(stage),
    auth: {
      callers: [
        ...Object.values(live).map(({ config }) => config),
        { ...expired.config, keys: [{ hash, expires: '2020-01-01T00:00:00Z' }] },
      ],
      jwt: [{ issuer: issuer.url, audience: AUDIENCE, rights: [{ ...rights, claim: '/roles', value: 'hpc-admin' }] }],
      proxy: {
        userHeader: 'X-User',
        groupsHeader: 'X-Groups',
        from: ['127.0.0.1'],
        rights: [{ ...rights, group: 'hpc-admins' }],
      },
    },
  });
  const { body } = await gateway.request('POST', `/clusters/${CLUSTER}/users/batch`, {
    body: { items: [{ op: 'create', username: newName(), password: PASSWORD }] },
    headers: live.all.headers,
  });
  operationId = body.operationId;
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([stage.ehpc.close(), stage.shanhe.close(), issuer.close()]);
});

const ask = async (
  { id, method, path }: Operation,
  headers: Readonly<Record<string, string>>,
  at: Readonly<Record<string, string>> = { clusterId: CLUSTER, operationId },
): Promise<TestAnswer & { readonly vendorCalls: number }> => {
  const { params = {}, query = '', ...rest } = (EXAMPLES[id] as () => Example)();
  const all: Readonly<Record<string, string>> = { ...params, ...at };
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => all[name] as string);
  const callsNow = (): number => stage.ehpc.calls.length + stage.shanhe.calls.length;
  const before = callsNow();
  const answer = await gateway.request(method, `${url}${query}`, { ...rest, headers: { ...headers, 'x-request-id': 'matrix' } });
  return { ...answer, vendorCalls: callsNow() - before };
};

const checkRefusal = ({ status, headers, body, vendorCalls }: Awaited<ReturnType<typeof ask>>, { verbs }: Operation): void => {
  expect([body.status, vendorCalls]).toEqual([status, 0]);
  const challenge = headers.get('www-authenticate');
  if (status === 401) {
    expect(challenge).toMatch(/^Bearer realm="hpc-gateway"(, error="invalid_token", error_description="[^"\\]+")?$/);
    expect(body.code).toBe('unauthenticated');
  }
  if (status === 403) {
    const [, scope = ''] =
      /^Bearer realm="hpc-gateway", error="insufficient_scope", scope="([a-z ]+)"$/.exec(challenge ?? '') ?? [];
    expect([body.code, scope.split(' ').sort()]).toEqual(['forbidden', verbs]);
    for (const verb of verbs) expect(body.detail).toContain(verb);
  }
  if (status === 404) expect(challenge).toBeNull();
};

const secured = OPERATIONS.filter(({ verbs }) => verbs.length > 0);
const open = OPERATIONS.filter(({ verbs }) => verbs.length === 0);

describe('the matrix', () => {
  it('has an example of every operation, and a rule for every verb', () => {
    expect(OPERATIONS.map(({ id }) => id).sort()).toEqual(Object.keys(EXAMPLES).sort());
    for (const { id, verbs, scope } of secured)
      expect([id, Object.keys(EXPECTED)]).toEqual([id, expect.arrayContaining([`${verbs} of a ${scope}`])]);
    expect(open.map(({ id }) => id).sort()).toEqual([
      'getDocs',
      'getHealth',
      'getOpenApi',
      'getOpenApi30',
      'getOpenApiYaml',
      'getProblemType',
      'getReadiness',
    ]);
  });

  it.each(secured.map((operation) => [operation.id, operation] as const))('%s', async (id, operation) => {
    const expectedOf = EXPECTED[`${operation.verbs} of a ${operation.scope}`] as Readonly<Record<Kind, Expected>>;
    for (const { name, kind, headers } of ASKERS) {
      const answer = await ask(operation, await headers());
      const hidden = answer.body?.code === HIDDEN[operation.scope];
      const expected = expectedOf[kind];
      if (expected === PASSES) {
        expect([id, name, [401, 403].includes(answer.status) || hidden]).toEqual([id, name, false]);
        continue;
      }
      expect([id, name, answer.status, hidden]).toEqual([id, name, expected, expected === 404]);
      checkRefusal(answer, operation);
    }
  });

  it.each(secured.map((operation) => [operation.id, operation] as const))('%s documents how it is refused', (_, { statuses }) => {
    expect(statuses).toEqual(expect.arrayContaining(['401', '403', '421', '429', '500', '503']));
  });

  it('a hidden cluster and one that does not exist are the same but for the id', async () => {
    const ids = [
      CLUSTER,
      'ali-broken',
      'shan-missing',
      'nothing',
      'ali2',
      'ehpc-hz-contract01',
      'x'.repeat(300),
      '%E4%B8%AD%2F..',
    ];
    const { headers } = live.otherCluster;
    for (const operation of secured.filter(({ scope }) => scope === 'cluster')) {
      const bodies = await Promise.all(
        ids.map(async (clusterId) => {
          const answer = await ask(operation, headers, { clusterId });
          checkRefusal(answer, operation);
          const shown = decodeURIComponent(clusterId);
          const { detail, instance, ...rest } = answer.body;
          // The name of a fresh user is in the path of some.
          const path = String(instance)
            .replace(`/clusters/${clusterId}`, '/clusters/ID')
            .replace(/matrix\.\d+/, 'NAME');
          return { ...rest, detail: String(detail).replace(shown, 'ID'), path };
        }),
      );
      for (const body of bodies) expect([operation.id, body]).toEqual([operation.id, bodies[0]]);
      expect(bodies[0]?.detail).toBe('There is no cluster ID.');
    }
  });

  it('a hidden operation and one that does not exist are the same but for the id', async () => {
    const missing = `op_${'0'.repeat(32)}`;
    for (const operation of secured.filter(({ scope }) => scope === 'operation')) {
      const [hidden, none] = await Promise.all(
        [operationId, missing].map(async (id) => {
          const { text, status } = await ask(operation, live.otherCluster.headers, { operationId: id });
          return [status, text.replaceAll(id, 'ID')];
        }),
      );
      expect(hidden).toEqual(none);
    }
  });

  it('a hidden account and one that does not exist are the same but for the name', async () => {
    for (const operation of secured.filter(({ scope }) => scope === 'account')) {
      const [hidden, none] = await Promise.all(
        ['aliyun', 'nothing'].map(async (accountId) => {
          const { text, status } = await ask(operation, live.otherCluster.headers, { accountId });
          return [status, text.replaceAll(accountId, 'ID')];
        }),
      );
      expect(hidden).toEqual(none);
    }
  });

  it.each(open.map((operation) => [operation.id, operation] as const))(
    '%s needs no caller, and takes any',
    async (_, operation) => {
      for (const { headers } of ASKERS) {
        const { status } = await ask(operation, await headers());
        expect([200, 302]).toContain(status);
      }
    },
  );

  it('pages of the documentation need no caller', async () => {
    for (const path of ['/docs/', '/docs/swagger-ui.css', '/'])
      expect((await fetch(`${gateway.url}${path}`, { headers: { accept: 'text/html' } })).status).toBe(200);
  });

  it('HEAD is what GET is', async () => {
    for (const operation of secured.filter(({ method }) => method === 'GET'))
      for (const { name, headers } of ASKERS.filter(({ kind }) => kind !== 'all')) {
        const given = await headers();
        const { status } = await ask(operation, given);
        const url = operation.path
          .replace('{clusterId}', CLUSTER)
          .replace('{operationId}', operationId)
          .replace('{accountId}', 'aliyun')
          .replace('{username}', 'user.0001');
        const head = await fetch(`${gateway.url}${url}`, { method: 'HEAD', headers: given });
        expect([operation.id, name, head.status]).toEqual([operation.id, name, status]);
      }
  });
});

describe('a document in which an operation has no rule is not served', () => {
  const withSecurity = (security: unknown) => {
    const document = structuredClone(readDocument()) as unknown as { paths: Record<string, Record<string, object>> };
    const path = document.paths['/clusters/{clusterId}'] as Record<string, object>;
    const { security: _, ...operation } = path['get'] as { security?: unknown };
    path['get'] = security === undefined ? operation : { ...operation, security };
    return document as never;
  };

  it.each([
    ['none', undefined],
    ['null', null],
    ['no verb', [{ bearer: [] }]],
    ['a requirement that anybody meets', [{}]],
    ['one of two that anybody meets', [{ bearer: ['read'] }, { apiKey: ['read'] }, {}]],
    ['an unknown verb', [{ bearer: ['reed'] }, { apiKey: ['reed'] }]],
    ['two verbs at once', [{ bearer: ['read', 'write'] }, { apiKey: ['read', 'write'] }]],
    ['verbs that differ by scheme', [{ bearer: ['read'] }, { apiKey: ['write'] }]],
    ['an unknown scheme', [{ cookie: ['read'] }]],
  ])('%s', (_, security) => {
    expect(() => operationsOf(withSecurity(security))).toThrow(/getCluster of openapi\.yaml has no rule/);
  });

  it('but one that says that it needs no caller is', () => {
    expect(operationsOf(withSecurity([])).find(({ operationId: id }) => id === 'getCluster')?.verbs).toEqual([]);
  });
});
