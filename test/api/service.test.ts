import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Logger } from 'pino';
import { createApp } from '../../api/app.js';
import { loadContract } from '../../api/rest/contract.js';
import { readDocument } from '../../api/rest/document.js';
import type { Handlers } from '../../api/rest/operations.js';
import { PROBLEM_TYPES } from '../../api/rest/problem.js';
import { createRouter, type RouterDeps } from '../../api/rest/router.js';
import { ANYBODY } from '../../src/callers/caller.js';
import { createEvents } from '../../src/telemetry/events.js';
import { createTraces } from '../../src/telemetry/trace.js';
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

describe('the service itself', () => {
  it('is alive and ready', async () => {
    expect((await gateway.get('/healthz')).body).toEqual({ status: 'ok' });
    expect((await gateway.get('/readyz')).body).toEqual({ status: 'ok' });
  });

  it('lists its vendors', async () => {
    const { body } = await gateway.get('/vendors');
    expect(body.items.map(({ name }: { name: string }) => name)).toEqual(['alibaba-ehpc', 'shanhe-hpc', 'memory']);
  });

  it('serves the contract as it stands in openapi.yaml', async () => {
    const { body } = await gateway.get('/openapi.json');
    // With a cluster that is there, so that its requests work as they stand.
    const { example, ...parameter } = body.components.parameters.ClusterId;
    expect(example).toBe('main');
    body.components.parameters.ClusterId = parameter;
    expect(body).toEqual(readDocument());
    expect(body.openapi).toMatch(/^3\.1/);
  });

  it('serves it as it is written, too', async () => {
    const { text, headers } = await gateway.get('/openapi.yaml');
    expect(headers.get('content-type')).toBe('application/yaml; charset=utf-8');
    expect(text).toBe(readFileSync('openapi.yaml', 'utf8'));
  });

  it('serves a twin for generators of OpenAPI 3.0, with the same operations', async () => {
    const { body } = await gateway.get('/openapi-3.0.json');
    const operationsIn = (document: { paths: object }): string[] =>
      Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item as object).map((method) => `${method} ${path}`));
    expect(body.openapi).toBe('3.0.3');
    expect(operationsIn(body)).toEqual(operationsIn(readDocument()));
    // A method of a generated client has one type of answer.
    const writes = ['post', 'put', 'patch', 'delete'];
    for (const item of Object.values(body.paths as Record<string, Record<string, { responses: object }>>))
      for (const method of writes.filter((one) => item[one])) {
        const successes = Object.keys(item[method]?.responses ?? {}).filter((status) => status.startsWith('2'));
        expect([['200'], ['201'], ['202'], ['204'], ['200', '201']]).toContainEqual(successes);
      }
    // What 3.0 does not have.
    expect(JSON.stringify(body)).not.toMatch(/"const":|"type":\[|"type":"null"|"examples":\[/);
  });

  it('does not say what it is built with', async () => {
    expect((await gateway.get('/healthz')).headers.get('x-powered-by')).toBeNull();
  });
});

describe('/docs', () => {
  it('shows Swagger UI for /openapi.json, from the gateway alone', async () => {
    const { status, headers } = await gateway.get('/docs');
    expect([status, headers.get('location')]).toEqual([302, '/docs/']);
    const page = await (await fetch(`${gateway.url}/docs/`)).text();
    expect(page).toContain('swagger-ui');
    const assets = [...page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, asset]) => asset);
    expect(assets).toContain('swagger-ui-bundle.js');
    for (const asset of assets) expect([asset, (await fetch(`${gateway.url}/docs/${asset}`)).status]).toEqual([asset, 200]);
    const init = await (await fetch(`${gateway.url}/docs/swagger-ui-init.js`)).text();
    // Nothing but the document itself knows where it is served.
    expect([init.includes('"../openapi.json"'), init.includes('"openapi"')]).toEqual([true, false]);
    expect((await fetch(`${gateway.url}/docs/swagger-initializer.js`)).status).toBe(404);
    const index = await fetch(`${gateway.url}/docs/index.html`, { redirect: 'manual' });
    expect([index.status, index.headers.get('location')]).toEqual([302, '/docs/']);
    // Requests cannot be sent from it, unless that is configured.
    expect(init).toMatch(/"tryItOutEnabled": false/);
    expect(init).toMatch(/"supportedSubmitMethods": \[\]/);
    expect((await fetch(`${gateway.url}/docs/nothing.js`)).status).toBe(404);
    for (const [method, path] of [
      ['DELETE', '/docs/'],
      ['POST', '/docs/swagger-ui-init.js'],
      ['GET', '/docs/package.json'],
    ] as const) {
      const answer = await fetch(`${gateway.url}${path}`, { method });
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
        path,
        404,
        expect.stringMatching(/^application\/problem\+json/),
      ]);
    }
    expect(`${page}${init}`).not.toMatch(/https?:\/\/(?!127\.0\.0\.1|www\.w3\.org)/);
  });
});

it('the documentation can be switched off', async () => {
  const quiet = await startGateway({ ...live.raw, server: { docs: { enabled: false } } });
  expect([(await quiet.get('/docs')).status, (await fetch(`${quiet.url}/docs/`)).status]).toEqual([404, 404]);
  const root = await fetch(quiet.url, { headers: { accept: 'text/html' }, redirect: 'manual' });
  expect(root.headers.get('location')).toBe('/openapi.json');
  expect(await (await fetch(`${quiet.url}/problems/not_found`)).text()).toContain('href="../openapi.json"');
  await quiet.stop();
});

describe('the document', () => {
  it('names parameters at each operation: Swagger UI shows referenced ones of a path as unnamed fields', () => {
    for (const [path, item] of Object.entries(readDocument().paths)) expect([path, 'parameters' in item]).toEqual([path, false]);
  });
});

describe('/problems', () => {
  it('has a page for every code of the contract', async () => {
    const { body } = await gateway.get('/openapi.json');
    expect(Object.keys(PROBLEM_TYPES).sort()).toEqual([...body.components.schemas.ErrorCode.enum].sort());
    for (const [code, { title, status }] of Object.entries(PROBLEM_TYPES)) {
      const page = await gateway.get(`/problems/${code}`);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(page.text).toContain(`HTTP ${status}`);
      expect(page.text).toContain(title);
    }
  });

  it('knows no others', async () => {
    for (const code of ['nothing', '__proto__', 'constructor', '%3Cscript%3E']) {
      const { status, headers } = await gateway.get(`/problems/${code}`);
      expect([code, status, headers.get('x-content-type-options')]).toEqual([code, 404, 'nosniff']);
      expect(headers.get('content-type')).toContain('application/problem+json');
    }
  });
});

describe('the contract and the handlers', () => {
  const handlers = Object.fromEntries(
    Object.values(readDocument().paths).flatMap((item) =>
      Object.values(item)
        .filter(
          (operation): operation is { operationId: string } =>
            typeof operation === 'object' && operation !== null && 'operationId' in operation,
        )
        .map(({ operationId }) => [operationId, () => ({ status: 200 })]),
    ),
  );

  const routed = (own: object): RouterDeps => ({
    handlers: own as Handlers,
    idempotency: {} as never,
    operations: {} as never,
    replyTo: () => ({ status: 200 }),
    deadlineMs: 1000,
    guard: () => (_request, _response, next) => next(),
    shares: (_share, work) => work(),
    report: () => undefined,
    vary: '',
  });

  it('start only when every operation has its handler', () => {
    const { listUsers: _, ...rest } = handlers;
    expect(() => createRouter(loadContract().operations, routed(rest))).toThrow('without a handler: listUsers');
  });

  it('start only when every handler has its operation', () => {
    const more = { ...handlers, renameUser: () => ({ status: 200 }) };
    expect(() => createRouter(loadContract().operations, routed(more))).toThrow(
      'without an operation in openapi.yaml: renameUser',
    );
  });
});

describe('faults of the gateway itself', () => {
  it('are 500 without their text; the log has it', async () => {
    const entries: unknown[] = [];
    const log = { warn: () => undefined } as unknown as Logger;
    const broken = new Proxy(
      {},
      {
        get: () => () => {
          throw new Error('a secret detail');
        },
      },
    ) as never;
    const app = createApp({
      clusters: broken,
      accounts: broken,
      metrics: broken,
      events: createEvents(),
      traces: createTraces(false),
      users: broken,
      commands: broken,
      operations: broken,
      idempotency: broken,
      audit: broken,
      store: broken,
      authenticate: async () => ({ caller: ANYBODY }),
      rate: async () => undefined,
      maxRequestsInFlight: 1,
      hosts: { host: '127.0.0.1', publicUrl: undefined, allowedHosts: [] },
      origins: [],
      isHttps: false,
      userHeader: undefined,
      docs: { enabled: true, tryItOut: false },
      publicUrl: undefined,
      trustProxy: [],
      isDemo: false,
      isOpen: false,
      exampleCluster: undefined,
      log,
      report: (fault) => entries.push(fault),
      deadlineMs: 1000,
      now: Date.now,
      isStopping: () => false,
    });
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const response = await fetch(`http://127.0.0.1:${port}/clusters`);
    const text = await response.text();
    expect([response.status, JSON.parse(text).code]).toEqual([500, 'internal_error']);
    expect(text).not.toMatch(/secret detail|\.[jt]s:/);
    expect(entries).toHaveLength(1);
    await new Promise((resolve) => server.close(resolve));
  });
});
