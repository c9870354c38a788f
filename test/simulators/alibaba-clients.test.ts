import openapi, { $OpenApiUtil } from '@alicloud/openapi-core';
import PopClient from '@alicloud/pop-core';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AlibabaEhpcSimulator, startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';

/** The vendor's own clients: what they send, the simulator must take; what they cannot sign, it must refuse. */
type Query = Record<string, string>;
type Body = Record<string, unknown>;
interface Keys {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken?: string;
}
interface Send {
  keys?: Keys;
  method?: 'GET' | 'POST';
  at?: Date;
  /** Parameters travel in a form body instead of the query. */
  form?: boolean;
}
type Client = (simulator: AlibabaEhpcSimulator, action: string, params: Query, send?: Send) => Promise<Body>;

const VERSION = '2018-04-12';
const CLUSTER = 'ehpc-hz-clients001';
const TRICKY = "Abc1~!@#$%^&*()_+='";
const stamp = (date: Date) => `${date.toISOString().slice(0, 19)}Z`;
const keysOf = ({ accessKeyId, accessKeySecret, securityToken }: Keys): Keys => ({
  accessKeyId,
  accessKeySecret,
  ...(securityToken === undefined ? {} : { securityToken }),
});

const core =
  (style: 'acs3' | 'v2'): Client =>
  async (simulator, action, params, { keys = simulator, method = 'GET', at, form = false } = {}) => {
    const config = new $OpenApiUtil.Config({
      ...keysOf(keys),
      endpoint: simulator.endpoint.replace('http://', ''),
      ...{ protocol: 'HTTP', regionId: simulator.region },
      ...(style === 'v2' ? { signatureAlgorithm: 'v2' } : {}),
    });
    const call = new $OpenApiUtil.Params({
      ...{ action, version: VERSION, protocol: 'HTTP', pathname: '/', method, authType: 'AK', style: 'RPC' },
      ...{ reqBodyType: 'formData', bodyType: 'json' },
    });
    const time = at === undefined ? {} : { Timestamp: stamp(at) };
    const request = new $OpenApiUtil.OpenApiRequest({
      query: { ...(form ? {} : params), ...(style === 'v2' ? time : {}) },
      ...(form ? { body: params } : {}),
      headers: style === 'acs3' && at !== undefined ? { 'x-acs-date': stamp(at) } : {},
    });
    const reply = await new openapi.default(config).callApi(
      call,
      request,
      {} as Parameters<InstanceType<typeof openapi.default>['callApi']>[2],
    );
    return reply['body'];
  };

const pop: Client = (simulator, action, params, { keys = simulator, method = 'GET', at, form = false } = {}) => {
  const client = new PopClient({ ...keysOf(keys), endpoint: simulator.endpoint, apiVersion: VERSION });
  const time = at === undefined ? {} : { Timestamp: stamp(at) };
  return client.request(action, { RegionId: simulator.region, ...params, ...time }, { method: form ? 'POST' : method });
};

const CLIENTS: [name: string, client: Client][] = [
  ['openapi-core, ACS3', core('acs3')],
  ['openapi-core, signatureAlgorithm v2', core('v2')],
  ['pop-core', pop],
];
const CASES = CLIENTS.flatMap(([name, client]) =>
  [undefined, 'sts-token/+='].map((token): [string, Client, string | undefined] => [
    token ? `${name}, STS` : name,
    client,
    token,
  ]),
);

const user = (name: string, group: string, password: string): Query => ({
  'User.1.Name': name,
  'User.1.Group': group,
  'User.1.Password': password,
});

describe.each(CASES)('%s', (_name, client, token) => {
  let simulator: AlibabaEhpcSimulator;

  beforeAll(async () => {
    simulator = await startAlibabaEhpc({
      clusters: [{ id: CLUSTER, name: 'clients', status: 'running', users: [{ name: 'seeded.one', group: 'wheel' }] }],
      asyncDelayMs: 5,
      ...(token === undefined ? {} : { securityToken: token }),
    });
  });
  afterAll(() => simulator.close());

  const list = async () => {
    const body = await client(simulator, 'ListUsers', { ClusterId: CLUSTER, PageSize: '50' });
    return (body['Users'] as { UserInfo: { Name: string; Group: string }[] }).UserInfo.map(
      ({ Name, Group }) => `${Name}:${Group}`,
    );
  };

  test('adds, lists, changes and deletes a user', async () => {
    const added = await client(simulator, 'AddUsers', { ClusterId: CLUSTER, ...user('alice.w', 'users', TRICKY) });
    expect(added).toEqual({ RequestId: expect.stringMatching(/^[0-9A-F-]{36}$/) });
    expect(await list()).toEqual(['seeded.one:wheel', 'alice.w:users']);
    expect(simulator.checkPassword(CLUSTER, 'alice.w', TRICKY)).toBe(true);

    await client(simulator, 'ModifyUserGroups', { ClusterId: CLUSTER, 'User.1.Name': 'alice.w', 'User.1.Group': 'wheel' });
    await client(simulator, 'ModifyUserPasswords', {
      ClusterId: CLUSTER,
      'User.1.Name': 'alice.w',
      'User.1.Password': 'Passw0rd!',
    });
    expect(await list()).toEqual(['seeded.one:wheel', 'alice.w:wheel']);
    expect(simulator.checkPassword(CLUSTER, 'alice.w', 'Passw0rd!')).toBe(true);

    await client(simulator, 'DeleteUsers', { ClusterId: CLUSTER, 'User.1.Name': 'alice.w' });
    expect(await list()).toEqual(['seeded.one:wheel']);
  });

  test('writes with a form body', async () => {
    await client(
      simulator,
      'AddUsers',
      { ClusterId: CLUSTER, ...user('form.user', 'users', TRICKY) },
      { method: 'POST', form: true },
    );
    expect(simulator.checkPassword(CLUSTER, 'form.user', TRICKY)).toBe(true);
    await client(simulator, 'DeleteUsers', { ClusterId: CLUSTER, 'User.1.Name': 'form.user' }, { method: 'POST', form: true });
  });

  test('follows ListUsersAsync', async () => {
    const first = await client(simulator, 'ListUsersAsync', { ClusterId: CLUSTER });
    expect(first).toMatchObject({ AsyncStatus: 'Processing', Users: { UserInfo: [] } });
    await new Promise((resolve) => setTimeout(resolve, 10));
    const second = await client(simulator, 'ListUsersAsync', { ClusterId: CLUSTER, AsyncId: String(first['AsyncId']) });
    expect(second).toMatchObject({
      AsyncStatus: 'Success',
      Users: { UserInfo: [{ Name: 'seeded.one', UserId: '1000', GroupId: '10' }] },
    });
  });

  test.each([
    ['a wrong secret', { secret: true }, 'SignatureDoesNotMatch'],
    ['an unknown key', { id: true }, 'InvalidAccessKeyId.NotFound'],
    ['a time 16 minutes ago', { minutes: -16 }, 'InvalidTimeStamp.Expired'],
    ['a time 16 minutes ahead', { minutes: 16 }, 'InvalidTimeStamp.Expired'],
  ])(
    '%s is refused',
    async (_what, { secret = false, id = false, minutes = 0 }: { secret?: boolean; id?: boolean; minutes?: number }, code) => {
      const keys = {
        ...keysOf(simulator),
        ...(secret ? { accessKeySecret: 'wrong' } : {}),
        ...(id ? { accessKeyId: 'LTAIwrong' } : {}),
      };
      const at = new Date(Date.now() + minutes * 60_000);
      await expect(client(simulator, 'ListClusters', {}, { keys, ...(minutes === 0 ? {} : { at }) })).rejects.toMatchObject({
        code,
      });
    },
  );

  test('a domain error keeps its code', async () => {
    const add = client(simulator, 'AddUsers', { ClusterId: CLUSTER, ...user('seeded.one', 'users', 'Passw0rd!') });
    await expect(add).rejects.toMatchObject({ code: 'AgentError.Account.UserAlreadyExist' });
  });
});

test('the official client sees throttling and its waiting time', async () => {
  const simulator = await startAlibabaEhpc();
  simulator.inject({ kind: 'throttle', retryAfterSeconds: 2 });
  await expect(core('acs3')(simulator, 'ListClusters', {})).rejects.toMatchObject({
    ...{ name: 'ThrottlingError', code: 'Throttling.User' },
    retryAfter: 2000,
  });
  await simulator.close();
});
