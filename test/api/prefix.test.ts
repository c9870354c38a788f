/** Behind a proxy that puts a path before ours, every link works. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { backendNamed, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const PASSWORD = 'Passw0rd!';
let live: LiveBackend;
let gateway: TestGateway;
afterEach(async () => {
  await gateway.stop();
  await live.close();
});
const start = async (server: object): Promise<void> => {
  live = await backendNamed('memory').start();
  gateway = await startGateway({ ...live.raw, server });
};
const USERS = '/clusters/main/users';
const json = { 'content-type': 'application/json' };

interface Seen {
  readonly link: string | null;
  readonly location: string | null;
  readonly links: Readonly<Record<string, string>>;
  readonly type: string;
  readonly instance: string;
  /** Of problems within an answer, and of a repeated request. */
  readonly instances: readonly string[];
  readonly meant: string;
  readonly docs: string | null;
  readonly root: string | null;
  readonly servers: readonly object[];
}

interface Results {
  readonly results: readonly { readonly problem?: { readonly instance: string } }[];
}

/** @param at how the gateway itself is reached */
const look = async (at: string, headers: Record<string, string> = {}): Promise<Seen> => {
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${gateway.url}${at}${path}`, { redirect: 'manual', ...init, headers: { ...headers, ...(init.headers as object) } });
  const body = JSON.stringify({ username: `linked${Math.floor(Math.random() * 1e6)}`, password: PASSWORD });
  const created = await ask(USERS, { method: 'POST', body, headers: json });
  const [operation] = ((await (await ask('/operations')).json()) as { items: { links: Record<string, string> }[] }).items;
  const problem = (await (await ask(`${USERS}/nobody`)).json()) as { type: string; instance: string };
  const items = JSON.stringify({ items: [{ op: 'ensure', username: 'nobody' }] });
  const batch = { method: 'POST', body: items, headers: json };
  const tried = (await (await ask(`${USERS}/batch?dryRun=true`, batch)).json()) as Results;
  const found = (await (await ask('/users/nobody')).json()) as { items: { problem: { instance: string } }[] };
  const keyed = { method: 'DELETE', headers: { 'idempotency-key': `"${Math.random()}"` } };
  await ask(`${USERS}/nobody`, keyed);
  const again = (await (await ask(`${USERS}/nobody`, keyed)).json()) as { instance: string };
  return {
    link: (await ask(`${USERS}?limit=1`)).headers.get('link'),
    location: created.headers.get('location'),
    links: operation?.links ?? {},
    type: problem.type,
    instance: problem.instance,
    instances: [tried.results[0]?.problem?.instance, found.items[0]?.problem.instance, again.instance].map(String),
    meant: ((await (await ask('/clusterz')).json()) as { detail: string }).detail,
    docs: (await ask('/docs')).headers.get('location'),
    root: (await ask('/', { headers: { accept: 'text/html' } })).headers.get('location'),
    servers: ((await (await ask('/openapi.json')).json()) as { servers: { url: string }[] }).servers.map(({ url }) => ({ url })),
  };
};

const withPrefix = (prefix: string, url = prefix) => ({
  link: expect.stringMatching(new RegExp(`^<${prefix}/clusters/main/users\\?limit=1&cursor=`)),
  location: expect.stringMatching(new RegExp(`^${prefix}/clusters/main/users/linked\\d+$`)),
  links: {
    self: expect.stringMatching(new RegExp(`^${prefix}/operations/op_`)),
    cluster: `${prefix}/clusters/main`,
  },
  type: `${url}/problems/user_not_found`,
  instance: `${prefix}/clusters/main/users/nobody`,
  instances: [`${prefix}/clusters/main/users/batch`, `${prefix}/users/nobody`, `${prefix}/clusters/main/users/nobody`],
  meant: expect.stringContaining(`Did you mean ${prefix}/clusters?`),
  docs: `${prefix}/docs/`,
  root: `${prefix}/docs/`,
  servers: [{ url: url === '' ? '/' : url }],
});

describe('server.publicUrl with a path', () => {
  it('is where all links lead, whether the proxy takes the path away or leaves it', async () => {
    await start({ publicUrl: 'https://hpc.example.org/hpc/' });
    const expected = withPrefix('/hpc', 'https://hpc.example.org/hpc');
    expect(await look('')).toEqual(expected);
    expect(await look('/hpc')).toEqual(expected);
    const page = await fetch(`${gateway.url}/hpc/docs/`);
    expect([page.status, await page.text()]).toEqual([200, expect.not.stringMatching(/(?:src|href)="\//)]);
    expect((await fetch(`${gateway.url}/hpc/docs/swagger-ui-init.js`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/hpc/healthz`)).status).toBe(200);
    expect(await (await fetch(`${gateway.url}/hpc/problems/user_not_found`)).text()).toContain('href="../docs/"');
    expect((await fetch(`${gateway.url}/hpcx/healthz`)).status).toBe(404);
  });
});

describe('X-Forwarded-Prefix', () => {
  it('counts where a trusted proxy sends it', async () => {
    await start({ trustProxy: ['127.0.0.0/8', '::ffff:127.0.0.0/104'] });
    expect(await look('', { 'x-forwarded-prefix': '/team/hpc' })).toEqual(withPrefix('/team/hpc'));
    for (const prefix of ['//evil.example', 'https://evil.example', '/a?b', '/a/../b', 'a', '/'])
      expect([prefix, await look('', { 'x-forwarded-prefix': prefix })]).toEqual([prefix, withPrefix('')]);
  });

  it('counts for nothing where anybody else does', async () => {
    await start({});
    expect(await look('', { 'x-forwarded-prefix': '/evil' })).toEqual(withPrefix(''));
  });
});
