/** Credentials in headers, as they come, and whose operations and idempotency keys they lead to. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeCaller } from '../support/callers.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { AUDIENCE, startIssuer, type TestIssuer } from '../support/issuer.js';
import { bodyOf, sendRaw } from '../support/raw-request.js';

const ALL = [{ clusters: ['*'], verbs: ['read', 'write'], roles: ['owner'] }];
const [alice, bob] = [makeCaller('alice', ALL), makeCaller('bob', ALL)];
const PASSWORD = 'Passw0rd!';

let issuer: TestIssuer;
/** Has no keys. */
let broken: TestIssuer;
let gateway: TestGateway;
beforeAll(async () => {
  [issuer, broken] = await Promise.all([startIssuer(), startIssuer()]);
  broken.behave = (_, response) => Boolean(response.writeHead(500).end());
  gateway = await startGateway({
    accounts: { main: { vendor: 'memory', clusters: { main: { users: [{ username: 'plain' }] } } } },
    clusters: [{ id: 'main', account: 'main', vendorClusterId: 'main' }],
    auth: {
      callers: [alice.config, bob.config],
      jwt: [issuer, broken].map(({ url }) => ({ issuer: url, audience: AUDIENCE, rights: ALL })),
      proxy: { userHeader: 'X-User', groupsHeader: 'X-Groups', from: ['127.0.0.1'], rights: ALL },
    },
  });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([issuer.close(), broken.close()]);
});

const ask = (...headers: readonly string[]) => sendRaw(gateway.url, ['GET /operations HTTP/1.1', 'Host: localhost', ...headers]);

describe('a credential', () => {
  it.each([
    ['Bearer', `Authorization: Bearer ${alice.key}`],
    ['bearer', `authorization: bearer ${alice.key}`],
    ['BEARER, with blanks', `AUTHORIZATION:   BEARER    ${alice.key}   `],
    ['X-API-Key', `X-API-Key: ${alice.key}`],
    ['x-api-key, with blanks', `x-api-key:    ${alice.key} `],
  ])('is taken: %s', async (_, header) => {
    expect((await ask(header)).status).toBe(200);
  });

  it('in both headers is taken where it is the same', async () => {
    const authorization = `Authorization: Bearer ${alice.key}`;
    expect((await ask(authorization, `X-API-Key: ${alice.key}`)).status).toBe(200);
    expect((await ask(authorization, `X-API-Key: ${bob.key}`)).status).toBe(401);
  });

  it.each([
    ['a scheme without a key', ['Authorization: Bearer'], 'Bearer realm="hpc-gateway"'],
    ['another scheme', [`Authorization: Basic ${alice.key}`], 'Bearer realm="hpc-gateway"'],
    ['no scheme', [`Authorization: ${alice.key}`], 'Bearer realm="hpc-gateway"'],
    ['two words', [`Authorization: Bearer ${alice.key} ${alice.key}`], 'Bearer realm="hpc-gateway"'],
    ['two keys', [`X-API-Key: ${alice.key}`, `X-API-Key: ${bob.key}`], /invalid_token/],
    ['the same key twice', [`X-API-Key: ${alice.key}`, `X-API-Key: ${alice.key}`], /invalid_token/],
    ['two tokens', [`Authorization: Bearer ${alice.key}`, `Authorization: Bearer ${bob.key}`], /invalid_token/],
    ['a key in the query', [], 'Bearer realm="hpc-gateway"'],
    ['a user header that is there twice', ['X-User: alice', 'X-User: root'], /invalid_token/],
    ['groups that are there twice', ['X-User: alice', 'X-Groups: a', 'X-Groups: b'], /invalid_token/],
  ])('is not taken: %s', async (what, headers, challenge) => {
    const path = what.endsWith('query') ? `/operations?api_key=${alice.key}&access_token=${alice.key}` : '/operations';
    const answer = await sendRaw(gateway.url, [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers]);
    expect([answer.status, bodyOf(answer).code]).toEqual([401, 'unauthenticated']);
    expect(answer.headers['www-authenticate']).toEqual(
      typeof challenge === 'string' ? challenge : expect.stringMatching(challenge),
    );
    expect(answer.text).not.toContain(alice.key);
  });

  it('is in no log line', async () => {
    const { key: wrong } = makeCaller('nobody');
    const token = await issuer.sign({ exp: 1 });
    for (const text of [alice.key, wrong, token]) await ask(`Authorization: Bearer ${text}`);
    for (const text of [alice.key, wrong, token]) expect(gateway.logged()).not.toContain(text.slice(-30));
    expect(gateway.logged()).toContain('"caller":"alice"');
  });

  it('a token of 100 KB is refused before anybody reads it', async () => {
    const { status } = await ask(`Authorization: Bearer ${await issuer.sign({ filler: 'x'.repeat(100_000) })}`);
    expect([401, 431]).toContain(status);
  });
});

it('an issuer that cannot be asked is 503 with Retry-After, and no other caller waits for it', async () => {
  const authorization = `Bearer ${await broken.sign()}`;
  for (const [method, path] of [
    ['GET', '/clusters'],
    ['POST', '/clusters/main/users/batch'],
  ] as const) {
    const { status, body, headers } = await gateway.request(method, path, { headers: { authorization } });
    expect([status, body.code, body.retryable, headers.get('retry-after')]).toEqual([503, 'issuer_unavailable', true, '5']);
    expect(body.detail).not.toMatch(/ECONN|status|fetch/);
  }
  expect((await gateway.request('GET', '/clusters', { headers: alice.headers })).status).toBe(200);
});

describe('callers whose names look alike', () => {
  /** An API key, a user of the proxy, and two more who are named like the ids of others. */
  const headersOf = (): Promise<Readonly<Record<string, string>>[]> =>
    Promise.all([
      alice.headers,
      { 'x-user': 'alice' },
      { 'x-user': 'proxy:alice' },
      { 'x-user': `${issuer.url}#alice` },
      ...['alice', 'proxy:alice', `${issuer.url}#alice`].map(async (sub) => ({
        authorization: `Bearer ${await other.sign({ sub })}`,
      })),
    ]);
  let other: TestIssuer;
  let shared: TestGateway;
  beforeAll(async () => {
    other = await startIssuer();
    shared = await startGateway({
      accounts: { main: { vendor: 'memory', clusters: { main: { users: [{ username: 'plain' }] } } } },
      clusters: [{ id: 'main', account: 'main', vendorClusterId: 'main' }],
      auth: {
        callers: [alice.config],
        jwt: [{ issuer: other.url, audience: AUDIENCE, rights: ALL }],
        proxy: { userHeader: 'X-User', from: ['127.0.0.1'], rights: ALL },
      },
    });
  });
  afterAll(async () => {
    await shared.stop();
    await other.close();
  });

  it('have operations, idempotency keys and cursors of their own', async () => {
    const all = await headersOf();
    const ids = new Set<string>();
    for (const headers of all) {
      const set = () =>
        shared.request('PUT', '/clusters/main/users/plain/password', {
          body: { password: PASSWORD },
          headers: { ...headers, 'idempotency-key': 'same' },
        });
      const first = await set();
      expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([204, null]);
      expect((await set()).headers.get('idempotency-replayed')).toBe('true');
      const { body } = await shared.request('GET', '/operations?limit=1', { headers });
      ids.add(body.items[0].caller);
      const own = await shared.request('GET', `/operations?caller=${encodeURIComponent(body.items[0].caller)}`, { headers });
      expect(own.body.items).toHaveLength(1);
    }
    expect(ids.size).toBe(all.length);
    const [mine = {}, ...others] = all;
    const { body } = await shared.request('GET', '/operations?limit=2', { headers: mine });
    const next = `/operations?limit=2&cursor=${encodeURIComponent(body.nextCursor)}`;
    expect((await shared.request('GET', next, { headers: mine })).status).toBe(200);
    for (const headers of others) expect((await shared.request('GET', next, { headers })).status).toBe(400);
  });
});
