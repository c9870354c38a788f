/** Mistakes in `auth`: each is one line that says what to correct. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { adapters } from '../../adapters/index.js';
import { ConfigError } from '../../src/config/error.js';
import { checkConfig, loadConfig } from '../../src/config/load.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-auth-'));
afterAll(() => rmSync(folder, { recursive: true }));

const base = { accounts: { main: { vendor: 'memory', clusters: {} } } };
const problemsOf = (raw: object, env = {}): readonly string[] => {
  try {
    checkConfig(structuredClone({ ...base, ...raw }), adapters, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

const hash = `sha256:${'a1'.repeat(32)}`;
const other = `sha256:${'b2'.repeat(32)}`;
const right = { clusters: ['*'], verbs: ['read'] };
const caller = { id: 'portal', keys: [{ hash }], rights: [right] };
const issuer = { issuer: 'https://sso.example.org/', audience: 'hpc-gateway', rights: [right] };
const proxy = { userHeader: 'x-forwarded-user', from: ['10.0.0.0/8'], rights: [right] };
const callersWith = (more: object) => ({ callers: [{ ...caller, ...more }] });
const keyWith = (key: unknown) => callersWith({ keys: [key] });
const rightWith = (more: object) => callersWith({ rights: [{ ...right, ...more }] });
const issuerWith = (more: object) => ({ jwt: [{ ...issuer, ...more }] });
const claimWith = (more: object) => issuerWith({ rights: [{ ...right, ...more }] });
const proxyWith = (more: object) => ({ proxy: { ...proxy, ...more } });

const HASH = 'must be sha256: and 64 hexadecimal digits, as hpc-gateway key new --id NAME prints it';
const PATTERN = 'must be an id of a cluster, in which * is any text (at most three of them), such as jn-*';
const ENDPOINT = 'must be an https URL without query (http is taken for loopback addresses only)';
const ADDRESSES = 'must be an address or a network, such as 10.0.0.0/8';
const NOBODY = 'auth: names nobody: give it callers, jwt or proxy';
const TIME = 'must be a time with its zone, such as 2027-06-30T00:00:00Z';

const MISTAKES: readonly (readonly [string, unknown, string])[] = [
  ['nothing', null, 'auth: must be a map of keys'],
  ['a list', [], 'auth: must be a map of keys'],
  ['an empty map', {}, NOBODY],
  ['empty lists', { callers: [], jwt: [] }, NOBODY],
  ['an unknown key', { keys: [] }, 'auth.keys: is not a known key'],
  ['a key that was mistyped', { caller: [caller] }, 'auth.caller: is not a known key; did you mean callers?'],
  ['callers that are no list', { callers: caller }, 'auth.callers: must be a list'],
  ['issuers that are no list', { jwt: issuer }, 'auth.jwt: must be a list'],
  [
    'an unknown verb',
    rightWith({ verbs: ['reed'] }),
    'auth.callers[0].rights[0].verbs[0]: must be one of read, write, operate, metrics, audit',
  ],
  ['no verb', rightWith({ verbs: [] }), 'auth.callers[0].rights[0].verbs: must name at least one'],
  ['verbs left out', callersWith({ rights: [{ clusters: ['*'] }] }), 'auth.callers[0].rights[0].verbs: is missing'],
  ['clusters left out', callersWith({ rights: [{ verbs: ['read'] }] }), 'auth.callers[0].rights[0].clusters: is missing'],
  ['no rights', callersWith({ rights: [] }), 'auth.callers[0].rights: must name at least one'],
  ['an unknown role', rightWith({ roles: ['root'] }), 'auth.callers[0].rights[0].roles[0]: must be one of member, admin, owner'],
  ['a cluster that can be none', rightWith({ clusters: ['a/b'] }), `auth.callers[0].rights[0].clusters[0]: ${PATTERN}`],
  ['too many stars', rightWith({ clusters: ['*a*b*c*'] }), `auth.callers[0].rights[0].clusters[0]: ${PATTERN}`],
  ['a claim of a key', rightWith({ claim: '/roles' }), 'auth.callers[0].rights[0].claim: is not a known key'],
  ['the key itself', keyWith({ hash: `hpcgw_${'a'.repeat(43)}` }), `auth.callers[0].keys[0].hash: ${HASH}`],
  ['a short hash', keyWith({ hash: hash.slice(0, -1) }), `auth.callers[0].keys[0].hash: ${HASH}`],
  ['another hash', keyWith({ hash: hash.replace('256', '512') }), `auth.callers[0].keys[0].hash: ${HASH}`],
  ['a key that is text', keyWith(hash), 'auth.callers[0].keys[0]: must be a map of keys'],
  ['no key', callersWith({ keys: [] }), 'auth.callers[0].keys: must name at least one'],
  ['a day without a time', keyWith({ hash, expires: '2027-06-30' }), `auth.callers[0].keys[0].expires: ${TIME}`],
  ['a time without a zone', keyWith({ hash, expires: '2027-06-30T00:00:00' }), `auth.callers[0].keys[0].expires: ${TIME}`],
  ['a day that is none', keyWith({ hash, expires: '2027-02-30T00:00:00+99:00' }), `auth.callers[0].keys[0].expires: ${TIME}`],
  ['an id twice', { callers: [caller, { ...caller, keys: [{ hash: other }] }] }, 'auth.callers[1].id: the id is already taken'],
  [
    'an id in another case',
    { callers: [caller, { ...caller, id: 'PORTAL', keys: [{ hash: other }] }] },
    'auth.callers[1].id: the id is already taken',
  ],
  ['a key twice', { callers: [caller, { ...caller, id: 'script' }] }, 'auth.callers[1].keys[0].hash: the key is already taken'],
  [
    'a key twice of one caller',
    callersWith({ keys: [{ hash }, { hash: hash.replace('a1', 'A1') }] }),
    'auth.callers[0].keys[1].hash: the key is already taken',
  ],
  [
    'an id that could be one of a token',
    callersWith({ id: 'https://sso.example.org/#alice' }),
    'auth.callers[0].id: must be letters, digits, dots, dashes and underscores, at most 128, and begin with a letter or digit',
  ],
  [
    'no requests',
    callersWith({ limits: { requestsPerCallerPerMinute: 0 } }),
    'auth.callers[0].limits.requestsPerCallerPerMinute: must be >= 1',
  ],
  ['an issuer over plain http', issuerWith({ issuer: 'http://sso.example.org/' }), `auth.jwt[0].issuer: ${ENDPOINT}`],
  ['an issuer with a query', issuerWith({ issuer: 'https://sso.example.org/?a=b' }), `auth.jwt[0].issuer: ${ENDPOINT}`],
  // With a subject, its ids could be those of another issuer.
  ['an issuer with an empty fragment', issuerWith({ issuer: 'https://sso.example.org/#' }), `auth.jwt[0].issuer: ${ENDPOINT}`],
  ['an issuer that is no URL', issuerWith({ issuer: 'sso.example.org' }), `auth.jwt[0].issuer: ${ENDPOINT}`],
  ['an issuer with a password', issuerWith({ issuer: 'https://u:p@sso.example.org/' }), `auth.jwt[0].issuer: ${ENDPOINT}`],
  [
    'keys over plain http',
    issuerWith({ jwksUri: 'http://sso.example.org/jwks' }),
    'auth.jwt[0].jwksUri: must be an https URL (http is taken for loopback addresses only)',
  ],
  ['no audience', { jwt: [{ issuer: issuer.issuer, rights: [right] }] }, 'auth.jwt[0].audience: is missing'],
  ['an empty audience', issuerWith({ audience: '' }), 'auth.jwt[0].audience: must not be empty'],
  ['no algorithm', issuerWith({ algorithms: [] }), 'auth.jwt[0].algorithms: must name at least one'],
  [
    'a claim without a value',
    claimWith({ claim: '/roles' }),
    'auth.jwt[0].rights[0].value: is missing: claim and value belong together',
  ],
  [
    'a value without a claim',
    claimWith({ value: 'admin' }),
    'auth.jwt[0].rights[0].claim: is missing: claim and value belong together',
  ],
  ['an empty value', claimWith({ claim: '/roles', value: '' }), 'auth.jwt[0].rights[0].value: must not be empty'],
  [
    'a claim that is no pointer',
    claimWith({ claim: 'roles', value: 'admin' }),
    'auth.jwt[0].rights[0].claim: must be a JSON pointer to a claim, such as /roles or /realm_access/roles',
  ],
  ['a proxy from nowhere', proxyWith({ from: [] }), 'auth.proxy.from: must name at least one'],
  ['a proxy from everywhere', proxyWith({ from: ['0.0.0.0/0'] }), `auth.proxy.from[0]: ${ADDRESSES}`],
  ['a network that is none', proxyWith({ from: ['10.0.0.0/33'] }), `auth.proxy.from[0]: ${ADDRESSES}`],
  ['a name of a proxy', proxyWith({ from: ['proxy.internal'] }), `auth.proxy.from[0]: ${ADDRESSES}`],
  ['a header that is none', proxyWith({ userHeader: 'x user' }), 'auth.proxy.userHeader: must be the name of a header'],
  [
    'a header of keys',
    proxyWith({ userHeader: 'X-API-Key' }),
    'auth.proxy.userHeader: must be another header: clients send their keys in this one',
  ],
  [
    'the same header for both',
    proxyWith({ groupsHeader: 'X-Forwarded-User' }),
    'auth.proxy.groupsHeader: must be another header than userHeader',
  ],
  [
    'groups without their header',
    proxyWith({ rights: [{ ...right, group: 'staff' }] }),
    'auth.proxy.groupsHeader: is missing: rights of a group need the header that names the groups',
  ],
  [
    'an empty group',
    proxyWith({ groupsHeader: 'x-groups', rights: [{ ...right, group: '' }] }),
    'auth.proxy.rights[0].group: must not be empty',
  ],
];

describe('a mistake in auth is one line', () => {
  it.each(MISTAKES)('%s', (_, auth, line) => {
    expect(problemsOf({ auth })).toEqual([line]);
  });

  it.each(['HS256', 'HS512', 'none', 'RSA1_5', 'rs256'])('an algorithm without a public key, or none: %s', (alg) => {
    const [line, ...others] = problemsOf({ auth: issuerWith({ algorithms: [alg] }) });
    expect(others).toEqual([]);
    expect(line).toMatch(/^auth\.jwt\[0\]\.algorithms\[0\]: must be one of RS256, (?!.*(HS|none)).*$/);
  });

  it('with its line in the file, and no key or hash in it', () => {
    const path = join(folder, 'gateway.yaml');
    const key = `hpcgw_${'k'.repeat(43)}`;
    writeFileSync(
      path,
      `accounts: { main: { vendor: memory, clusters: {} } }\nauth:\n  callers:\n    - id: portal\n      keys:\n        - hash: ${key}\n      rights:\n        - { clusters: ["*"], verbs: [reed] }\n`,
    );
    try {
      loadConfig(path, adapters, {});
      throw new Error('it was taken');
    } catch (error) {
      const text = (error as ConfigError).problems.join('\n');
      expect(text).toContain(`${path}: line 6: auth.callers[0].keys[0].hash: ${HASH}`);
      expect(text).toContain(`${path}: line 8: auth.callers[0].rights[0].verbs[0]: must be one of`);
      expect(text).not.toContain('kkkk');
    }
  });
});

describe('what is taken', () => {
  it('has its defaults', () => {
    const { auth } = checkConfig(
      structuredClone({ ...base, auth: { callers: [caller], jwt: [issuer], proxy: { ...proxy, groupsHeader: 'x-groups' } } }),
      adapters,
      {},
    );
    expect(auth?.callers[0]?.rights).toEqual([{ ...right, roles: ['member'] }]);
    expect(auth?.jwt[0]).toEqual({
      ...issuer,
      algorithms: ['RS256', 'ES256'],
      requireTyp: true,
      clockToleranceSeconds: 30,
      rights: [{ ...right, roles: ['member'] }],
    });
  });

  it.each([
    [
      'a time as YAML has it',
      `{ callers: [{ id: a, keys: [{ hash: "${hash}", expires: 2027-06-30T00:00:00Z }], rights: [{ clusters: ["jn-*"], verbs: [read] }] }] }`,
    ],
    [
      'an issuer on this machine',
      `{ jwt: [{ issuer: "http://127.0.0.1:9000/realm", audience: a, rights: [{ clusters: [a], verbs: [read] }] }] }`,
    ],
    [
      'a proxy alone',
      '{ proxy: { userHeader: X-User, from: ["::1", 10.0.0.0/8], rights: [{ clusters: ["*"], verbs: [read] }] } }',
    ],
  ])('%s', (_, auth) => {
    const path = join(folder, 'good.yaml');
    writeFileSync(path, `accounts: { main: { vendor: memory, clusters: {} } }\nauth: ${auth}\n`);
    expect(loadConfig(path, adapters, {}).auth).toBeDefined();
  });
});

describe('a host beyond this machine needs auth', () => {
  const reason = (host: string): string =>
    `without auth the gateway listens on this machine only (127.0.0.1, ::1 or localhost), and not on ${host}; say in auth who may call it`;

  it.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'gateway.internal',
    '127.0.0.1.example.org',
    'localhost.example.org',
    '::ffff:127.0.0.1',
    '128.0.0.1',
  ])('%s', (host) => {
    expect(problemsOf({ server: { host } })).toEqual([`server.host: ${reason(host)}`]);
    expect(problemsOf({}, { HOST: host })).toEqual([`HOST (environment): ${reason(host)}`]);
    expect(problemsOf({ server: { host: '127.0.0.1' } }, { HOST: host })).toEqual([`HOST (environment): ${reason(host)}`]);
    expect(problemsOf({ server: { host }, auth: { callers: [caller] } })).toEqual([]);
  });

  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s is this machine', (host) => {
    expect(problemsOf({ server: { host } })).toEqual([]);
    expect(problemsOf({ server: { host: '0.0.0.0' } }, { HOST: host })).toEqual([]);
  });

  it('an auth that cannot be used opens nothing', () => {
    for (const auth of [null, {}, { callers: [] }, 'none', false])
      expect(problemsOf({ auth, server: { host: '0.0.0.0' } })).toHaveLength(1);
  });

  it('an empty host is one line', () => {
    expect(problemsOf({ server: { host: '' } })).toEqual(['server.host: must not be empty']);
  });
});
