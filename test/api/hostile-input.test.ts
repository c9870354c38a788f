/** Texts that are no text, and names that are meant for a terminal or a log. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backendNamed, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let live: LiveBackend;
let gateway: TestGateway;
beforeAll(async () => {
  live = await backendNamed('memory').start();
  gateway = await startGateway(live.raw);
});
afterAll(async () => {
  await gateway.stop();
  await live.close();
});

const USERS = '/clusters/main/users';
const PASSWORD = 'Passw0rd!';
const TEXT = 'must be well-formed Unicode text without control characters';
const UTF_8 = 'must be UTF-8 in valid percent-encoding';
const headers = { 'content-type': 'application/json' };

describe('a path that is not UTF-8', () => {
  it.each([
    ['GET', '/clusters/%FF', '/path/clusterId'],
    ['GET', '/clusters/%ED%A0%80/users', '/path/clusterId'],
    ['GET', `${USERS}/%C3`, '/path/username'],
    ['GET', `${USERS}/%`, '/path/username'],
    ['DELETE', `${USERS}/a%ED%BF%BFb`, '/path/username'],
    ['GET', '/users/%C0%80', '/path/username'],
    ['GET', '/operations/op_%F0%9F', '/path/operationId'],
  ])('%s %s', async (method, path, pointer) => {
    const { status, body } = await gateway.request(method, path);
    expect([status, body.code, body.errors]).toEqual([400, 'invalid_request', [{ pointer, message: UTF_8 }]]);
  });
});

describe('a query that is not UTF-8', () => {
  it.each([
    [`${USERS}?search=%FF`, '/query/search'],
    [`${USERS}?limit=5&search=a%ED%A0%80`, '/query/search'],
    [`${USERS}?username=a,%C3%28`, '/query/username'],
    [`${USERS}?cursor=%`, '/query/cursor'],
    ['/operations?clusterId=%80', '/query/clusterId'],
  ])('%s', async (path, pointer) => {
    const { status, body } = await gateway.get(path);
    expect([status, body.errors]).toEqual([400, [{ pointer, message: UTF_8 }]]);
    expect(body.detail).toBe(`The query parameter ${pointer.slice('/query/'.length)} ${UTF_8}.`);
  });

  it('whose name is not, too', async () => {
    expect((await gateway.get(`${USERS}?%FF=1`)).body.errors).toEqual([{ pointer: '/query/', message: UTF_8 }]);
  });

  it('and one that is', async () => {
    const { status, body } = await gateway.get(`${USERS}?search=${encodeURIComponent('ü 密 🔑 +&=#')}`);
    expect([status, body.total]).toEqual([200, 0]);
  });
});

describe('control characters', () => {
  it.each(['%00', '%0D%0A', '%1B[31m', '%7F', '%C2%85', '%09'])('are no part of a name or a search: %s', async (char) => {
    const requests = [
      [`${USERS}/a${char}b`, '/path/username'],
      [`/users/a${char}`, '/path/username'],
      [`/clusters/${char}/users`, '/path/clusterId'],
      [`/operations/${char}`, '/path/operationId'],
      [`${USERS}?search=a${char}`, '/query/search'],
      [`${USERS}?username=a${char}`, '/query/username'],
      [`${USERS}?cursor=a${char}`, '/query/cursor'],
      [`/operations?clusterId=a${char}`, '/query/clusterId'],
    ] as const;
    for (const [path, pointer] of requests) {
      const { status, body } = await gateway.get(path);
      expect([path, status, body.errors]).toEqual([path, 400, [{ pointer, message: TEXT }]]);
    }
  });
});

/** Sent as the text that JSON has for it. */
const HALVES = ['\\ud800', 'a\\udfffb', '\\udc00\\ud800'];

describe('half a character in a body', () => {
  it.each(HALVES)('is no part of a name or a password: %s', async (half) => {
    const bodies: readonly (readonly [string, string, string, string])[] = [
      ['POST', USERS, `{"username":"${half}","password":"${PASSWORD}"}`, '/username'],
      ['POST', USERS, `{"username":"halved","password":"${PASSWORD}${half}"}`, '/password'],
      ['PUT', `${USERS}/user.0001/password`, `{"password":"${PASSWORD}${half}"}`, '/password'],
      ['PUT', `${USERS}/halved`, `{"password":"${PASSWORD}${half}"}`, '/password'],
    ];
    for (const op of ['create', 'update', 'delete', 'ensure']) {
      const password = op === 'delete' ? '' : `,"password":"${PASSWORD}"`;
      const items = `{"items":[{"op":"${op}","username":"${half}"${password}}]}`;
      const { status, body } = await gateway.request('POST', `${USERS}/batch`, { raw: items, headers });
      expect([op, status, body.errors]).toEqual([op, 400, [{ pointer: '/items/0/username', message: TEXT }]]);
    }
    for (const [method, path, raw, pointer] of bodies) {
      const { status, body } = await gateway.request(method, path, { raw, headers });
      const message = pointer === '/password' ? 'must be well-formed Unicode text' : TEXT;
      expect([path, status, body.errors]).toEqual([path, 400, [{ pointer, message }]]);
    }
  });

  it('is a fault of the request, before any rule of a cluster', async () => {
    const raw = `{"username":"\\ud800","password":"x"}`;
    const { status } = await gateway.request('POST', '/clusters/none/users', { raw, headers });
    expect(status).toBe(400);
    expect((await gateway.get(`${USERS}?search=halved`)).body.total).toBe(0);
  });
});

it('control characters in a password stay a matter of the rules, which say so', async () => {
  const { status, body } = await gateway.post(USERS, { username: 'lines', password: `${PASSWORD}\n` });
  expect([status, body.errors[0].message]).toEqual([422, expect.stringContaining('line ends')]);
});
