/** What strangers decide about has an end: connections, requests in flight, bytes, time. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createEncryptor } from '../../src/store/encryptor.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { storeUnavailable } from '../../src/store/store.js';
import { bothVendors, configOver } from '../support/both-vendors.js';
import { makeCaller, type TestCaller } from '../support/callers.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const stage = bothVendors();
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const gatewayWith = async (settings: object, server: object = {}): Promise<TestGateway> => {
  const raw = configOver(stage);
  const gateway = await startGateway({ ...raw, ...settings, server: { ...raw.server, ...server } });
  cleanups.push(() => gateway.stop());
  return gateway;
};

/** A connection that takes down what comes. */
const dial = async ({ url }: TestGateway) => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  let isClosed = false;
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
  });
  cleanups.push(() => void socket.destroy());
  await once(socket, 'connect');
  return { socket, received: () => received, isClosed: () => isClosed };
};

const request = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
const countOf = (text: string, part: string): number => text.split(part).length - 1;
const serves = async (gateway: TestGateway): Promise<number> => (await gateway.get('/healthz')).status;

describe('a connection', () => {
  it('has its answers in order, up to sixteen requests at once, and then ends', async () => {
    const gateway = await gatewayWith({});
    const { socket, received, isClosed } = await dial(gateway);
    socket.write(request('/healthz').repeat(40));
    await until(isClosed);
    expect(countOf(received(), 'HTTP/1.1 200')).toBe(16);
    expect(await serves(gateway)).toBe(200);
  });

  it('is cut at once with far more of them: nothing of them is kept', async () => {
    const gateway = await gatewayWith({}, { answerSeconds: 600 });
    stage.ehpc.inject({ kind: 'delay', delayMs: 60_000, action: 'ListUsers', times: -1 });
    const { socket, received, isClosed } = await dial(gateway);
    socket.write(request('/clusters/ali/users').repeat(1_400));
    await until(isClosed);
    expect([received(), await serves(gateway)]).toEqual(['', 200]);
  });

  it('may be used for many requests, one after the other', async () => {
    const gateway = await gatewayWith({});
    const { socket, received } = await dial(gateway);
    for (let sent = 1; sent <= 50; sent++) {
      socket.write(request('/healthz'));
      await until(() => countOf(received(), 'HTTP/1.1 200') === sent);
    }
  });

  it('is cut when its answers are not taken, and others are served meanwhile', async () => {
    const gateway = await gatewayWith({}, { answerSeconds: 0.5 });
    const { socket } = await dial(gateway);
    socket.pause();
    socket.write(request('/docs/swagger-ui-bundle.js').repeat(16));
    expect(await serves(gateway)).toBe(200);
    await until(() => gateway.logged().includes('"aborted":true'));
  });

  it('makes room for a new one when it is idle, the one that is so for longest first', async () => {
    const gateway = await gatewayWith({ limits: { maxConnections: 5 } });
    const all = [];
    for (let opened = 0; opened < 5; opened++) all.push(await dial(gateway));
    const [first, ...others] = all as [Awaited<ReturnType<typeof dial>>, ...Awaited<ReturnType<typeof dial>>[]];
    first.socket.write(request('/healthz'));
    await until(() => first.received().includes('200 OK'));
    const more = await dial(gateway);
    more.socket.write(request('/healthz'));
    await until(() => more.received().includes('200 OK'));
    expect([first, ...others].map(({ isClosed }) => isClosed())).toEqual([false, true, false, false, false]);
  });

  it('is refused when all others are busy', async () => {
    const gateway = await gatewayWith({ limits: { maxConnections: 3 } });
    stage.ehpc.inject({ kind: 'delay', delayMs: 60_000, action: 'ListUsers', times: -1 });
    for (let opened = 0; opened < 3; opened++) {
      const { socket } = await dial(gateway);
      const before = stage.ehpc.calls.length;
      socket.write(request('/clusters/ali/users'));
      await until(() => stage.ehpc.calls.length > before);
    }
    const { isClosed } = await dial(gateway);
    await until(isClosed);
  });
});

describe("Node's own refusals are problem documents", () => {
  const answerTo = async (text: string, server: object = {}) => {
    const gateway = await gatewayWith({}, server);
    const { socket, received, isClosed } = await dial(gateway);
    socket.write(text);
    await until(isClosed);
    const [head = '', body = ''] = received().split('\r\n\r\n');
    return { head, problem: JSON.parse(body) as Record<string, unknown> };
  };

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400, 'invalid_request'],
    ['no Host', 'GET /healthz HTTP/1.1\r\nContent-Length: x\r\n\r\n', 400, 'invalid_request'],
    ['headers of 20 KB', request('/healthz', `X: ${'x'.repeat(20_000)}\r\n`), 431, 'headers_too_large'],
    ['a URL of 60 KB', request(`/healthz?${'x'.repeat(60_000)}`), 431, 'headers_too_large'],
  ])('%s', async (_, text, status, code) => {
    const { head, problem } = await answerTo(text);
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('Content-Type: application/problem+json');
    expect(problem).toMatchObject({ status, code, type: `/problems/${code}` });
    expect(head).toContain(`X-Request-Id: ${problem['requestId']}`);
  });

  it('a request that does not arrive in time', async () => {
    const { problem } = await answerTo('GET /healthz HTTP/1.1\r\nHost: ', { sendSeconds: 0.2 });
    expect(problem).toMatchObject({ status: 408, code: 'request_timeout', retryable: true });
  });

  it('a body that does not arrive in time', async () => {
    const head =
      'POST /clusters/ali/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
    const { problem } = await answerTo(head, { sendSeconds: 0.2 });
    expect(problem).toMatchObject({ status: 408, code: 'request_timeout' });
  });
});

describe('requests in flight', () => {
  const hang = (): void => void stage.ehpc.inject({ kind: 'delay', delayMs: 60_000, action: 'ListUsers', times: -1 });
  const ask = async (gateway: TestGateway, caller?: TestCaller): Promise<Socket> => {
    const { socket } = await dial(gateway);
    const before = stage.ehpc.calls.length;
    socket.write(request('/clusters/ali/users', caller ? `X-API-Key: ${caller.key}\r\n` : ''));
    await until(() => stage.ehpc.calls.length > before);
    return socket;
  };

  it('are bounded, and probes are not', async () => {
    const gateway = await gatewayWith({ limits: { maxRequestsInFlight: 2 } });
    hang();
    const [first] = [await ask(gateway), await ask(gateway)];
    const { status, body, headers } = await gateway.get('/operations');
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'too_busy', '1']);
    expect([await serves(gateway), (await gateway.get('/readyz')).status]).toEqual([200, 200]);
    first.destroy();
    await until(async () => (await gateway.get('/operations')).status === 200);
  });

  it('of one caller leave half of the places to others', async () => {
    const [one, two, wide] = [
      makeCaller('one'),
      makeCaller('two'),
      makeCaller('wide', undefined, { limits: { maxRequestsInFlight: 3 } }),
    ];
    const gateway = await gatewayWith({
      limits: { maxRequestsInFlight: 4 },
      auth: { callers: [one.config, two.config, wide.config] },
    });
    hang();
    await ask(gateway, one);
    await ask(gateway, one);
    const by = async ({ headers }: TestCaller) => (await gateway.request('GET', '/operations', { headers })).status;
    expect([await by(one), await by(two), await by(wide)]).toEqual([503, 200, 200]);
    await ask(gateway, wide);
    expect(await by(wide)).toBe(200);
  });

  it('without a caller have places of their own', async () => {
    const one = makeCaller('one');
    const gateway = await gatewayWith(
      { limits: { maxRequestsInFlight: 1 }, auth: { callers: [one.config] } },
      { answerSeconds: 60 },
    );
    // Of each connection, one request is at work.
    for (let opened = 0; opened < 70; opened++) {
      const { socket } = await dial(gateway);
      socket.pause();
      socket.write(request('/docs/swagger-ui-bundle.js').repeat(16));
    }
    await until(async () => (await gateway.get('/openapi.json')).status === 503, undefined, 100);
    expect((await gateway.request('GET', '/operations', { headers: one.headers })).status).toBe(200);
  });

  it('are refused before their body is read, and the connection ends', async () => {
    const gateway = await gatewayWith({ auth: { callers: [makeCaller('one').config] } });
    const { socket, received, isClosed } = await dial(gateway);
    socket.write(
      'POST /clusters/ali/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{',
    );
    await until(isClosed);
    expect(received()).toMatch(/^HTTP\/1\.1 401 /);
    expect(received()).toMatch(/^connection: close/im);
  });
});

describe('requests of a caller', () => {
  it('are counted, and refused beyond their quota', async () => {
    const [one, two] = [makeCaller('one'), makeCaller('two', undefined, { limits: { requestsPerCallerPerMinute: 5 } })];
    const gateway = await gatewayWith({ limits: { requestsPerCallerPerMinute: 3 }, auth: { callers: [one.config, two.config] } });
    const by = ({ headers }: TestCaller, path = '/operations') => gateway.request('GET', path, { headers });
    const first = await by(one);
    expect(first.headers.get('ratelimit-policy')).toBe('"caller";q=3;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"caller";r=2;t=\d+$/);
    await by(one, '/clusters/ali/users/nobody');
    await by(one);
    const { status, body, headers } = await by(one);
    expect([status, body.code]).toEqual([429, 'caller_rate_limited']);
    expect(headers.get('ratelimit')).toMatch(/^"caller";r=0;t=\d+$/);
    const wait = Number(headers.get('retry-after'));
    expect([wait > 0, wait <= 60]).toEqual([true, true]);
    expect((await by(two)).headers.get('ratelimit-policy')).toBe('"caller";q=5;w=60');
    expect(await serves(gateway)).toBe(200);
  });

  it('are not counted where nobody is asked who they are', async () => {
    const gateway = await gatewayWith({ limits: { requestsPerCallerPerMinute: 1 } });
    for (let sent = 0; sent < 3; sent++) {
      const { status, headers } = await gateway.get('/operations');
      expect([status, headers.has('ratelimit')]).toEqual([200, false]);
    }
  });
});

describe('bodies', () => {
  const post = (raw: string) =>
    stage.gateway.request('POST', '/clusters/ali/users/batch', { raw, headers: { 'content-type': 'application/json' } });

  it.each([
    ['nested', '['.repeat(17), 'is nested deeper than 16 levels', ''],
    ['nested behind a text that ends in a backslash', `{"a":"\\\\","b":${'['.repeat(16)}`, 'is nested deeper than 16 levels', ''],
    ['of many members', `{${Array.from({ length: 10_001 }, (_, at) => `"k${at}":0`).join()}}`, 'has more than 20,000 values', ''],
    ['of many items', `{"items":[${'{},'.repeat(30_000)}{}]}`, 'must have at most 1000 items', '/items'],
  ])('%s are refused before they are parsed', async (_, raw, message, pointer) => {
    const { status, body } = await post(raw);
    expect([status, body.errors]).toEqual([400, [{ pointer, message }]]);
  });

  it('may have brackets, commas and quotes in texts', async () => {
    const odd = `\\"${'[{,:'.repeat(6_000)}\\"\\\\`;
    const { status, body } = await post(`{"items":[{"op":"delete","username":"${odd}"}]}`);
    expect([status, body.errors[0].message]).toEqual([400, 'must have at most 255 characters']);
  });

  it('with long names get a short answer', async () => {
    const { status, text } = await post(`{"${'a'.repeat(900_000)}":1}`);
    expect([status, text.length < 2_000]).toEqual([400, true]);
  });
});

it('lines of the log that strangers cause are bounded, and counted', async () => {
  const gateway = await gatewayWith({ auth: { callers: [makeCaller('one').config] } });
  const from = performance.now();
  await Promise.all(Array.from({ length: 200 }, () => gateway.get('/operations')));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await gateway.get('/operations');
  const lines = gateway
    .logged()
    .split('\n')
    .filter((line) => line.includes('"code":"unauthenticated"'));
  // Twenty in each second that it took, the ones in which it began and ended included.
  expect(lines.length).toBeLessThanOrEqual(20 * (Math.ceil((performance.now() - from) / 1_000) + 1));
  const suppressed = lines.map((line) => (JSON.parse(line) as { suppressed?: number }).suppressed ?? 0);
  expect(lines.length + suppressed.reduce((sum, count) => sum + count, 0)).toBe(201);
});

it('a store that is not available is no news for strangers: the log has the reason', async () => {
  const broken = { ...createMemoryStore(), check: () => Promise.reject(storeUnavailable('is a standby: process 7 on host-9')) };
  const opened = { store: broken, encryptor: createEncryptor(Buffer.alloc(32)) };
  const raw = configOver(stage);
  for (const [more, isShown] of [
    [{}, true],
    [{ auth: { callers: [makeCaller('one').config] } }, false],
  ] as const) {
    const gateway = await startGateway({ ...raw, ...more }, { opened });
    cleanups.push(() => gateway.stop());
    const { status, body } = await gateway.get('/readyz');
    expect([status, body.code, body.detail.includes('host-9')]).toEqual([503, 'store_unavailable', isShown]);
    expect((await gateway.get('/readyz?exclude=store')).status).toBe(200);
    expect((await gateway.get('/readyz?exclude=vendors')).body).toMatchObject({ errors: [{ pointer: '/query/exclude' }] });
  }
});

it('many who ask whether it is ready make one check of the store', async () => {
  let checks = 0;
  let finish = (): void => undefined;
  const check = (): Promise<void> => {
    checks++;
    return new Promise((resolve) => {
      finish = resolve;
    });
  };
  const opened = { store: { ...createMemoryStore(), check }, encryptor: createEncryptor(Buffer.alloc(32)) };
  const gateway = await startGateway(configOver(stage), { opened });
  cleanups.push(() => gateway.stop());
  const before = checks;
  const asking = Promise.all(Array.from({ length: 30 }, () => gateway.get('/readyz')));
  await until(() => checks > before);
  // All others have come by now.
  for (let asked = 0; asked < 5; asked++) await gateway.get('/healthz');
  finish();
  expect((await asking).every(({ status }) => status === 200)).toBe(true);
  expect(checks - before).toBe(1);
});

describe('a CSV', () => {
  const post = (raw: string) =>
    stage.gateway.request('POST', '/clusters/ali/users/batch?dryRun=true', { raw, headers: { 'content-type': 'text/csv' } });
  const errorsOf = async (raw: string) => (await post(raw)).body.errors;
  const MANY = [{ pointer: '/items', message: 'must have at most 1000 items' }];

  it('has bounded lines, in number and in length', async () => {
    const line = (length: number): string => `username\n"${'x'.repeat(length - 2)}"\n`;
    expect((await errorsOf(line(8_192)))[0].pointer).toBe('/items/0/password');
    expect(await errorsOf(line(8_193))).toEqual([{ pointer: '', message: 'has a line of more than 8,192 characters' }]);
    expect(await errorsOf(`username\n${'\r\n'.repeat(50_000)}`)).toEqual([
      { pointer: '', message: 'has more than 20,000 lines' },
    ]);
    expect(await errorsOf(`username\n${'x\r\n'.repeat(50_000)}`)).toEqual(MANY);
    expect(await errorsOf(`username\n${'x\n'.repeat(1_001)}`)).toEqual(MANY);
  });
});

it('callers who leave do not close the account for all others', async () => {
  const gateway = await gatewayWith({});
  stage.ehpc.inject({ kind: 'delay', delayMs: 60_000, action: 'ListUsers', times: 30 });
  for (let left = 0; left < 30; left++) {
    const { socket } = await dial(gateway);
    const before = stage.ehpc.calls.length;
    socket.write(request('/clusters/ali/users'));
    await until(() => stage.ehpc.calls.length > before);
    socket.destroy();
  }
  await until(() => (gateway.logged().match(/"aborted":true/g) ?? []).length >= 30);
  expect((await gateway.get('/clusters/ali/users?limit=1')).status).toBe(200);
});
