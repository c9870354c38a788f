/** Requests that do not fit the document, and what Express would say by itself. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
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
const SECRET = 'Unrepeatable1';
const json = { 'content-type': 'application/json' };

describe('queries', () => {
  it.each([
    ['limit=0', '/query/limit', 'must be >= 1'],
    ['limit=1001', '/query/limit', 'must be <= 1000'],
    ['limit=ten', '/query/limit', 'must be a whole number'],
    ['limit=1.5', '/query/limit', 'must be a whole number'],
    ['limit=', '/query/limit', 'must be a whole number'],
    ['limit=0x10', '/query/limit', 'must be a whole number'],
    ['limit=%205', '/query/limit', 'must be a whole number'],
    ['limit=1e1', '/query/limit', 'must be a whole number'],
    ['limit=1&limit=2', '/query/limit', 'is repeated; give it once'],
    ['offset=-1', '/query/offset', 'must be >= 0'],
    ['search=', '/query/search', 'must not be empty'],
    ['role=root', '/query/role', 'must be one of member, admin, owner'],
    ['include=everything', '/query/include', 'must be one of vendor'],
    ['page=2', '/query/page', 'is not known'],
    ['cursor=', '/query/cursor', 'must not be empty'],
  ])('%s', async (query, pointer, message) => {
    const { status, body } = await gateway.get(`${USERS}?${query}`);
    expect([status, body.code, body.errors]).toEqual([400, 'invalid_request', [{ pointer, message }]]);
  });

  it('are refused everywhere when they are not known', async () => {
    for (const path of [
      '/vendors',
      '/clusters',
      '/clusters/main',
      `${USERS}/user.0001`,
      '/healthz',
      '/readyz',
      '/openapi.json',
      '/docs',
    ]) {
      expect([path, (await gateway.get(`${path}?x=1`)).status]).toEqual([path, 400]);
    }
    expect((await gateway.request('DELETE', `${USERS}/user.0001?force=true`)).status).toBe(400);
  });

  it('tell all that is wrong at once', async () => {
    const { body } = await gateway.get(`${USERS}?limit=0&offset=x&colour=red`);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '/query/colour',
      '/query/limit',
      '/query/offset',
    ]);
  });
});

describe('bodies', () => {
  it.each([
    ['not JSON, and never quoted', `{"username":"x","password":"${SECRET}`, 400, 'invalid_request', ''],
    ['an array', '[]', 400, 'invalid_request', ''],
    ['null', 'null', 400, 'invalid_request', ''],
    ['a text', '"x"', 400, 'invalid_request', ''],
    ['no fields', '{}', 400, 'invalid_request', '/username'],
    ['a wrong type', '{"username":7,"password":"x"}', 400, 'invalid_request', '/username'],
    ['an unknown field', `{"username":"x","password":"${SECRET}","uid":3}`, 400, 'invalid_request', '/uid'],
    [
      'a key like a prototype',
      `{"username":"x","password":"${SECRET}","__proto__":{"role":"admin"}}`,
      400,
      'invalid_request',
      '/__proto__',
    ],
    ['a bad mode', `{"username":"x","password":"${SECRET}","directoryMode":"999"}`, 400, 'invalid_request', '/directoryMode'],
  ])('%s', async (_, raw, status, code, pointer) => {
    const answer = await gateway.request('POST', USERS, { raw, headers: json });
    expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([status, code, pointer]);
    expect(answer.text).not.toContain(SECRET);
  });

  it('that are missing', async () => {
    for (const headers of [json, {}]) {
      const { status, body } = await gateway.request('POST', USERS, { headers });
      expect([status, body.code, body.detail]).toEqual([400, 'invalid_request', 'The body is missing.']);
    }
  });

  it('that are too large', async () => {
    const raw = JSON.stringify({ username: 'x', password: 'y'.repeat(1024 * 1024) });
    const { status, body } = await gateway.request('POST', USERS, { raw, headers: json });
    expect([status, body.code]).toEqual([413, 'payload_too_large']);
  });

  it('of another type', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/merge-patch+json', 'application/jsonp']) {
      const { status, body, headers } = await gateway.request('POST', USERS, { raw: '{}', headers: { 'content-type': type } });
      expect([type, status, body.code]).toEqual([type, 415, 'unsupported_media_type']);
      expect(headers.get('accept')).toBe('application/json');
    }
    const charset = await gateway.request('POST', USERS, {
      raw: '{}',
      headers: { 'content-type': 'application/json; charset=x-none' },
    });
    expect(charset.status).toBe(415);
    const encoding = await gateway.request('POST', USERS, { raw: '{}', headers: { ...json, 'content-encoding': 'x-none' } });
    expect(encoding.status).toBe(415);
  });

  it('that are no UTF-8, or say so', async () => {
    const raw = Buffer.concat([Buffer.from('{"username":"latin1","password":"Passw0rd'), Buffer.from([0xe9]), Buffer.from('"}')]);
    const invalid = await gateway.request('POST', USERS, { raw, headers: json });
    expect([invalid.status, invalid.body.detail]).toEqual([400, 'The body is not valid UTF-8.']);
    const other = await gateway.request('POST', USERS, {
      raw: '{}',
      headers: { 'content-type': 'application/json; charset=gbk' },
    });
    expect(other.status).toBe(415);
  });

  it('with half a character, or very deep', async () => {
    const half = await gateway.request('POST', USERS, {
      raw: '{"username":"halved","password":"abcD1234\\ud800x"}',
      headers: json,
    });
    expect([half.status, half.body.errors]).toEqual([
      400,
      [{ pointer: '/password', message: 'must be well-formed Unicode text' }],
    ]);
    const deep = `{"username":"x","password":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect((await gateway.request('POST', USERS, { raw: deep, headers: json })).status).toBe(400);
  });

  it('with parameters of the type and any case', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=UTF-8' };
    const { status } = await gateway.request('POST', USERS, { raw: '{"username":"typed","password":"Passw0rd!"}', headers });
    expect(status).toBe(201);
  });

  it('where none is taken', async () => {
    const { status, body } = await gateway.request('DELETE', `${USERS}/user.0009`, { raw: '{}', headers: json });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    const large = await gateway.request('DELETE', `${USERS}/user.0009`, {
      raw: 'x'.repeat(2_000_000),
      headers: { 'content-encoding': 'zstd' },
    });
    expect(large.status).toBe(400);
    expect((await gateway.get(`${USERS}/user.0009`)).status).toBe(200);
  });

  it('that are empty, in chunks, are none: proxies send them', async () => {
    const chunked = { 'transfer-encoding': 'chunked', 'content-encoding': 'gzip' };
    const send = (method: string, path: string, ...chunks: string[]): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(gateway.url);
        const sending = httpRequest({ hostname, port, method, path, headers: chunked }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode));
        });
        sending.on('error', reject);
        for (const chunk of chunks) sending.write(chunk);
        sending.end();
      });
    expect(await send('GET', '/healthz')).toBe(200);
    expect(await send('GET', USERS)).toBe(200);
    expect(await send('DELETE', `${USERS}/user.0019`)).toBe(204);
    expect(await send('POST', '/operations/op_none/cancel')).toBe(404);
    expect(await send('DELETE', `${USERS}/user.0009`, '{', '}')).toBe(400);
    expect(await send('POST', USERS)).toBe(400);
    expect((await gateway.get(`${USERS}/user.0009`)).status).toBe(200);
  });

  it('with a line end in a password, as files and shells leave it, are refused with a pointer', async () => {
    for (const password of ['Choose@Your0wn\n', 'Choose@Your0wn\r', 'Choose@\tYour0wn', 'Choose@\u0000Your0wn']) {
      const message = 'A password has no line ends, tabs or other control characters.';
      const created = await gateway.post(USERS, { username: 'controlled', password });
      expect([created.status, created.body.errors]).toEqual([422, [{ pointer: '/password', message }]]);
      const changed = await gateway.request('PUT', `${USERS}/user.0010/password`, { body: { password } });
      expect([changed.status, changed.body.errors]).toEqual([422, [{ pointer: '/password', message }]]);
      const batch = await gateway.post(`${USERS}/batch`, { items: [{ op: 'create', username: 'controlled', password }] });
      expect(batch.body.results).toMatchObject([{ status: 'refused', problem: { errors: [{ message }] } }]);
      expect(created.text + changed.text + batch.text).not.toContain('Choose@');
    }
  });

  it('of a merge patch must name a role, and nothing else', async () => {
    const patch = (raw: string) =>
      gateway.request('PATCH', `${USERS}/user.0010`, { raw, headers: { 'content-type': 'application/merge-patch+json' } });
    for (const raw of ['{}', '{"role":null}', '{"role":"admin","username":"x"}', '{"password":"x"}']) {
      expect([raw, (await patch(raw)).status]).toEqual([raw, 400]);
    }
  });
});

describe('paths and methods', () => {
  it.each(['/nothing', '/clusters/', '/Clusters', '/clusters/main/users/user.0001/shell', '/problems/nothing', '/docs2'])(
    '%s is 404',
    async (path) => {
      const { status, body } = await gateway.get(path);
      expect([status, body.code, body.instance]).toEqual([404, 'not_found', path]);
    },
  );

  it.each([
    ['/Clusters', '/clusters'],
    ['/clusters/', '/clusters'],
    ['/cluster/main/user', '/clusters/main/users'],
    ['/clusters/main/users/user.0001/pasword', '/clusters/main/users/user.0001/password'],
    ['/api/clusters', '/clusters'],
    ['/health', '/healthz'],
  ])('%s may mean %s', async (path, meant) => {
    const { status, body } = await gateway.get(path);
    expect([status, body.detail]).toEqual([404, `There is nothing at ${path}. Did you mean ${meant}?`]);
  });

  it('a method that a path like it has is named', async () => {
    const { status, body } = await gateway.post(`${USERS}/bacth`, { items: [] });
    expect([status, body.detail]).toEqual([405, expect.stringMatching(/ Did you mean POST \/clusters\/main\/users\/batch\?$/)]);
    expect((await gateway.post(`${USERS}/alice.chen`, {})).body.detail).not.toContain('Did you mean');
    expect((await gateway.get('/problems/user-not-found')).body.detail).toContain('Did you mean user_not_found?');
  });

  it('a path like none leads to the document, and is not repeated at any length', async () => {
    expect((await gateway.get('/wp-admin/setup.php')).body.detail).toContain('See /openapi.json');
    const long = await gateway.get(`/${'x'.repeat(8_000)}`);
    expect([long.status, long.body.detail.length < 400]).toEqual([404, true]);
  });

  it('a cluster id that is mistyped is named', async () => {
    expect((await gateway.get('/clusters/mian/users')).body.detail).toBe('There is no cluster mian. Did you mean main?');
    expect((await gateway.get('/clusters/elsewhere')).body.detail).toBe('There is no cluster elsewhere.');
    // As long as the id of any cluster may be.
    expect((await gateway.get(`/operations?clusterId=${'c'.repeat(255)}`)).body.items).toEqual([]);
  });

  it('/ leads a browser to the documentation, and a program to the document', async () => {
    const to = async (accept: string): Promise<unknown[]> => {
      const { status, headers } = await fetch(gateway.url, { headers: { accept }, redirect: 'manual' });
      return [status, headers.get('location')];
    };
    expect(await to('text/html,application/xhtml+xml,*/*;q=0.8')).toEqual([302, '/docs/']);
    expect(await to('*/*')).toEqual([302, '/openapi.json']);
  });

  it.each([
    ['GET', '/operations/LONG', 'operationId', 64],
    ['POST', '/operations/LONG/cancel', 'operationId', 64],
    ['GET', '/clusters/LONG/users', 'clusterId', 255],
    ['GET', `${USERS}/LONG`, 'username', 255],
    ['DELETE', `${USERS}/LONG`, 'username', 255],
  ])('%s %s: an id that is too long is refused', async (method, path, name, most) => {
    const { status, body } = await gateway.request(method, path.replace('LONG', 'x'.repeat(8_000)));
    const errors = [{ pointer: `/path/${name}`, message: `must have at most ${most} characters` }];
    expect([status, body.code, body.errors]).toEqual([400, 'invalid_request', errors]);
    expect((await gateway.request(method, path.replace('LONG', 'x'.repeat(most)))).status).toBe(404);
  });

  it.each([
    ['PUT', '/clusters', 'GET, HEAD'],
    ['POST', '/clusters/main', 'GET, HEAD'],
    ['DELETE', USERS, 'GET, POST, HEAD'],
    ['POST', `${USERS}/user.0001`, 'GET, PUT, DELETE, PATCH, HEAD'],
    ['GET', `${USERS}/user.0001/password`, 'PUT'],
    ['OPTIONS', '/healthz', 'GET, HEAD'],
    ['OPTIONS', '/', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
  ])('%s %s is 405 with Allow', async (method, path, allow) => {
    const { status, body, headers } = await gateway.request(method, path);
    expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', allow]);
  });

  it('HEAD is GET without a body', async () => {
    const response = await fetch(`${gateway.url}/clusters`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('a path that is not percent-encoding is 400', async () => {
    const { status, body } = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const { hostname, port } = new URL(gateway.url);
      httpRequest({ hostname, port, path: '/clusters/%E0%A4%A/users' }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, body: text }));
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(400);
    expect(JSON.parse(body).code).toBe('invalid_request');
  });

  it('a whole URL in the request line has to name the gateway, and does not lend its host to the Link', async () => {
    const asked = (host: string) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const { hostname, port } = new URL(gateway.url);
        httpRequest({ hostname, port, path: `http://${host}${USERS}?limit=1` }, (response) => {
          response.resume();
          resolve(response);
        })
          .on('error', reject)
          .end();
      });
    expect((await asked('elsewhere.example')).statusCode).toBe(421);
    const { headers } = await asked('localhost:1');
    expect(headers['link']).toMatch(/^<\/clusters\/main\/users\?limit=1&cursor=/);
  });

  it('names with special characters reach the vendor as they are', async () => {
    const { status, body } = await gateway.get(`${USERS}/${encodeURIComponent('a/b?c#d%e')}`);
    expect([status, body.code]).toEqual([404, 'user_not_found']);
    expect(body.detail).toContain('a/b?c#d%e');
  });
});

describe('odd settings', () => {
  it.each([16.1, 2.01, 0.001])('a deadline of %d seconds is one', async (deadlineSeconds) => {
    const odd = await startGateway({ ...live.raw, server: { deadlineSeconds, drainSeconds: 0 } });
    expect((await odd.get('/healthz')).status).toBe(200);
    await odd.stop();
  });
});

describe('request ids', () => {
  it('are given, or taken over when they fit', async () => {
    expect((await gateway.get('/healthz')).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const mine = await gateway.request('GET', '/clusters/none', { headers: { 'x-request-id': 'my-id.7' } });
    expect([mine.headers.get('x-request-id'), mine.body.requestId]).toEqual(['my-id.7', 'my-id.7']);
    const bad = await gateway.request('GET', '/healthz', { headers: { 'x-request-id': 'a b"c' } });
    expect(bad.headers.get('x-request-id')).not.toBe('a b"c');
  });

  it('stand in the log with the route, without query and names', async () => {
    await gateway.request('GET', `${USERS}?search=whisper`, { headers: { 'x-request-id': 'logged-1' } });
    const line =
      gateway
        .logged()
        .split('\n')
        .find((entry) => entry.includes('logged-1')) ?? '';
    expect(JSON.parse(line)).toMatchObject({
      method: 'GET',
      route: '/clusters/{clusterId}/users',
      clusterId: 'main',
      status: 200,
    });
    expect(gateway.logged()).not.toContain('whisper');
  });

  it('name the cause of a failure in the log', async () => {
    await gateway.request('GET', `${USERS}/nobody`, { headers: { 'x-request-id': 'logged-2' } });
    const line =
      gateway
        .logged()
        .split('\n')
        .find((entry) => entry.includes('logged-2')) ?? '';
    expect(JSON.parse(line)).toMatchObject({
      clusterId: 'main',
      route: '/clusters/{clusterId}/users/{username}',
      code: 'user_not_found',
    });
  });
});
