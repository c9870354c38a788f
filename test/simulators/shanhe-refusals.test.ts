import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ShanheHpcOptions, type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { get, type Options, post, type Reply } from './support/shanhe-client.js';

const CLUSTER = 'ehpc-refuse01';
const MEMBER = { cluster_id: CLUSTER, username: 'isabel', password: 'kUISjs@kkkkkk!' };

let simulator: ShanheHpcSimulator;

const start = async (options: ShanheHpcOptions = {}) => {
  const users = [{ username: 'admin', role: 'admin' as const }];
  simulator = await startShanheHpc({
    clusters: [{ id: CLUSTER, name: 'refusals', type: 'ehpc', status: 'active', users }],
    jobMs: 10,
    ...options,
  });
};
const restart = async (options: ShanheHpcOptions) => {
  await simulator.close();
  await start(options);
};
const list = (options: Options = {}, keys = {}) => get({ ...simulator, ...keys }, '/user', { cluster_id: CLUSTER }, options);
const add = (options: Options = {}, fields = {}) => post(simulator, '/user/addUser', { ...MEMBER, ...fields }, options);

beforeEach(() => start());
afterEach(() => simulator.close());

const expectRefusal = (reply: Reply, code: number) => {
  expect([reply.status, reply.code, Object.keys(reply.json).sort()]).toEqual([200, code, ['message', 'ret_code']]);
  expect(reply.headers['content-type']).toBe('application/json');
  expect(simulator.journal).toHaveLength(0);
};

describe('the signature', () => {
  test('is taken from GET and POST, with and without the trailing slash in the URL', async () => {
    for (const urlSlash of ['', '/'] as const) {
      expect((await list({ urlSlash })).code).toBe(0);
      expect((await post(simulator, '/user/modifyUser', {}, { urlSlash })).code).toBe(1100);
    }
    expect((await add()).code).toBe(0);
  });

  test('of another key or secret is 1200', async () => {
    expectRefusal(await list({}, { secretAccessKey: 'wrong' }), 1200);
    expectRefusal(await list({}, { accessKeyId: 'QYWRONG' }), 1200);
  });

  test('with one byte changed is 1200', async () => {
    const spoil: Options['spoil'] = (request) => {
      request.url = request.url.replace(/signature=(.)/, (_all, first) => `signature=${first === 'A' ? 'B' : 'A'}`);
    };
    expectRefusal(await list({ spoil }), 1200);
  });

  test('covers the query and the exact bytes of the body', async () => {
    const query: Options['spoil'] = (request) => {
      request.url = request.url.replace(CLUSTER, 'ehpc-refuse02');
    };
    const body: Options['spoil'] = (request) => {
      request.body = request.body.replace('{"zone"', '{ "zone"');
    };
    expectRefusal(await list({ spoil: query }), 1200);
    expectRefusal(await add({ spoil: body }), 1200);
  });

  test('must be encoded twice over the slashed path with `timestamp`', async () => {
    expectRefusal(await list({ encodings: 1 }), 1200);
    expectRefusal(await list({ signedSlash: '' }), 1200);
    expectRefusal(await list({ timeName: 'time_stamp' }), 1100);
  });

  test('may be simpler when the switch says so', async () => {
    await restart({ quirks: { lenientSignature: true } });
    for (const options of [{}, { encodings: 1 }, { signedSlash: '' }, { timeName: 'time_stamp' }] as const) {
      expect((await list(options)).code).toBe(0);
    }
    expectRefusal(await list({ encodings: 1 }, { secretAccessKey: 'wrong' }), 1200);
  });
});

describe('common parameters', () => {
  test.each(['access_key_id', 'timestamp', 'signature_method', 'signature_version', 'version', 'zone'])(
    '%s is mandatory',
    async (omit) => {
      expectRefusal(await list({ omit }), 1100);
    },
  );

  test.each([
    ['signature_method', 'HmacSHA1', 1101],
    ['signature_version', '2', 1101],
    ['version', '2', 1101],
    ['timestamp', '2022-4-11T14:40:45Z', 1100],
    ['timestamp', 'now', 1100],
  ])('%s=%s is %d', async (name, value, code) => {
    expectRefusal(await list({ extra: { [name]: value } }), code);
  });

  test('an unsigned call is 1100', async () => {
    const spoil: Options['spoil'] = (request) => {
      request.url = request.url.replace(/&signature=.*$/, '');
    };
    expectRefusal(await list({ spoil }), 1100);
  });

  test('60 seconds either way, by the simulator clock', async () => {
    const off = (seconds: number) => list({ at: new Date(Date.now() + seconds * 1000) });
    expect((await off(-57)).code).toBe(0);
    expect((await off(57)).code).toBe(0);
    expectRefusal(await off(-63), 1300);
    expectRefusal(await off(63), 1300);
    simulator.setClockSkew(120_000);
    const reply = await list();
    expectRefusal(reply, 1300);
    expect(Date.parse(String(reply.headers['date'])) - Date.now()).toBeGreaterThan(110_000);
    expect((await list({ at: new Date(Date.now() + 120_000) })).code).toBe(0);
  });

  test('zones: the documented ones and the configured one', async () => {
    for (const zone of ['jn1a', 'jinan1a', 'jinan1']) expect((await list({ zone })).code).toBe(0);
    expectRefusal(await list({ zone: 'pek3' }), 1101);
    await restart({ zone: 'pek3' });
    expect((await list()).code).toBe(0);
  });
});

describe('the request', () => {
  test('unknown paths and wrong methods are 1101', async () => {
    for (const path of ['/users', '/user/addusers', '/', '/toString']) expectRefusal(await get(simulator, path), 1101);
    expectRefusal(await get(simulator, '/user/addUser'), 1101);
    expectRefusal(await post(simulator, '/user'), 1101);
    expectRefusal(await get({ ...simulator, endpoint: `${simulator.endpoint}//` }, 'user'), 1101);
  });

  test('a write needs a JSON object that repeats the zone', async () => {
    expectRefusal(await add({}, { zone: undefined }), 1100);
    expectRefusal(await add({}, { zone: 'jinan1a' }), 1101);
    const form: Options['spoil'] = (request) => {
      request.headers['content-type'] = 'application/x-www-form-urlencoded';
    };
    expectRefusal(await add({ spoil: form }), 1100);
    await restart({ quirks: { bodyZone: 'optional' } });
    expect((await add({}, { zone: undefined })).code).toBe(0);
  });

  test('passwords and signatures stay out of the request log', async () => {
    await add();
    expect(simulator.calls).toHaveLength(1);
    expect(simulator.calls[0]).toMatchObject({
      ...{ action: '/user/addUser', method: 'POST', clusterId: CLUSTER, scheme: 'HmacSHA256' },
      ...{ status: 200, code: 'OK', faulted: null },
      params: { cluster_id: CLUSTER, username: 'isabel', zone: 'jn1a' },
    });
    expect(JSON.stringify(simulator.calls)).not.toMatch(/kUISjs|signature/);
  });
});

describe('the quota', () => {
  test('is off unless set, then counts verified calls of the last hour', async () => {
    await restart({ quota: 2 });
    expectRefusal(await list({}, { secretAccessKey: 'wrong' }), 1200);
    expect((await list()).code).toBe(0);
    expect((await list()).code).toBe(0);
    expectRefusal(await list(), 2500);
    simulator.setClockSkew(3_601_000);
    expect((await list({ at: new Date(Date.now() + 3_601_000) })).code).toBe(0);
  });
});

test('HTTP statuses can follow the ret_code', async () => {
  await restart({ quirks: { httpStatus: 'mapped' } });
  const reply = await list({}, { secretAccessKey: 'wrong' });
  expect([reply.status, reply.code]).toEqual([401, 1200]);
});
