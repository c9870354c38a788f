/** Vendors that send back what they were sent, in every field and in every spelling, with terminal escapes, and without end. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startGateway, type TestGateway } from '../support/gateway.js';

const CLUSTER = 'ehpc-echo0001';
const PASSWORD = 'Sup3r@Secret#42';
const KEY = 'account-secret-key-0123456789';
const NOISE = '\u001b[31m\u202e\u2066\r\n\u0007\ud800';
const LONG = 'y'.repeat(3_000);

interface Heard {
  readonly path: string;
  /** Of the query and of a form or JSON body. */
  readonly params: ReadonlyMap<string, string>;
  readonly signature: string;
}

type Reply = (heard: Heard) => { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown };

const heardOf = (request: IncomingMessage, body: string): Heard => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://vendor');
  const isJson = request.headers['content-type'] === 'application/json';
  const sent = isJson ? Object.entries<string>(JSON.parse(body) as Record<string, string>) : [...new URLSearchParams(body)];
  const signature = /Signature=(.*)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? searchParams.get('signature') ?? '';
  return { path: String(request.headers['x-acs-action'] ?? pathname), params: new Map([...searchParams, ...sent]), signature };
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const serve = async (reply: Reply): Promise<string> => {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { status = 200, headers = {}, body } = reply(heardOf(request, text));
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** What to write back for one thing that was heard. */
type Echo = (heard: Heard) => string;

const percent = (text: string): string => text.replace(/[\s\S]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
const SPELLINGS: readonly (readonly [string, (text: string) => string])[] = [
  ['as it is', (text) => text],
  ['encoded twice', (text) => percent(text).replaceAll('%', '%25')],
  ['in HTML', (text) => text.replace(/\W/g, (char) => `&#${char.charCodeAt(0)};`)],
  ['in base64', (text) => Buffer.from(`user:${text}`).toString('base64')],
  ['in hex and capitals', (text) => Buffer.from(text).toString('hex').toUpperCase()],
  ['in JSON escapes', (text) => text.replace(/\W/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)],
];

const everything = (heard: Heard, spell: (text: string) => string): string =>
  [
    heard.params.get('User.1.Password') ?? heard.params.get('password') ?? heard.params.get('new_password') ?? '',
    KEY,
    heard.signature,
  ]
    .filter((text) => text !== '')
    .map(spell)
    .join(' ');

const ehpc = (echo: Echo): Reply => {
  const cluster = (heard: Heard) => ({ Id: CLUSTER, Name: echo(heard), Status: `running ${echo(heard)}`, RegionId: echo(heard) });
  return (heard) => {
    if (heard.path === 'DescribeCluster') return { body: { ClusterInfo: { ...cluster(heard), Status: 'running' } } };
    if (heard.path === 'ListClusters') return { body: { Clusters: { ClusterInfoSimple: [cluster(heard)] }, TotalCount: 1 } };
    if (heard.path === 'ListUsers') {
      const row = { Name: 'alice.one', Group: 'users', AddTime: '2026-01-02T03:04:05Z', [echo(heard)]: echo(heard) };
      return { body: { Users: { UserInfo: [row] }, TotalCount: 1 } };
    }
    const [text] = [echo(heard)];
    return {
      status: 400,
      headers: { 'x-acs-request-id': 'header-id', 'retry-after': 'nonsense' },
      body: { Code: `InvalidX.${text}`, Message: `Bad: ${text}`, RequestId: text },
    };
  };
};

const ehpcAccount = (endpoint: string) => ({
  vendor: 'alibaba-ehpc',
  region: 'cn-hangzhou',
  endpoint,
  listing: 'sync',
  credentials: { accessKeyId: 'id', accessKeySecret: KEY },
});

const shanheAccount = (endpoint: string) => ({
  vendor: 'shanhe-hpc',
  endpoint: `${endpoint}/api`,
  credentials: { accessKeyId: 'id', secretAccessKey: KEY },
});

/** @param mode how a create ends: refused at once, or by its job */
const shanhe =
  (echo: Echo, mode: 'refused' | 'job'): Reply =>
  (heard) => {
    if (heard.path === '/api/cluster/list') {
      const words = { cluster_name: echo(heard), cluster_type: 'ehpc', status: `${echo(heard)}` };
      return { body: { ret_code: 0, cluster_set: [{ cluster_id: CLUSTER, ...words }], total_count: 1 } };
    }
    if (heard.path === '/api/user') {
      const row = {
        username: 'alice',
        role: 'member',
        nas_mount_point: `/${echo(heard)}`,
        hpcuser_id: echo(heard),
        [echo(heard)]: 1,
      };
      return { body: { ret_code: 0, users_set: [row], total_count: 1 } };
    }
    if (heard.path === '/api/operation')
      return {
        body: { ret_code: 0, job_set: [{ job_id: 'j-1', status: 'failed', error_codes: `E ${PASSWORD} ${echo(heard)}` }] },
      };
    if (mode === 'job' && heard.path === '/api/user/addUser') return { body: { ret_code: 0, job_id: 'j-1' } };
    return { body: { ret_code: 1101, message: `Bad: ${echo(heard)}` } };
  };

const gatewayOf = async (account: object): Promise<TestGateway> => {
  const gateway = await startGateway({
    server: { settleSeconds: 0, drainSeconds: 0 },
    accounts: { a: account },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: CLUSTER }],
  });
  closers.push(() => gateway.stop());
  return gateway;
};

const NAME = { ehpc: 'echoed.user', shanhe: 'echoed' };

const VENDORS = [
  ['alibaba-ehpc', async (echo: Echo) => ehpcAccount(await serve(ehpc(echo))), NAME.ehpc],
  ['shanhe-hpc', async (echo: Echo) => shanheAccount(await serve(shanhe(echo, 'refused'))), NAME.shanhe],
] as const;

/** All that a caller or an operator gets to see. */
const seenAt = async (gateway: TestGateway, username: string) => {
  const write = await gateway.post('/clusters/c/users', { username, password: PASSWORD });
  const change = await gateway.request('PUT', '/clusters/c/users/alice.one/password', { body: { password: PASSWORD } });
  const batch = await gateway.post('/clusters/c/users/batch', { items: [{ op: 'create', username, password: PASSWORD }] });
  const reads = await Promise.all(
    ['/clusters', '/clusters/c', '/clusters/c/users?include=vendor', '/operations'].map((path) => gateway.get(path)),
  );
  const operation = await gateway.get(`/operations/${batch.body.operationId}`);
  return {
    write,
    reads,
    text: [write, change, batch, operation, ...reads].map(({ text }) => text).join('\n') + gateway.logged(),
  };
};

describe.each(VENDORS)('%s', (vendor, accountOf, username) => {
  it.each(SPELLINGS)('sends secrets back %s: none is shown', async (_, spell) => {
    let signature = '';
    const gateway = await gatewayOf(
      await accountOf((heard) => {
        signature = heard.signature;
        return everything(heard, spell);
      }),
    );
    const { write, reads, text } = await seenAt(gateway, username);
    expect([write.status, write.body.vendor.message]).toEqual([422, expect.stringMatching(/^Bad: \S*\[redacted\]/)]);
    expect(signature.length).toBeGreaterThan(20);
    for (const secret of [PASSWORD, KEY, signature]) expect(text).not.toContain(JSON.stringify(spell(secret)).slice(1, -1));
    const [clusters, , users] = reads;
    expect([clusters?.body.items[0].vendorClusterId, users?.body.items[0].username]).toEqual([
      CLUSTER,
      vendor === 'shanhe-hpc' ? 'alice' : 'alice.one',
    ]);
    expect(JSON.stringify(users?.body.items[0].vendor.attributes)).toContain('[redacted]');
  });

  it('sends long texts with escapes: what is shown is short, on one line, and harmless', async () => {
    const gateway = await gatewayOf(await accountOf(() => `${NOISE}x${NOISE}${LONG}`));
    const { write, reads, text } = await seenAt(gateway, username);
    const { code, message, requestId } = write.body.vendor;
    expect([code ?? '', requestId ?? ''].every(({ length }: string) => length <= 128)).toBe(true);
    expect(message.length).toBe(500);
    const [clusters] = reads;
    const { name, vendorState } = clusters?.body.items[0] ?? {};
    expect([name.length, vendorState.length]).toEqual([255, 128]);
    // In JSON, a control character would be written as an escape.
    expect(text).not.toMatch(
      /\\u00[0-1][0-9a-f]|\\u00[7-9][0-9a-f]|\\u202e|\\u2066|\\ud[89a-f]|[\u202a-\u202e\u2066-\u2069]|\\[rntbf]/i,
    );
    expect(text).not.toContain('y'.repeat(2_001));
  });
});

it('a job of a vendor fails with the password in its code: it is not shown, and not stored', async () => {
  const gateway = await gatewayOf(shanheAccount(await serve(shanhe(() => 'x', 'job'))));
  const { status, body } = await gateway.post('/clusters/c/users', { username: NAME.shanhe, password: PASSWORD });
  expect([status, body.code, body.vendor.code]).toEqual([502, 'cluster_agent_failed', 'E [redacted] x']);
  const { body: operations } = await gateway.get('/operations');
  const { text } = await gateway.get(`/operations/${operations.items[0].id}`);
  expect(text).toContain('E [redacted] x');
  expect(text + gateway.logged()).not.toContain(PASSWORD);
});
