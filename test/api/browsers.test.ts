/** What browsers, and pages that misuse them, meet: names of the gateway, origins, and headers that keep pages apart. */
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { makeCaller } from '../support/callers.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { bodyOf, type RawAnswer, sendRaw } from '../support/raw-request.js';

const raw = {
  accounts: { main: { vendor: 'memory', clusters: { main: { users: [{ username: 'plain' }] } } } },
  clusters: [{ id: 'main', account: 'main', vendorClusterId: 'main' }],
};
const caller = makeCaller('portal');
const open: TestGateway[] = [];
const start = async (server: object = {}, more: object = {}): Promise<TestGateway> => {
  const gateway = await startGateway({ ...raw, server, ...more });
  open.push(gateway);
  return gateway;
};
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.stop();
});
const shared: { gateway?: TestGateway } = {};
/** One for all tests of the defaults. */
const plain = async (): Promise<TestGateway> => {
  shared.gateway ??= await startGateway(raw);
  return shared.gateway;
};
afterAll(() => shared.gateway?.stop());

const get = (
  { url }: TestGateway,
  host: string | undefined,
  target = '/clusters',
  ...more: readonly string[]
): Promise<RawAnswer> => sendRaw(url, [`GET ${target} HTTP/1.1`, ...(host === undefined ? [] : [`Host: ${host}`]), ...more]);

const PROTECTION = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

describe('the Host of a request', () => {
  it.each(['localhost', 'LOCALHOST', 'LocalHost:1', '127.0.0.1', '127.0.0.1:65535', '[::1]', '[::1]:8080'])(
    'is a name of a gateway that listens on this machine: %s',
    async (host) => {
      expect((await get(await plain(), host)).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    'evil.example:8080',
    'evil.example#localhost',
    'localhost@evil.example',
    'evil.example, localhost',
    'localhost:8080:1',
    'localhost:port',
    'localhost:123456',
    '127.0.0.1.',
    'localhost.',
    '127.0.0.2',
    '127.1',
    '2130706433',
    '0.0.0.0',
    '::1',
    '[::2]',
    '[::1',
    '[0:0:0:0:0:0:0:1%25lo]',
    '',
    ' ',
  ])('is no name of it: %j', async (host) => {
    const answer = await get(await plain(), host);
    expect([answer.status, bodyOf(answer).code]).toEqual([421, 'misdirected_request']);
    // What is refused is protected, too.
    expect(answer.headers).toMatchObject({ ...PROTECTION, 'cache-control': 'no-store' });
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  it('probes are answered by whatever name, and nothing that looks like one', async () => {
    const gateway = await plain();
    for (const path of ['/healthz', '/readyz', '/healthz?a', 'http://evil.example/readyz'])
      expect([path, [200, 400].includes((await get(gateway, 'evil.example', path)).status)]).toEqual([path, true]);
    for (const path of [
      '/healthz/',
      '//healthz',
      '/healthz/..%2fclusters',
      '/HEALTHZ',
      '/clusters?/healthz',
      '/clusters#/healthz',
      '/%68ealthz',
    ])
      expect([path, (await get(gateway, 'evil.example', path)).status]).toEqual([path, 421]);
  });

  it('of a whole URL in the request line, that one counts', async () => {
    const gateway = await plain();
    expect((await get(gateway, 'evil.example', 'http://localhost/clusters')).status).toBe(200);
    expect((await get(gateway, 'localhost', 'http://evil.example/clusters')).status).toBe(421);
    expect((await get(gateway, 'localhost', 'http://localhost@evil.example/clusters')).status).toBe(421);
    expect((await get(gateway, 'localhost', 'HTTP://EVIL.example/clusters')).status).toBe(421);
    expect((await get(gateway, 'localhost', '//evil.example/clusters')).status).toBe(404);
  });

  it('is there once: none and two are refused', async () => {
    const gateway = await plain();
    expect((await get(gateway, undefined)).status).toBe(400);
    expect((await sendRaw(gateway.url, ['GET /clusters HTTP/1.0'])).status).toBe(421);
    const two = await get(gateway, 'localhost', '/clusters', 'Host: evil.example');
    const turned = await get(gateway, 'evil.example', '/clusters', 'Host: localhost');
    expect([400, 421]).toContain(two.status);
    expect([400, 421]).toContain(turned.status);
  });

  it('with publicUrl: its host, with its port only where it has one', async () => {
    const gateway = await start({ publicUrl: 'https://hpc.example.org/hpc', allowedHosts: ['gateway.internal', '[fd00::1]'] });
    for (const host of [
      'hpc.example.org',
      'HPC.Example.org',
      'hpc.example.org:8443',
      'gateway.internal',
      'GATEWAY.internal:80',
      '[FD00::1]',
      'localhost',
    ])
      expect([host, (await get(gateway, host)).status]).toEqual([host, 200]);
    for (const host of ['example.org', 'x.hpc.example.org', 'hpc.example.org.evil.example', 'internal'])
      expect([host, (await get(gateway, host)).status]).toEqual([host, 421]);
    for (const path of ['/hpc/healthz', '/hpc/readyz']) expect((await get(gateway, 'evil.example', path)).status).toBe(200);
    expect((await get(gateway, 'evil.example', '/hpc/clusters')).status).toBe(421);
    const other = await start({ publicUrl: 'http://hpc.example.org:8443' });
    expect((await get(other, 'hpc.example.org:8443')).status).toBe(200);
    for (const host of ['hpc.example.org', 'hpc.example.org:8444']) expect((await get(other, host)).status).toBe(421);
  });
});

describe('the Origin of a write', () => {
  const write = ({ url }: TestGateway, origin: string, host = 'localhost:8080', target = '/clusters/main/users/plain/password') =>
    sendRaw(
      url,
      [`PUT ${target} HTTP/1.1`, `Host: ${host}`, `Origin: ${origin}`, 'Content-Type: application/json'],
      '{"password":"Passw0rd!"}',
    );

  it.each([
    'http://evil.example',
    'null',
    'http://localhost:3000',
    'http://localhost',
    'http://127.0.0.1:8080',
    'http://localhost:8080.evil.example',
    'http://localhost:8080@evil.example',
    'http://evil.example, http://localhost:8080',
    'localhost:8080',
    'file://',
    '',
  ])('of another page is refused, reads are not: %j', async (origin) => {
    const gateway = await plain();
    const answer = await write(gateway, origin);
    expect([answer.status, bodyOf(answer).code]).toEqual([403, 'forbidden']);
    expect(bodyOf(answer).detail).toContain('server.cors.origins');
    const read = await get(gateway, 'localhost:8080', '/clusters', `Origin: ${origin}`);
    expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, undefined]);
    for (const method of ['POST', 'PATCH', 'DELETE', 'PROPFIND'])
      expect(
        (await sendRaw(gateway.url, [`${method} /clusters HTTP/1.1`, 'Host: localhost:8080', `Origin: ${origin}`])).status,
      ).toBe(403);
  });

  it('of a page of the gateway itself is taken', async () => {
    const gateway = await plain();
    expect((await write(gateway, 'http://localhost:8080')).status).toBe(204);
    expect((await write(gateway, 'http://[::1]:8080', '[::1]:8080')).status).toBe(204);
    expect((await write(gateway, 'http://localhost', 'localhost')).status).toBe(204);
  });

  it('is compared with the name that was checked, not with another one in Host', async () => {
    const gateway = await plain();
    const target = 'http://localhost:8080/clusters/main/users/plain/password';
    expect((await write(gateway, 'http://evil.example', 'evil.example', target)).status).toBe(403);
    expect((await write(gateway, 'http://localhost:8080', 'evil.example', target)).status).toBe(204);
  });

  it('of publicUrl and of configured origins is taken', async () => {
    const origins = ['https://portal.example.org'];
    const gateway = await start({ publicUrl: 'https://hpc.example.org/hpc', cors: { origins } });
    for (const origin of ['https://hpc.example.org', 'https://portal.example.org'])
      expect([origin, (await write(gateway, origin, 'hpc.example.org')).status]).toEqual([origin, 204]);
    for (const origin of [
      'https://portal.example.org:444',
      'http://portal.example.org',
      'https://x.portal.example.org',
      'https://evil.example',
    ])
      expect([origin, (await write(gateway, origin, 'hpc.example.org')).status]).toEqual([origin, 403]);
  });

  it('does not stand for a key', async () => {
    const gateway = await start({ cors: { origins: ['https://portal.example.org'] } }, { auth: { callers: [caller.config] } });
    expect((await write(gateway, 'https://portal.example.org', 'localhost')).status).toBe(401);
  });
});

describe('pages of other origins', () => {
  const ORIGIN = 'https://portal.example.org';
  const preflight = ({ url }: TestGateway, origin: string, path = '/clusters/main/users') =>
    sendRaw(url, [
      `OPTIONS ${path} HTTP/1.1`,
      'Host: localhost',
      `Origin: ${origin}`,
      'Access-Control-Request-Method: POST',
      'Access-Control-Request-Headers: authorization, content-type, idempotency-key',
    ]);

  it('are let in nowhere by default', async () => {
    const gateway = await plain();
    const answer = await preflight(gateway, ORIGIN);
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('are let in where their origin is configured, and no other', async () => {
    const gateway = await start({ cors: { origins: [ORIGIN] } }, { auth: { callers: [caller.config] } });
    const { status, headers } = await preflight(gateway, ORIGIN);
    expect([status, headers['access-control-allow-origin']]).toEqual([204, ORIGIN]);
    expect(headers['access-control-allow-headers']?.toLowerCase()).toMatch(/authorization.*content-type.*idempotency-key/);
    // Cookies and the like are no credentials here.
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(headers['vary']).toMatch(/Origin/);
    for (const origin of ['https://evil.example', 'null', `${ORIGIN}.evil.example`, ORIGIN.toUpperCase()]) {
      const other = await preflight(gateway, origin);
      expect([origin, other.headers['access-control-allow-origin']]).toEqual([origin, undefined]);
    }
    const read = await get(gateway, 'localhost', '/clusters/main/users', `Origin: ${ORIGIN}`, `X-API-Key: ${caller.key}`);
    expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, ORIGIN]);
    expect(read.headers['access-control-expose-headers']).toMatch(/ETag.*Link/);
    // A cache that keeps it keeps it for this origin and this caller only.
    for (const name of ['Origin', 'Authorization', 'X-API-Key']) expect(read.headers['vary']?.split(/, */)).toContain(name);
    const refused = await get(gateway, 'localhost', '/clusters', `Origin: ${ORIGIN}`);
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
    expect((await sendRaw(gateway.url, ['OPTIONS * HTTP/1.1', 'Host: evil.example', `Origin: ${ORIGIN}`])).status).toBe(421);
  });
});

describe('headers of answers', () => {
  it('protect every one of them', async () => {
    const gateway = await start({}, { auth: { callers: [caller.config] } });
    const key = `X-API-Key: ${caller.key}`;
    for (const [target, ...headers] of [
      ['/healthz'],
      ['/clusters'],
      ['/clusters', key],
      ['/clusters/nothing', key],
      ['/clusters/main/users', key],
      ['/nothing'],
      ['/clusters/%zz', key],
      ['/clusters?x=1', key],
      ['/openapi.json'],
      ['/docs'],
      ['/docs/'],
      ['/docs/nothing'],
      ['/docs/swagger-ui.css'],
      ['/'],
      ['/problems/forbidden'],
    ] as const) {
      const answer = await get(gateway, 'localhost', target, ...headers);
      expect([target, answer.headers]).toEqual([target, expect.objectContaining(PROTECTION)]);
      expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none';/);
      expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(answer.headers['strict-transport-security']).toBeUndefined();
      expect(answer.headers['x-powered-by']).toBeUndefined();
      expect([target, answer.headers['cache-control']]).toEqual([
        target,
        target === '/clusters/main/users' ? 'private, no-cache' : 'no-store',
      ]);
    }
  });

  it('say that users differ by who asks', async () => {
    const proxy = { userHeader: 'X-User', from: ['127.0.0.1'], rights: [{ clusters: ['*'], verbs: ['read'] }] };
    const gateway = await start({}, { auth: { proxy } });
    for (const path of ['/clusters/main/users', '/clusters/main/users/plain', '/users/plain', '/clusters/main/users/nobody']) {
      const { headers } = await get(gateway, 'localhost', path, 'X-User: alice');
      expect([path, headers['cache-control'], headers['vary']]).toEqual([
        path,
        'private, no-cache',
        'Accept, Authorization, X-API-Key, X-User',
      ]);
    }
  });

  it('ask for https where browsers reach the gateway by it', async () => {
    const gateway = await start({ publicUrl: 'https://hpc.example.org' });
    const { headers } = await get(gateway, 'hpc.example.org');
    expect(headers['strict-transport-security']).toMatch(/^max-age=\d+$/);
  });
});

describe('a page of the gateway', () => {
  /** By directive. */
  const policyOf = ({ headers }: RawAnswer): Readonly<Record<string, string>> =>
    Object.fromEntries(
      (headers['content-security-policy'] ?? '').split(';').map((part) => {
        const [name = '', ...values] = part.trim().split(' ');
        return [name, values.join(' ')];
      }),
    );

  it('the documentation loads scripts, styles and pictures from the gateway alone, and all of them are there', async () => {
    const gateway = await plain();
    const page = await get(gateway, 'localhost', '/docs/');
    const policy = policyOf(page);
    expect(policy).toMatchObject({
      'default-src': "'none'",
      'script-src': "'self'",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
    });
    expect(policy['script-src']).not.toMatch(/unsafe|http|\*|data/);
    const html = page.text;
    const scripts = [...html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gi)];
    expect(scripts.length).toBeGreaterThan(1);
    for (const [, attributes = '', content = ''] of scripts) {
      expect(attributes).toMatch(/src="\.\/[\w.-]+"/);
      expect(content.trim()).toBe('');
    }
    // Inline handlers and URLs of scripts would be refused.
    expect(html).not.toMatch(/\son\w+\s*=\s*["']|javascript:/i);
    const loaded = [...html.matchAll(/(?:<script\b[^>]*\ssrc|<link\b[^>]*\shref|<img\b[^>]*\ssrc)="([^"]+)"/gi)].map(
      ([, url = '']) => url,
    );
    expect(loaded.length).toBeGreaterThan(3);
    for (const url of loaded) {
      expect(url).toMatch(/^\.\/[\w.-]+$/);
      expect([url, (await get(gateway, 'localhost', `/docs/${url.slice(2)}`)).status]).toEqual([url, 200]);
    }
    if (/<style|\sstyle=/.test(html)) expect(policy['style-src']).toContain("'unsafe-inline'");
  });

  it('that explains a problem has no script, and its style is let through', async () => {
    const page = await get(await plain(), 'localhost', '/problems/forbidden');
    const policy = policyOf(page);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.text).not.toMatch(/<script/i);
    expect(policy['script-src']).toBeUndefined();
    expect(page.text).toMatch(/\sstyle="/);
    expect(policy['style-src']).toBe("'unsafe-inline'");
  });

  it('does not repeat what was asked for as a page', async () => {
    const answer = await get(await plain(), 'localhost', '/problems/%3Cscript%3Ealert(1)%3C%2Fscript%3E');
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/problem+json; charset=utf-8']);
  });
});
