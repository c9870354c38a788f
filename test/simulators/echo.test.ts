import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AlibabaEhpcSimulator, startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import { type EchoValue, type Fault, SPELLINGS, type Spelling } from '../../simulators/kit/index.js';
import { type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import * as ehpc from './support/ehpc-client.js';
import * as shanhe from './support/shanhe-client.js';

const EHPC = 'ehpc-hz-echoes0001';
const SHANHE = 'ehpc-echoes01';
const PASSWORD = `Pä5s w<"'&%+=/`;
const TOKEN = 'token/+=x';

let alibaba: AlibabaEhpcSimulator;
let jinan: ShanheHpcSimulator;

beforeEach(async () => {
  const users = ['alice.w', 'bob.w'].map((name) => ({ name, group: 'users' as const }));
  alibaba = await startAlibabaEhpc({
    securityToken: TOKEN,
    asyncDelayMs: 0,
    clusters: [{ id: EHPC, name: 'echoes', status: 'running', users }],
  });
  const members = ['admin', 'u1'].map((username) => ({ username, role: 'member' as const }));
  jinan = await startShanheHpc({
    jobMs: 0,
    clusters: [{ id: SHANHE, name: 'echoes', type: 'ehpc', status: 'active', users: members }],
  });
});
afterEach(() => Promise.all([alibaba.close(), jinan.close()]));

const echo = (more: Omit<Fault, 'kind'>): Fault => ({ kind: 'echo', ...more });

const ehpcAdd = (password = PASSWORD, options: ehpc.Options = {}) =>
  ehpc.acs3(alibaba, 'AddUsers', ehpc.userParams(EHPC, [{ Name: 'newuser1', Group: 'users', Password: password }]), options);
const shanheAdd = (password = PASSWORD) =>
  shanhe.post(jinan, '/user/addUser', { cluster_id: SHANHE, username: 'newuser1', password });

/** What undoes each spelling; written apart from what spells. */
const fromPercent = (text: string) => decodeURIComponent(text);
const READ: Record<Spelling, (text: string) => string> = {
  plain: (text) => text,
  percent: fromPercent,
  'percent-lower': fromPercent,
  'percent-twice': (text) => fromPercent(fromPercent(text)),
  'percent-twice-lower': (text) => fromPercent(fromPercent(text)),
  'percent-every': fromPercent,
  form: (text) => new URLSearchParams(`x=${text}`).get('x') ?? '',
  base64: (text) => Buffer.from(text, 'base64').toString(),
  base64url: (text) => Buffer.from(text, 'base64url').toString(),
  hex: (text) => Buffer.from(text, 'hex').toString(),
  'hex-upper': (text) => Buffer.from(text, 'hex').toString(),
  html: (text) =>
    text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&'),
  'html-decimal': (text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))),
  'html-hex': (text) => text.replace(/&#x([0-9a-f]+);/g, (_, code) => String.fromCodePoint(Number.parseInt(code, 16))),
  unicode: (text) => JSON.parse(`"${text}"`),
  json: (text) => JSON.parse(text).value,
  'json-twice': (text) => JSON.parse(JSON.parse(text)).value,
  'reversed-case': (text) => [...text].map((at) => (at === at.toUpperCase() ? at.toLowerCase() : at.toUpperCase())).join(''),
};

/** The form of each spelling, where more than one would read alike. */
const FORM: Partial<Record<Spelling, RegExp>> = {
  percent: /^P%C3%A45s%20w%3C%22%27%26%25%2B%3D%2F$/,
  'percent-lower': /^P%c3%a45s%20w%3c/,
  'percent-twice': /^P%25C3%25A45s%2520w%253C/,
  'percent-twice-lower': /^P%25c3%25a45s%2520w%253c/,
  'percent-every': /^%50%C3%A4%35/,
  form: /^P%C3%A45s\+w%3C/,
  hex: /^[0-9a-f]+$/,
  'hex-upper': /^[0-9A-F]+$/,
  html: /^Pä5s w&lt;&quot;&#39;&amp;%/,
  unicode: /^(\\u[0-9a-f]{4})+$/,
  'json-twice': /^"\{\\"value/,
};

describe('spellings', () => {
  test.each(SPELLINGS)('%s', async (spelling) => {
    alibaba.inject(echo({ action: 'AddUsers', code: 'InvalidParams', field: 'Message', value: 'password', spelling }));
    jinan.inject(echo({ action: '/user/addUser', code: '1101', field: 'message', value: 'password', spelling }));
    const texts = [(await ehpcAdd()).json['Message'], (await shanheAdd()).json['message']];
    for (const text of texts) {
      expect(READ[spelling](String(text))).toBe(PASSWORD);
      expect(text).toMatch(FORM[spelling] ?? /./);
      if (spelling !== 'plain') expect(text).not.toBe(PASSWORD);
    }
  });
});

describe('E-HPC', () => {
  test.each(['Code', 'RequestId', 'Message', 'HostId'])('an error has the password in %s, and no effect', async (field) => {
    alibaba.inject(echo({ action: 'AddUsers', code: 'InDebt', field, value: 'password' }));
    const { status, json } = await ehpcAdd();
    expect([status, json[field]]).toEqual([400, PASSWORD]);
    expect(json).toMatchObject(field === 'Code' ? { Message: expect.stringContaining('overdue') } : { Code: 'InDebt' });
    expect(alibaba.journal).toEqual([]);
    expect(alibaba.calls.at(-1)).toMatchObject({ faulted: 'echo' });
    expect(JSON.stringify(alibaba.calls)).not.toContain(PASSWORD.slice(0, 5));
  });

  test.each(['RequestId', 'Code'])('a success has it in %s, and the effect', async (field) => {
    alibaba.inject(echo({ action: 'AddUsers', field, value: 'password' }));
    const { status, json } = await ehpcAdd('Passw0rd!');
    expect([status, json[field]]).toEqual([200, 'Passw0rd!']);
    expect(alibaba.journal).toMatchObject([{ username: 'newuser1', effect: 'created' }]);
  });

  test('a later list repeats the password in an attribute of each user, and a cluster in its state', async () => {
    await ehpcAdd('Passw0rd!');
    alibaba.inject(echo({ action: 'ListUsers', field: 'Group', value: 'password' }));
    const users = await ehpc.acs3(alibaba, 'ListUsers', { ClusterId: EHPC });
    expect(ehpc.rowsOf(users).map(({ Name, Group }) => [Name, Group])).toEqual(
      ['alice.w', 'bob.w', 'newuser1'].map((name) => [name, 'Passw0rd!']),
    );
    expect(users.json).not.toHaveProperty('Group');
    alibaba.inject(echo({ action: 'ListClusters', field: 'Status', value: 'password', spelling: 'base64' }));
    const { json } = await ehpc.acs3(alibaba, 'ListClusters');
    expect(json).toMatchObject({ Clusters: { ClusterInfoSimple: [{ Id: EHPC, Status: 'UGFzc3cwcmQh' }] } });
    alibaba.inject(echo({ action: 'ListUsersAsync', field: 'AsyncStatus', value: 'password' }));
    expect((await ehpc.acs3(alibaba, 'ListUsersAsync', { ClusterId: EHPC })).json['AsyncStatus']).toBe('Passw0rd!');
  });

  const seen = async (value: EchoValue, call: typeof ehpc.acs3) => {
    let sent = '';
    alibaba.inject(echo({ field: 'Echo', value }));
    const spoil: ehpc.Options['spoil'] = ({ url, headers }) => {
      sent = `${decodeURIComponent(url)} ${JSON.stringify(headers)}`;
    };
    const { json } = await call(alibaba, 'ListClusters', {}, { spoil });
    return { text: String(json['Echo']), sent };
  };

  test.each([
    ['acs3', ehpc.acs3],
    ['rpc', ehpc.rpc],
  ] as const)('key, signature and token of %s', async (scheme, call) => {
    expect((await seen('accessKeyId', call)).text).toBe(alibaba.accessKeyId);
    expect((await seen('securityToken', call)).text).toBe(TOKEN);
    const { text, sent } = await seen('signature', call);
    expect(text).toMatch(scheme === 'acs3' ? /^[0-9a-f]{64}$/ : /^[A-Za-z0-9+/]{27}=$/);
    expect(sent).toContain(`Signature=${text}`);
  });

  test('XML', async () => {
    alibaba.inject(echo({ code: 'InDebt', field: 'Code', value: 'securityToken', message: '<%s>' }));
    alibaba.inject(echo({ field: 'Echo', value: 'accessKeyId' }));
    const error = await ehpc.rpc(alibaba, 'ListClusters', {}, { format: null });
    expect(error.text).toContain(`<Code>&lt;${TOKEN}&gt;</Code>`);
    expect(error.text.match(/<Code>/g)).toHaveLength(1);
    expect(error.text).toContain('<Message>Your account has overdue payments.</Message>');
    const { text } = await ehpc.rpc(alibaba, 'ListClusters', {}, { format: null });
    expect(text).toContain(`<Echo>${alibaba.accessKeyId}</Echo></ListClustersResponse>`);
  });
});

describe('Shanhe', () => {
  test.each(['ret_code', 'message', 'request_id'])('an error and a success have the password in %s', async (field) => {
    jinan.inject(echo({ action: '/user/addUser', code: '1101', status: 400, field, value: 'password' }));
    jinan.inject(echo({ action: '/user/addUser', status: 202, field, value: 'password' }));
    const error = await shanheAdd();
    expect([error.status, error.json[field]]).toEqual([400, PASSWORD]);
    expect(jinan.journal).toEqual([]);
    const success = await shanheAdd('kUISjs@kkkkkk!');
    expect([success.status, success.json[field]]).toEqual([202, 'kUISjs@kkkkkk!']);
    expect(success.json).toHaveProperty('job_id');
    expect(jinan.journal).toHaveLength(1);
  });

  test('the words of clusters and jobs, a user, and the new password of a change', async () => {
    const fields = { cluster_id: SHANHE, username: 'u1', new_password: 'Chang3d@kkkk!' };
    await shanheAdd('kUISjs@kkkkkk!');
    jinan.inject(echo({ action: '/operation', field: 'status', value: 'password' }));
    const { json: jobs } = await shanhe.get(jinan, '/operation');
    expect(jobs['job_set']).toMatchObject([{ status: 'kUISjs@kkkkkk!' }]);
    expect((await shanhe.post(jinan, '/user/modifyUser', fields)).code).toBe(0);
    jinan.inject(echo({ action: '/cluster/list', field: 'cluster_status', value: 'password' }));
    const { json } = await shanhe.get(jinan, '/cluster/list');
    expect(json['cluster_set']).toMatchObject([{ cluster_status: 'Chang3d@kkkk!' }]);
    jinan.inject(echo({ action: '/user', field: 'nas_mount_point', value: 'password' }));
    const users = await shanhe.get(jinan, '/user', { cluster_id: SHANHE });
    expect(users.json['users_set']).toMatchObject([{ nas_mount_point: 'Chang3d@kkkk!' }, {}, {}]);
  });

  test('key and signature as signed, in a header too', async () => {
    let url = '';
    jinan.inject(echo({ field: 'header:X-Echo', value: 'signature', spelling: 'percent-twice', message: 'by %s' }));
    const spoil: shanhe.Options['spoil'] = (request) => {
      url = request.url;
    };
    const { headers, code } = await shanhe.get(jinan, '/user', {}, { spoil });
    expect(code).toBe(0);
    expect(String(headers['x-echo'])).toBe(`by ${url.slice(url.indexOf('&signature=') + '&signature='.length)}`);
    jinan.inject(echo({ field: 'message', value: 'accessKeyId' }));
    expect((await shanhe.get(jinan, '/user')).json['message']).toBe(jinan.accessKeyId);
  });
});

test('a header takes any password', async () => {
  alibaba.inject(echo({ action: 'AddUsers', field: 'header:x-echo', value: 'password' }));
  const { status, headers } = await ehpcAdd('Zeile\r\nzwei: ü漢');
  expect(status).toBe(400);
  expect(Buffer.from(String(headers['x-echo']), 'latin1').toString()).toBe('Zeile  zwei: ü漢');
});

test('an echo waits until the value is known', async () => {
  alibaba.inject(echo({ field: 'Message', value: 'password' }));
  jinan.inject(echo({ field: 'message', value: 'securityToken', times: -1 }));
  expect((await ehpc.acs3(alibaba, 'ListClusters')).json).not.toHaveProperty('Message');
  expect((await shanheAdd()).json['message']).not.toContain('token');
  expect((await ehpcAdd('Passw0rd!')).json['Message']).toBe('Passw0rd!');
  expect(jinan.calls.at(-1)).toMatchObject({ faulted: null });
});

test('an echo hits as often as it says', async () => {
  jinan.inject(echo({ field: 'message', value: 'accessKeyId', skip: 1, times: 1 }));
  const messages = [];
  for (let round = 0; round < 3; round++) messages.push((await shanhe.get(jinan, '/user')).json['message']);
  expect(messages).toEqual([undefined, jinan.accessKeyId, undefined]);
});

test.each([
  [{ kind: 'echo', value: 'password' }, /"echo" needs "field"/],
  [{ kind: 'echo', field: 'Code' }, /"echo" needs "value"/],
  [{ kind: 'echo', field: 'Code', value: 'secret' }, /"value" must be one of password, accessKeyId/],
  [{ kind: 'echo', field: 'Code', value: 'password', spelling: 'rot13' }, /"spelling" must be one of plain, percent/],
  [{ kind: 'echo', field: 'a b', value: 'password' }, /"field" must be/],
  [{ kind: 'echo', field: 'header:Content-Length', value: 'password' }, /"field" must be/],
  [{ kind: 'echo', field: 'header:', value: 'password' }, /"field" must be/],
])('%j is refused', (fault, message) => {
  expect(() => alibaba.inject(fault as Fault)).toThrow(message);
  expect(() => jinan.inject(fault as Fault)).toThrow(message);
});
