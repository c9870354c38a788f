import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AlibabaEhpcSimulator, startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import type { Fault } from '../../simulators/kit/index.js';
import { type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import * as ehpc from './support/ehpc-client.js';
import { sleep } from './support/http.js';
import * as shanhe from './support/shanhe-client.js';

const EHPC = 'ehpc-hz-faults0001';
const SHANHE = 'ehpc-faults01';

let alibaba: AlibabaEhpcSimulator;
let jinan: ShanheHpcSimulator;

beforeEach(async () => {
  alibaba = await startAlibabaEhpc({
    clusters: [{ id: EHPC, name: 'faults', status: 'running', users: [{ name: 'alice.w', group: 'users' }] }],
  });
  const users = ['admin', 'u1'].map((username) => ({ username, role: 'member' as const }));
  jinan = await startShanheHpc({ clusters: [{ id: SHANHE, name: 'faults', type: 'ehpc', status: 'active', users }], jobMs: 20 });
});
afterEach(() => Promise.all([alibaba.close(), jinan.close()]));

const ehpcAdd = (names: readonly string[], options = {}) =>
  ehpc.acs3(
    alibaba,
    'AddUsers',
    ehpc.userParams(
      EHPC,
      names.map((Name) => ({ Name, Group: 'users', Password: 'Passw0rd!' })),
    ),
    options,
  );
const shanheAdd = (username: string, options = {}) =>
  shanhe.post(jinan, '/user/addUser', { cluster_id: SHANHE, username, password: 'kUISjs@kkkkkk!' }, options);

/** The same faults on both vendors: a write, a read, and who exists in truth. */
interface Side {
  readonly inject: (fault: Fault) => void;
  readonly write: (
    name: string,
    options?: { timeoutMs?: number },
  ) => Promise<{ status: number; text: string; json: Record<string, unknown> }>;
  readonly read: () => Promise<{ status: number; text: string; json: Record<string, unknown> }>;
  /** Effects, once every job that could still run is over. */
  readonly created: () => Promise<string[]>;
  readonly last: () => unknown;
  readonly actions: { readonly write: string; readonly read: string };
}

const SIDES: Record<string, () => Side> = {
  'E-HPC': () => ({
    inject: alibaba.inject,
    write: (name, options) => ehpcAdd([name], options),
    read: () => ehpc.acs3(alibaba, 'ListUsers', { ClusterId: EHPC }),
    created: async () => alibaba.journal.map(({ username }) => username),
    last: () => alibaba.calls.at(-1),
    actions: { write: 'AddUsers', read: 'ListUsers' },
  }),
  Shanhe: () => ({
    inject: jinan.inject,
    write: (name, options) => shanheAdd(name, options),
    read: () => shanhe.get(jinan, '/user', { cluster_id: SHANHE }),
    created: async () => {
      await sleep(40);
      return jinan.journal.map(({ username }) => username);
    },
    last: () => jinan.calls.at(-1),
    actions: { write: '/user/addUser', read: '/user' },
  }),
};

describe.each(Object.entries(SIDES))('%s', (vendor, make) => {
  let side: Side;
  beforeEach(() => {
    side = make();
  });

  test.each([
    ['throttle', {}],
    ['http_status', { status: 503 }],
    ['html', {}],
    ['vendor_error', { code: vendor === 'E-HPC' ? 'InDebt' : '2400' }],
  ] as const)('%s answers without effect, once', async (kind, more) => {
    side.inject({ kind, ...more });
    const reply = await side.write('newuser1');
    expect(side.last()).toMatchObject({ faulted: kind, status: reply.status });
    expect(await side.created()).toEqual([]);
    await side.write('newuser1');
    expect(await side.created()).toEqual(['newuser1']);
  });

  test('html', async () => {
    side.inject({ kind: 'html' });
    const reply = await side.read();
    expect([reply.status, reply.text.startsWith('<html>')]).toEqual([502, true]);
    side.inject({ kind: 'html', status: 200 });
    expect((await side.read()).status).toBe(200);
  });

  test('cut_json applies the effect and cuts the answer', async () => {
    side.inject({ kind: 'cut_json', action: side.actions.write });
    const reply = await side.write('newuser1');
    expect(reply.status).toBe(200);
    expect(() => JSON.parse(reply.text)).toThrow();
    expect(await side.created()).toEqual(['newuser1']);
  });

  test.each(['hang', 'reset_before'] as const)('%s gives no answer and has no effect', async (kind) => {
    side.inject({ kind });
    await expect(side.write('newuser1', { timeoutMs: 250 })).rejects.toThrow();
    expect(side.last()).toMatchObject({ faulted: kind, status: 0, code: 'NONE' });
    expect(await side.created()).toEqual([]);
  });

  test.each(['hang_after', 'reset_after'] as const)('%s gives no answer but has the effect', async (kind) => {
    side.inject({ kind });
    await expect(side.write('newuser1', { timeoutMs: 250 })).rejects.toThrow();
    expect(side.last()).toMatchObject({ faulted: kind, status: 0, code: 'OK' });
    expect(await side.created()).toEqual(['newuser1']);
  });

  test('delay, alone and with another kind', async () => {
    side.inject({ kind: 'delay', delayMs: 60 });
    side.inject({ kind: 'html', delayMs: 60 });
    for (const status of [200, 502]) {
      const from = performance.now();
      expect((await side.read()).status).toBe(status);
      expect(performance.now() - from).toBeGreaterThanOrEqual(55);
    }
  });

  test('skip, times, action and username choose the calls', async () => {
    side.inject({ kind: 'html', action: side.actions.read, skip: 1, times: 2 });
    const statuses: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      statuses.push((await side.read()).status);
      await side.write(`newuser${round}`);
    }
    expect(statuses).toEqual([200, 502, 502, 200]);
    expect(await side.created()).toHaveLength(4);

    side.inject({ kind: 'html', username: 'chosen1', times: -1 });
    expect((await side.write('other01')).status).toBe(200);
    expect((await side.write('chosen1')).status).toBe(502);
    expect((await side.write('chosen1')).status).toBe(502);
  });

  test('a fault waits while calls fail verification', async () => {
    side.inject({ kind: 'html' });
    if (vendor === 'E-HPC') await ehpc.acs3({ ...alibaba, accessKeySecret: 'no' }, 'ListUsers', { ClusterId: EHPC });
    else await shanhe.get({ ...jinan, secretAccessKey: 'no' }, '/user');
    expect(side.last()).toMatchObject({ faulted: null });
    expect((await side.read()).status).toBe(502);
  });
});

describe('E-HPC only', () => {
  test('throttle', async () => {
    alibaba.inject({ kind: 'throttle', retryAfterSeconds: 3 });
    const reply = await ehpcAdd(['newuser1']);
    expect([reply.status, reply.json['Code']]).toEqual([400, 'Throttling.User']);
    expect(reply.headers).toMatchObject({ 'retry-after': '3', 'x-acs-retry-after': '3000' });
  });

  test.each([
    [{ kind: 'vendor_error', code: 'ManagerNotFound' }, 404, 'ManagerNotFound'],
    [{ kind: 'vendor_error', code: 'AgentError.Account.UserDeleteFailure' }, 406, 'AgentError.Account.UserDeleteFailure'],
    [{ kind: 'vendor_error', code: 'Throttling.Api', status: 429 }, 429, 'Throttling.Api'],
    [{ kind: 'vendor_error', code: 'Brand.New', status: 418, message: 'teapot' }, 418, 'Brand.New'],
    [{ kind: 'http_status', status: 500 }, 500, 'InternalError'],
    [{ kind: 'http_status', status: 503 }, 503, 'ServiceUnavailable'],
    [{ kind: 'http_status', status: 403 }, 403, 'Forbidden.RAM'],
    [{ kind: 'http_status', status: 407 }, 407, 'NotAuthorized'],
    [{ kind: 'http_status', status: 404 }, 404, 'InvalidApi.NotFound'],
    [{ kind: 'http_status', status: 502 }, 502, undefined],
    [{ kind: 'http_status', status: 401 }, 401, undefined],
  ] as [Fault, number, string | undefined][])('%j', async (fault, status, code) => {
    alibaba.inject(fault);
    const reply = await ehpcAdd(['newuser1']);
    expect([reply.status, reply.json['Code']]).toEqual([status, code]);
    if (fault.message !== undefined) expect(reply.json['Message']).toBe(fault.message);
  });

  test('half_batch applies the first half and waits for a write', async () => {
    alibaba.inject({ kind: 'half_batch' });
    expect((await ehpc.acs3(alibaba, 'ListUsers', { ClusterId: EHPC })).status).toBe(200);
    const reply = await ehpcAdd(['batch.1', 'batch.2', 'batch.3', 'batch.4']);
    expect([reply.status, reply.json['Code']]).toEqual([406, 'AgentError.Account.UserAddFailure']);
    expect(alibaba.journal.map(({ username }) => username)).toEqual(['batch.1', 'batch.2']);
    alibaba.inject({ kind: 'half_batch' });
    const removed = await ehpc.acs3(alibaba, 'DeleteUsers', ehpc.userParams(EHPC, [{ Name: 'batch.1' }, { Name: 'batch.2' }]));
    expect(removed.json['Code']).toBe('AgentError.Account.UserDeleteFailure');
    expect(alibaba.journal.at(-1)).toMatchObject({ username: 'batch.1', effect: 'deleted' });
  });

  test.each([
    ['strings', { Users: { UserInfo: ['alice.w'] } }],
    ['array', []],
  ] as const)('wrong_shape: %s', async (shape, body) => {
    alibaba.inject({ kind: 'wrong_shape', shape });
    const reply = await ehpc.acs3(alibaba, 'ListUsers', { ClusterId: EHPC });
    expect(reply.json).toMatchObject(body);
  });

  test('wrong_shape: missing, null and writes', async () => {
    alibaba.inject({ kind: 'wrong_shape', shape: 'missing' });
    expect((await ehpc.acs3(alibaba, 'ListUsers', { ClusterId: EHPC })).json).not.toHaveProperty('Users');
    alibaba.inject({ kind: 'wrong_shape', shape: 'null' });
    expect((await ehpc.acs3(alibaba, 'ListUsers', { ClusterId: EHPC })).text).toBe('null');
    alibaba.inject({ kind: 'wrong_shape' });
    expect((await ehpcAdd(['newuser1'])).json).toEqual(['OK']);
    expect(alibaba.journal).toHaveLength(1);
  });
});

describe('Shanhe only', () => {
  test('throttle and vendor errors', async () => {
    jinan.inject({ kind: 'throttle', retryAfterSeconds: 3 });
    const throttled = await shanheAdd('isabel');
    expect([throttled.status, throttled.code, throttled.headers['retry-after']]).toEqual([200, 2500, '3']);
    jinan.inject({ kind: 'vendor_error', code: '5300', status: 503, message: 'updating' });
    const failed = await shanheAdd('isabel');
    expect([failed.status, failed.json]).toEqual([503, { ret_code: 5300, message: 'updating' }]);
    jinan.inject({ kind: 'http_status', status: 500 });
    const bare = await shanheAdd('isabel');
    expect([bare.status, bare.text]).toEqual([500, '']);
  });

  test('job_fails and job_never_ends', async () => {
    jinan.inject({ kind: 'job_fails' });
    jinan.inject({ kind: 'job_never_ends' });
    await shanhe.get(jinan, '/user');
    const failing = await shanheAdd('failing');
    const endless = await shanheAdd('endless');
    expect(await shanhe.finishJob(jinan, failing.json['job_id'])).toBe('failed');
    await sleep(40);
    const { json } = await shanhe.get(jinan, '/operation', { job_ids: String(endless.json['job_id']) });
    expect(json['job_set']).toMatchObject([{ status: 'pending' }]);
    expect(jinan.journal).toHaveLength(0);
  });

  test('wrong_shape', async () => {
    jinan.inject({ kind: 'wrong_shape' });
    expect((await shanhe.get(jinan, '/user')).json['users_set']).toEqual(['admin', 'u1']);
    jinan.inject({ kind: 'wrong_shape', shape: 'missing' });
    expect((await shanheAdd('isabel')).json).toEqual({ action: 'HpcUserAddUserResponse', ret_code: 0 });
  });
});

describe('inject', () => {
  test.each([
    [{ kind: 'job_fails' }, /"kind" must be one of/],
    [{ kind: 'delay' }, /needs "delayMs"/],
    [{ kind: 'vendor_error' }, /needs "code"/],
    [{ kind: 'http_status' }, /needs "status"/],
    [{ kind: 'http_status', status: 42 }, /"status" must be/],
    [{ kind: 'html', times: 0 }, /"times" must be/],
    [{ kind: 'html', skip: -1 }, /"skip" must be/],
    [{ kind: 'wrong_shape', shape: 'round' }, /"shape" must be/],
    [{ kind: 'html', action: 'AddUser' }, /"action" must be one of .*AddUsers/],
    [{ kind: 'html', retries: 3 }, /unknown field "retries"/],
    [{ kind: 'short_page' }, /needs "rows"/],
    [{ kind: 'hole_page', rows: 1.5 }, /"rows" must be/],
    [{ kind: 'late_effect' }, /needs "delayMs"/],
    [{ kind: 'html', forMs: -1 }, /"forMs" must be/],
    [{ kind: 'throttle', retryAfter: 'a\nb' }, /"retryAfter" must be/],
    [{ kind: 'throttle', retryAfterHeader: 'none' }, /"retryAfterHeader" must be/],
  ])('%j is refused', (fault, message) => {
    expect(() => alibaba.inject(fault as Fault)).toThrow(message);
  });

  test('clearFaults forgets them', async () => {
    alibaba.inject({ kind: 'html', times: Number.POSITIVE_INFINITY });
    expect((await ehpcAdd(['newuser1'])).status).toBe(502);
    alibaba.clearFaults();
    expect((await ehpcAdd(['newuser1'])).status).toBe(200);
  });
});

test('close ends hanging calls, and latency slows every call', async () => {
  const slow = await startShanheHpc({ latencyMs: 50 });
  const from = performance.now();
  expect((await shanhe.get(slow, '/user')).code).toBe(0);
  expect(performance.now() - from).toBeGreaterThanOrEqual(45);
  slow.inject({ kind: 'hang' });
  const hanging = expect(shanhe.get(slow, '/user')).rejects.toThrow();
  await sleep(80);
  await slow.close();
  await hanging;
});
