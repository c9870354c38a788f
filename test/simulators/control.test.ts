import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DemoSimulators, startDemoSimulators } from '../../simulators/demo.js';
import { acs3, userParams } from './support/ehpc-client.js';
import { send } from './support/http.js';
import { get } from './support/shanhe-client.js';

let demo: DemoSimulators;
let origins: Record<'alibaba' | 'shanhe', string>;

beforeAll(async () => {
  demo = await startDemoSimulators();
  origins = { alibaba: demo.alibaba.endpoint, shanhe: demo.shanhe.endpoint.replace(/\/api$/, '') };
});
afterAll(() => Promise.all([demo.alibaba.close(), demo.shanhe.close()]));

const control = async (vendor: 'alibaba' | 'shanhe', method: string, path: string, body?: unknown) => {
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  const answer = await send({ method, url: `${origins[vendor]}/_simulator${path}`, headers, body: text });
  return { status: answer.status, json: answer.text === '' ? null : JSON.parse(answer.text) };
};

describe('demo data', () => {
  test('two and a half pages of distinct, lawful E-HPC users, some of them wheel', async () => {
    const { json } = await control('alibaba', 'GET', '/users?clusterId=ehpc-hz-demo000001');
    const users = json as { name: string; group: string; uid: number; gid: number }[];
    expect(users).toHaveLength(125);
    expect(new Set(users.map(({ name }) => name)).size).toBe(125);
    for (const { name } of users) expect(name).toMatch(/^[A-Za-z][A-Za-z0-9.]{5,29}$/);
    expect(users.filter(({ group }) => group === 'wheel').length).toBeGreaterThan(5);
    expect(users[0]).toMatchObject({ uid: 1000, gid: 10 });
    expect(demo.alibaba.clusters).toEqual(['ehpc-hz-demo000001', 'ehpc-hz-demo000002', 'ehpc-hz-demo000003']);
  });

  test('two and a half pages of distinct, lawful Shanhe users', async () => {
    const { json } = await control('shanhe', 'GET', '/users?clusterId=ehpc-demo0001');
    const users = json as { username: string; role: string }[];
    expect(users).toHaveLength(250);
    expect(new Set(users.map(({ username }) => username)).size).toBe(250);
    for (const { username } of users) expect(username).toMatch(/^[A-Za-z0-9_]{1,8}$/);
    expect(users.slice(0, 3).map(({ role }) => role)).toEqual(['admin', 'boss', 'member']);
    const shared = await control('shanhe', 'GET', '/users?clusterId=hpc-demo0001');
    expect(shared.json).toMatchObject([{ username: 'usr-vceaHsJu', role: 'boss' }]);
  });

  test('random keys', async () => {
    const other = await startDemoSimulators();
    expect(other.alibaba.accessKeySecret).not.toBe(demo.alibaba.accessKeySecret);
    expect(other.shanhe.secretAccessKey).not.toBe(demo.shanhe.secretAccessKey);
    await Promise.all([other.alibaba.close(), other.shanhe.close()]);
  });
});

describe('over HTTP', () => {
  test('faults', async () => {
    expect((await control('shanhe', 'POST', '/faults', { kind: 'html', times: -1 })).status).toBe(204);
    expect((await control('shanhe', 'GET', '/faults')).json).toEqual([{ kind: 'html', times: -1, skip: 0 }]);
    expect((await get(demo.shanhe, '/user')).status).toBe(502);
    expect((await control('shanhe', 'DELETE', '/faults')).status).toBe(204);
    expect((await get(demo.shanhe, '/user')).status).toBe(200);
  });

  test.each([
    ['POST', '/faults', { kind: 'html' }],
    ['DELETE', '/faults', ''],
    ['DELETE', '/calls', ''],
    ['PATCH', '/users', { clusterId: 'ehpc-demo0001', username: 'admin', password: 'Changed@1' }],
  ])('%s %s takes JSON only', async (method, path, body) => {
    const url = `${origins.shanhe}/_simulator${path}`;
    const text = body === '' ? '' : JSON.stringify(body);
    for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'text/plain; application/json', '']) {
      const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
      expect((await send({ method, url, headers, body: text })).status).toBe(415);
    }
    expect((await control('shanhe', 'GET', '/faults')).json).toEqual([]);
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await send({ method, url, headers, body: text })).status).toBe(204);
    await control('shanhe', 'DELETE', '/faults');
  });

  test.each(['GET', 'POST', 'DELETE', 'OPTIONS'])('%s with an Origin is refused', async (method) => {
    for (const origin of ['http://evil.example', 'null', origins.alibaba]) {
      const headers = { 'content-type': 'application/json', origin };
      const answer = await send({ method, url: `${origins.alibaba}/_simulator/faults`, headers, body: '{"kind":"html"}' });
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    }
    expect((await control('alibaba', 'GET', '/faults')).json).toEqual([]);
  });

  test.each([
    ['nonsense', /must be JSON/],
    [{ kind: 'half_batch' }, /"kind" must be one of/],
    [[], /a fault is a JSON object/],
  ])('%j is no fault', async (body, message) => {
    const { status, json } = await control('shanhe', 'POST', '/faults', body);
    expect([status, json.error]).toEqual([400, expect.stringMatching(message)]);
  });

  test('calls and journal', async () => {
    const users = [{ Name: 'controlled', Group: 'users', Password: 'Passw0rd!' }];
    await acs3(demo.alibaba, 'AddUsers', userParams('ehpc-hz-demo000003', users));
    expect((await control('alibaba', 'GET', '/calls')).json).toMatchObject([{ action: 'AddUsers', status: 200, code: 'OK' }]);
    const journal = await control('alibaba', 'GET', '/journal');
    expect(journal.json).toMatchObject([{ clusterId: 'ehpc-hz-demo000003', username: 'controlled', effect: 'created' }]);
    const stored = await control('alibaba', 'GET', '/users?clusterId=ehpc-hz-demo000003');
    expect(stored.json).toEqual([{ name: 'controlled', group: 'users', uid: 1000, gid: 100, addTime: expect.any(String) }]);
    expect((await control('alibaba', 'DELETE', '/calls')).status).toBe(204);
    expect(demo.alibaba.calls).toHaveLength(0);
  });

  test('clock', async () => {
    expect((await control('alibaba', 'POST', '/clock', { skewMs: 3_600_000 })).status).toBe(204);
    expect((await acs3(demo.alibaba, 'ListClusters')).json['Code']).toBe('InvalidTimeStamp.Expired');
    expect((await control('alibaba', 'POST', '/clock', { skewMs: 0, dateHeader: 'none' })).status).toBe(204);
    const reply = await acs3(demo.alibaba, 'ListClusters');
    expect([reply.status, reply.headers['date']]).toEqual([200, undefined]);
    expect((await control('alibaba', 'POST', '/clock', { skewMs: 0, dateMs: 86_400_000 })).status).toBe(204);
    const ahead = await acs3(demo.alibaba, 'ListClusters');
    expect(ahead.status).toBe(200);
    expect(Date.parse(String(ahead.headers['date']))).toBeGreaterThan(Date.now() + 3_600_000);
    for (const body of [{}, { skewMs: 'x' }, { skewMs: 0, dateHeader: 'odd' }, { skewMs: 0, dateMs: 'x' }, 'null']) {
      expect((await control('alibaba', 'POST', '/clock', body)).status).toBe(400);
    }
    await control('alibaba', 'POST', '/clock', { skewMs: 0 });
  });

  test('users without a cluster, of an unknown one, and unknown controls', async () => {
    expect((await control('alibaba', 'GET', '/users')).status).toBe(400);
    expect((await control('alibaba', 'GET', '/users?clusterId=nowhere')).status).toBe(404);
    const unknown = await control('alibaba', 'GET', '/');
    expect([unknown.status, unknown.json.known]).toEqual([404, expect.arrayContaining(['POST /_simulator/faults'])]);
  });
});
