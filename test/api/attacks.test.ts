/** What a caller who may only read one cluster tries, to read another one or to write. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startEhpc, startShanhe } from '../support/backends.js';
import { type BothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller } from '../support/callers.js';
import { startGateway } from '../support/gateway.js';
import { bodyOf, type RawAnswer, sendRaw } from '../support/raw-request.js';

const reader = makeCaller('reader', [{ clusters: ['shan'], verbs: ['read'] }]);
const owner = makeCaller('owner');
const PASSWORD = 'kUISjs@kkkkkk1';
const HIDDEN = 'ali';

const stage = {} as BothVendors;
let operation: string;
beforeAll(async () => {
  [stage.ehpc, stage.shanhe] = await Promise.all([startEhpc(), startShanhe()]);
  stage.gateway = await startGateway({
    ...configOver(stage),
    auth: { callers: [reader.config, owner.config] },
  });
  const { status } = await stage.gateway.request('PUT', `/clusters/${HIDDEN}/users/user.0001/password`, {
    body: { password: PASSWORD },
    headers: owner.headers,
  });
  expect(status).toBe(204);
  const { body } = await stage.gateway.request('GET', '/operations', { headers: owner.headers });
  operation = body.items[0].id;
});
afterAll(async () => {
  await stage.gateway.stop();
  await Promise.all([stage.ehpc.close(), stage.shanhe.close()]);
});

let ehpcCalls: number;
let effects: number;
beforeEach(() => {
  ehpcCalls = stage.ehpc.calls.length;
  effects = stage.ehpc.journal.length + stage.shanhe.journal.length;
});
/** Nothing of the hidden cluster is in the answer, and nobody was asked or changed. */
const expectNothing = (what: unknown, { status, text }: RawAnswer): void => {
  expect([what, status >= 300]).toEqual([what, true]);
  // What was asked for is repeated.
  const said = text.replaceAll('user.0001', 'NAME');
  expect([what, said]).toEqual([what, expect.not.stringMatching(/user\.00|aliyun|ehpc-hz|"alibaba|cn-hangzhou/)]);
  expect(stage.ehpc.calls.length - ehpcCalls).toBe(0);
  expect(stage.ehpc.journal.length + stage.shanhe.journal.length).toBe(effects);
};

const send = (method: string, target: string, headers: readonly string[] = [], body = ''): Promise<RawAnswer> =>
  sendRaw(stage.gateway.url, [`${method} ${target} HTTP/1.1`, 'Host: localhost', `X-API-Key: ${reader.key}`, ...headers], body);

describe('a hidden cluster is not read', () => {
  it.each([
    '/clusters/ali/users',
    '/clusters/shan/../ali/users',
    '/clusters/shan/%2e%2e/ali/users',
    '/clusters/shan%2f..%2fali/users',
    '/clusters/shan%2F%2E%2E%2Fali/users',
    '/clusters/shan/..;/ali/users',
    '/clusters/shan;ali/users',
    '/clusters/%61li/users',
    '/clusters/%2561li/users',
    '/clusters/ali%00shan/users',
    '/clusters/shan%00/users',
    '/clusters/ALI/users',
    '/clusters/Shan/users',
    '/clusters/ali%20/users',
    '/clusters/%20shan/users',
    '/clusters//ali/users',
    '//clusters/ali/users',
    '/./clusters/ali/users',
    '/clusters/./ali/users',
    '/clusters/ali/./users',
    '/clusters/ali//users',
    '/clusters/ali/users/',
    '/CLUSTERS/ali/users',
    '/clusters/ali/users/user.0001',
    '/clusters/ali/users/user.0001/',
    '/clusters/ali/users/batch',
    '/clusters\\ali\\users',
    '/clusters/shan,ali/users',
    '/clusters/*/users',
    '/clusters/shan*/users',
    '/clusters/sha%CE%B7/users',
    '/clusters/%C0%AE%C0%AE/ali',
    '/clusters/__proto__/users',
    '/clusters/constructor',
    `/clusters/${'a'.repeat(255)}/users`,
    `/clusters/${'a'.repeat(8_000)}/users`,
    `/clusters/${'%61'.repeat(2_000)}/users`,
    `/clusters/ali/users/${'%2e%2e%2f'.repeat(300)}shan`,
    '/docs/../clusters/ali/users',
    '/docs/%2e%2e/clusters/ali/users',
    '/docs/..%2f..%2fopenapi.yaml',
    '/docs/..%5c..%5cpackage.json',
    '/docs/%2e%2e/%2e%2e/package.json',
    '/docs/package.json%00.css',
    '/healthz/../clusters/ali/users',
    '/healthz%2f..%2fclusters/ali',
    'http://localhost/clusters/ali/users',
    'http://localhost//clusters/ali/users',
  ])('%s', async (target) => {
    for (const method of ['GET', 'HEAD']) expectNothing(`${method} ${target}`, await send(method, target));
  });

  it.each([
    ['X-Original-URL: /clusters/ali/users'],
    ['X-Rewrite-URL: /clusters/ali/users'],
    ['X-Forwarded-Prefix: /clusters/ali'],
    ['X-Forwarded-Host: ali', 'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Proto: https', 'Forwarded: for=127.0.0.1'],
    ['X-Forwarded-User: owner', 'X-User: owner', 'X-Remote-User: owner', 'X-Forwarded-Groups: wheel'],
    ['Cookie: key=owner', 'Proxy-Authorization: Bearer x', 'X-Auth-Request-User: owner'],
  ])('nor by headers of proxies: %s', async (...headers) => {
    expectNothing(headers, await send('GET', '/clusters/ali/users', headers));
    const list = await send('GET', '/clusters', headers);
    expect(list.status).toBe(200);
    expect(list.text).not.toContain('"ali');
    expect(list.text).not.toContain('/clusters/ali');
  });

  it.each([
    '/clusters/shan/users?clusterId=ali',
    '/clusters/shan/users?limit=1&limit=2',
    '/clusters/shan/users?search[]=a',
    '/clusters/shan/users?role=member&role=admin',
    '/clusters/shan/users?cursor=a&cursor=b',
    '/clusters/shan/users?__proto__=1',
    '/operations?clusterId=shan&clusterId=ali',
    '/operations?clusterId[0]=ali',
    '/operations?limit=1e9',
    '/operations?caller=owner&caller=reader',
  ])('nor by parameters: %s', async (target) => {
    const answer = await send('GET', target);
    expect([target, answer.status]).toEqual([target, 400]);
    expectNothing(target, answer);
  });

  it('nor are its operations, by whatever way to write their id', async () => {
    for (const id of [
      operation,
      operation.toUpperCase(),
      encodeURIComponent(`${operation}/`),
      `${operation}%00`,
      `%6fp${operation.slice(2)}`,
    ]) {
      const answer = await send('GET', `/operations/${id}`);
      expect([id, answer.status]).toEqual([id, id.endsWith('%00') ? 400 : 404]);
      expectNothing(id, answer);
      expectNothing(id, await send('POST', `/operations/${id}/cancel`));
    }
    for (const query of [
      '',
      '?caller=owner',
      '?username=user.0001',
      '?clusterId=ali',
      '?kind=setUserPassword',
      '?state=succeeded',
      '?limit=200',
    ])
      expect([query, JSON.parse((await send('GET', `/operations${query}`)).text).items]).toEqual([query, []]);
  });

  it('a cursor of another caller, or one that is made by hand, opens nothing', async () => {
    const { body } = await stage.gateway.request('GET', '/clusters/shan/users?limit=1', { headers: owner.headers });
    for (const cursor of [
      body.nextCursor,
      `${body.nextCursor}.`,
      String(body.nextCursor).slice(1),
      Buffer.from('{"o":0}').toString('base64url'),
    ])
      expect((await send('GET', `/clusters/shan/users?limit=1&cursor=${encodeURIComponent(cursor)}`)).status).toBe(400);
  });
});

describe('nothing is written', () => {
  const JSON_TYPE = 'Content-Type: application/json';
  const body = JSON.stringify({ username: 'attacker1', password: PASSWORD });

  it.each([
    ['POST', '/clusters/shan/users'],
    ['PUT', '/clusters/shan/users/attacker1'],
    ['PATCH', '/clusters/shan/users/u0007'],
    ['DELETE', '/clusters/shan/users/u0007'],
    ['PUT', '/clusters/shan/users/u0007/password'],
    ['POST', '/clusters/shan/users/batch'],
    ['POST', '/clusters/shan/users/batch?dryRun=true'],
    ['DELETE', '/clusters/shan/users/u0007?dryRun=true'],
    ['POST', '/clusters/shan/users/%62atch'],
    ['POST', '/clusters/shan/users/'],
    ['post', '/clusters/shan/users'],
    ['DELETE', '/clusters/shan/users/%75%30%30%30%37'],
    ['DELETE', '/clusters/shan/users/u0007/'],
    ['DELETE', '/clusters/shan/users//u0007'],
    ['PURGE', '/clusters/shan/users/u0007'],
    ['POST', '/operations'],
  ])('%s %s', async (method, target) => {
    const answer = await send(method, target, [JSON_TYPE], body);
    expect([400, 403, 404, 405]).toContain(answer.status);
    expectNothing(target, answer);
  });

  it.each([
    ['X-HTTP-Method-Override: DELETE'],
    ['X-HTTP-Method: DELETE', 'X-Method-Override: DELETE'],
    ['Idempotency-Key: abc', 'If-Match: *', 'Prefer: respond-async'],
  ])('by a read with %s', async (...headers) => {
    const answer = await send('GET', '/clusters/shan/users/u0007?_method=DELETE', headers);
    expect(answer.status).toBe(400);
    expect((await send('GET', '/clusters/shan/users/u0007', headers)).status).toBe(200);
    expectNothing(headers, await send('POST', '/clusters/shan/users/u0007', headers));
    expect(stage.shanhe.journal).toEqual([]);
  });

  it('and the right is asked for before the body is read', async () => {
    // Nothing of the body follows.
    const answer = await send('POST', '/clusters/shan/users', [JSON_TYPE, 'Content-Length: 1000000']);
    expect([answer.status, answer.headers['connection']]).toEqual([403, 'close']);
    const hidden = await send('POST', '/clusters/ali/users', [JSON_TYPE], '{"broken');
    expect([hidden.status, bodyOf(hidden).code]).toEqual([404, 'cluster_not_found']);
    const refused = await send('POST', '/clusters/shan/users', ['Content-Type: text/plain'], 'x');
    expect(refused.status).toBe(403);
  });

  it('with two lengths, or a length and chunks, a request is refused before anybody reads it', async () => {
    for (const headers of [
      ['Content-Length: 5', 'Content-Length: 6'],
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding : chunked'],
    ]) {
      const answer = await send('POST', '/clusters/shan/users', [JSON_TYPE, ...headers]);
      expect([headers, answer.status]).toEqual([headers, 400]);
    }
  });
});
