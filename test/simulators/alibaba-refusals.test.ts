import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AlibabaEhpcOptions, type AlibabaEhpcSimulator, startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import { acs3, type Options, type Reply, rpc } from './support/ehpc-client.js';
import { send } from './support/http.js';

const CLUSTER = 'ehpc-hz-refusals01';
const PARAMS = { ClusterId: CLUSTER };
const STYLES = [
  ['ACS3', acs3],
  ['RPC-v1', rpc],
] as const;
const MINUTE = 60_000;

let simulator: AlibabaEhpcSimulator;

const start = async (options: AlibabaEhpcOptions = {}) => {
  const clusters = [{ id: CLUSTER, name: 'refusals', status: 'running', users: [{ name: 'alice.w', group: 'users' as const }] }];
  simulator = await startAlibabaEhpc({ clusters, ...options });
};

beforeEach(() => start());
afterEach(() => simulator.close());

const expectRefusal = (reply: Reply, status: number, code: string) => {
  expect([reply.status, reply.json['Code']]).toEqual([status, code]);
  expect(simulator.journal).toHaveLength(0);
};

describe.each(STYLES)('%s', (style, client) => {
  const list = (options: Options = {}, keys = {}) => client({ ...simulator, ...keys }, 'ListUsers', PARAMS, options);

  test('a signed call is answered by GET and by POST, in query and in form body', async () => {
    for (const options of [{}, { method: 'POST' }, { method: 'POST', form: true }] as const) {
      const reply = await list(options);
      expect(reply.json).toMatchObject({ TotalCount: 1, Users: { UserInfo: [{ Name: 'alice.w', Group: 'users' }] } });
      expect(reply.json['RequestId']).toMatch(/^[0-9A-F]{8}-[0-9A-F-]{27}$/);
    }
  });

  test('the error envelope', async () => {
    const { json, headers } = await list({}, { accessKeyId: 'LTAIunknown' });
    expect(json).toEqual({
      RequestId: expect.stringMatching(/^[0-9A-F-]{36}$/),
      HostId: 'ehpc.cn-hangzhou.aliyuncs.com',
      Code: 'InvalidAccessKeyId.NotFound',
      Message: 'Specified access key is not found.',
      Recommend: expect.stringContaining(`q=InvalidAccessKeyId.NotFound&product=EHPC&requestId=${json['RequestId']}`),
    });
    expect(headers['content-type']).toBe('application/json;charset=utf-8');
  });

  test('an unknown key is 404', async () => {
    expectRefusal(await list({}, { accessKeyId: 'LTAIunknown' }), 404, 'InvalidAccessKeyId.NotFound');
  });

  test('a wrong secret is 400 and the message shows what the server signed', async () => {
    const reply = await list({}, { accessKeySecret: 'wrong' });
    expectRefusal(reply, 400, 'SignatureDoesNotMatch');
    const shown =
      style === 'ACS3' ? /server StringToSign is \[ACS3-HMAC-SHA256\n[0-9a-f]{64}\]$/ : /server string to sign is:GET&%2F&Access/;
    expect(reply.json['Message']).toMatch(shown);
  });

  test('a query that changed on the way is refused', async () => {
    const spoil: Options['spoil'] = (request) => {
      request.url = request.url.replace(CLUSTER, `${CLUSTER.slice(0, -1)}2`);
    };
    expectRefusal(await list({ spoil }), 400, 'SignatureDoesNotMatch');
  });

  test('a body that changed on the way is refused', async () => {
    const spoil: Options['spoil'] = (request) => {
      request.body = request.body.replace(CLUSTER, `${CLUSTER.slice(0, -1)}2`);
    };
    expectRefusal(await list({ method: 'POST', form: true, spoil }), 400, 'SignatureDoesNotMatch');
  });

  test('a signature that is none is incomplete', async () => {
    const spoil: Options['spoil'] = (request) => {
      request.url = request.url.replace(/&Signature=.*$/, '&Signature=abc');
      if (style === 'ACS3') request.headers['authorization'] = 'ACS3-HMAC-SHA256 Credential=x';
    };
    expectRefusal(await list({ spoil }), 400, 'IncompleteSignature');
  });

  test('a nonce is good once in 31 minutes', async () => {
    const nonce = randomUUID();
    expect((await list({ nonce })).status).toBe(200);
    expectRefusal(await list({ nonce }), 400, 'SignatureNonceUsed');
    simulator.setClockSkew(30 * MINUTE);
    expectRefusal(await list({ nonce, at: new Date(Date.now() + 30 * MINUTE) }), 400, 'SignatureNonceUsed');
    simulator.setClockSkew(32 * MINUTE);
    expect((await list({ nonce, at: new Date(Date.now() + 32 * MINUTE) })).status).toBe(200);
  });

  test('an unverified call does not burn a nonce', async () => {
    const nonce = randomUUID();
    expectRefusal(await list({ nonce }, { accessKeySecret: 'wrong' }), 400, 'SignatureDoesNotMatch');
    expect((await list({ nonce })).status).toBe(200);
  });

  test('15 minutes either way', async () => {
    const off = (ms: number) => list({ at: new Date(Date.now() + ms) });
    expect((await off(-14.9 * MINUTE)).status).toBe(200);
    expect((await off(14.9 * MINUTE)).status).toBe(200);
    expectRefusal(await off(-15.1 * MINUTE), 400, 'InvalidTimeStamp.Expired');
    expectRefusal(await off(15.1 * MINUTE), 400, 'InvalidTimeStamp.Expired');
  });

  test('the Date header follows the skewed clock unless told otherwise', async () => {
    const offset = async (dateHeader?: 'skewed' | 'none' | 'true') => {
      simulator.setClockSkew(-20 * MINUTE, dateHeader === undefined ? {} : { dateHeader });
      const reply = await list();
      expectRefusal(reply, 400, 'InvalidTimeStamp.Expired');
      const date = reply.headers['date'];
      return typeof date === 'string' ? Math.round((Date.parse(date) - Date.now()) / MINUTE) + 0 : null;
    };
    expect(await offset()).toBe(-20);
    expect(await offset('true')).toBe(0);
    expect(await offset('none')).toBeNull();
  });

  test('unknown action, version and method', async () => {
    expectRefusal(await client(simulator, 'ListUser', PARAMS), 404, 'InvalidAction.NotFound');
    expectRefusal(await client(simulator, 'toString', PARAMS), 404, 'InvalidAction.NotFound');
    expectRefusal(await list({ version: '2018-04-13' }), 400, 'NoSuchVersion');
    expectRefusal(await list({ method: 'PUT' }), 400, 'UnsupportedHTTPMethod');
  });

  test('RAM denial comes after verification and is 407', async () => {
    await simulator.close();
    await start({ denyActions: ['ListUsers'] });
    expectRefusal(await list({}, { accessKeySecret: 'wrong' }), 400, 'SignatureDoesNotMatch');
    const reply = await list();
    expectRefusal(reply, 407, 'NotAuthorized');
    expect(reply.json['AccessDeniedDetail']).toMatchObject({ AuthAction: 'ehpc:ListUsers' });
  });

  test('a temporary key needs its token', async () => {
    await simulator.close();
    await start({ securityToken: 'token/+=' });
    const { endpoint, accessKeyId, accessKeySecret } = simulator;
    const bare = { endpoint, accessKeyId, accessKeySecret };
    expect((await list()).status).toBe(200);
    expectRefusal(await client(bare, 'ListUsers', PARAMS), 400, 'MissingSecurityToken');
    const wrong = { ...bare, securityToken: 'other' };
    expectRefusal(await client(wrong, 'ListUsers', PARAMS), 400, 'InvalidSecurityToken.Malformed');
  });

  test('POST can be switched off', async () => {
    await simulator.close();
    await start({ strictPost: true });
    expectRefusal(await list({ method: 'POST' }), 400, 'UnsupportedHTTPMethod');
    expect((await list()).status).toBe(200);
  });
});

describe('ACS3 only', () => {
  test.each([
    ['x-acs-date', 'IllegalTimestamp'],
    ['x-acs-signature-nonce', 'MissingParameter'],
    ['x-acs-content-sha256', 'MissingParameter'],
    ['x-acs-version', 'MissingVersion'],
    ['x-acs-action', 'MissingAction'],
  ])('%s is mandatory', async (omit, code) => {
    expectRefusal(await acs3(simulator, 'ListUsers', PARAMS, { omit }), 400, code);
  });

  test('the host is signed with its port', async () => {
    const spoil: Options['spoil'] = (request) => {
      request.headers['host'] = '127.0.0.1';
    };
    expectRefusal(await acs3(simulator, 'ListUsers', PARAMS, { spoil }), 400, 'SignatureDoesNotMatch');
  });

  test('a signed header that lies about the body is refused', async () => {
    expectRefusal(await acs3(simulator, 'ListUsers', PARAMS, { claimedHash: 'f'.repeat(64) }), 400, 'SignatureDoesNotMatch');
  });

  test('a mandatory header outside SignedHeaders is refused', async () => {
    const spoil: Options['spoil'] = (request) => {
      request.headers['authorization'] = (request.headers['authorization'] ?? '').replace('x-acs-date;', '');
    };
    expectRefusal(await acs3(simulator, 'ListUsers', PARAMS, { spoil }), 400, 'IncompleteSignature');
  });

  test('one changed byte of the signature is refused', async () => {
    const spoil: Options['spoil'] = (request) => {
      const header = request.headers['authorization'] ?? '';
      request.headers['authorization'] = `${header.slice(0, -1)}${header.endsWith('0') ? '1' : '0'}`;
    };
    expectRefusal(await acs3(simulator, 'ListUsers', PARAMS, { spoil }), 400, 'SignatureDoesNotMatch');
  });
});

describe('RPC-v1 only', () => {
  test.each([
    ['AccessKeyId', 'MissingAccessKeyId'],
    ['Signature', 'MissingSignature'],
    ['SignatureNonce', 'MissingSignatureNonce'],
    ['SignatureMethod', 'MissingSignatureMethod'],
    ['SignatureVersion', 'MissingSignatureVersion'],
    ['Timestamp', 'IllegalTimestamp'],
    ['Version', 'MissingVersion'],
    ['Action', 'MissingAction'],
  ])('%s is mandatory', async (omit, code) => {
    expectRefusal(await rpc(simulator, 'ListUsers', PARAMS, { omit }), 400, code);
  });

  test('a wrong Format is refused, a missing one means XML', async () => {
    const wrong = await rpc(simulator, 'ListUsers', PARAMS, { format: 'YAML' });
    expect(wrong.text).toContain('<Code>InvalidParameter.Format</Code>');
    const good = await rpc(simulator, 'ListUsers', PARAMS, { format: null });
    expect(good.headers['content-type']).toBe('text/xml;charset=utf-8');
    expect(good.text).toMatch(
      /<ListUsersResponse><RequestId>[0-9A-F-]{36}<\/RequestId>.*<Users><UserInfo><Name>alice\.w<\/Name>/,
    );
    const bad = await rpc({ ...simulator, accessKeySecret: 'no' }, 'ListUsers', PARAMS, { format: null });
    expect(bad.text).toMatch(/^<\?xml .*\?><Error><RequestId>.*<Code>SignatureDoesNotMatch<\/Code>.*&amp;%2F&amp;/);
  });

  test('an unsigned call, another path', async () => {
    expect(
      (await send({ method: 'GET', url: `${simulator.endpoint}/?Action=ListUsers&Version=2018-04-12&Format=JSON` })).status,
    ).toBe(400);
    expect((await send({ method: 'GET', url: `${simulator.endpoint}/users` })).status).toBe(404);
  });
});

test('secrets stay out of the request log', async () => {
  const entry = { 'User.1.Name': 'bob001', 'User.1.Group': 'users', 'User.1.Password': 'Passw0rd!' };
  await rpc({ ...simulator, securityToken: '' }, 'AddUsers', { ...PARAMS, ...entry }, { method: 'POST', form: true });
  await acs3(simulator, 'AddUsers', { ...PARAMS, ...entry });
  expect(
    simulator.calls.map(({ action, method, clusterId, scheme, status, code }) => [
      action,
      method,
      clusterId,
      scheme,
      status,
      code,
    ]),
  ).toEqual([
    ['AddUsers', 'POST', CLUSTER, 'rpc-v1', 200, 'OK'],
    ['AddUsers', 'GET', CLUSTER, 'acs3', 406, 'AgentError.Account.UserAlreadyExist'],
  ]);
  expect(simulator.calls[0]?.params).toEqual({ ClusterId: CLUSTER, 'User.1.Name': 'bob001', 'User.1.Group': 'users' });
  expect(JSON.stringify(simulator.calls)).not.toContain('Passw0rd');
  simulator.resetCalls();
  expect(simulator.calls).toHaveLength(0);
});
