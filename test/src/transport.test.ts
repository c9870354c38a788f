/** What a failed call may have changed, decided by what happened on the socket. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../src/clock.js';
import { onAbort } from '../../src/deadline.js';
import { GatewayError } from '../../src/errors.js';
import { createHttpClient, type HttpResponse } from '../../src/vendor/client.js';
import { createVendorClock } from '../../src/vendor/clock.js';
import { createTransport, type TransportOptions } from '../../src/vendor/transport.js';
import { selfSigned } from '../support/certificate.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const portOf = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
};

const transportOf = (options: TransportOptions = {}) => {
  const transport = createTransport('test', options);
  cleanups.push(() => transport.close());
  return transport;
};
type Transport = ReturnType<typeof transportOf>;

const never = (): AbortSignal => new AbortController().signal;

const post = (transport: Transport, url: string, signal = never(), mayLeave?: () => boolean): Promise<HttpResponse> => {
  const request = { method: 'POST', url: `${url}/?password=hidden`, headers: {}, body: 'password=hidden' } as const;
  return transport({ ...request, ...(mayLeave && { mayLeave }) }, signal);
};

/** The failure of a call, which shows no URL and no body. */
const failureOf = async (call: Promise<unknown>): Promise<GatewayError> => {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof GatewayError)) throw new Error('The call did not fail with a GatewayError.');
  expect(JSON.stringify(failure) + String(failure.stack) + String(failure.cause)).not.toContain('hidden');
  return failure;
};

const NOT_CONNECTED = {
  code: 'vendor_unavailable',
  effect: 'none',
  retryable: true,
  message: expect.stringMatching(/could not connect .*Nothing was sent\.$/),
};
const OPEN = { code: 'vendor_unavailable', effect: 'open' };

describe('a request that was not sent', () => {
  it('to a closed port', async () => {
    const server = createTcpServer();
    const port = await portOf(server);
    await cleanups.pop()?.();
    expect(await failureOf(post(transportOf(), `http://127.0.0.1:${port}`))).toMatchObject(NOT_CONNECTED);
    expect(await failureOf(post(transportOf(), `https://127.0.0.1:${port}`))).toMatchObject(NOT_CONNECTED);
  });

  it('to a server whose certificate is not trusted, which sees no byte of it', async () => {
    const seen: string[] = [];
    const server = createHttpsServer(selfSigned(), (request, response) => {
      seen.push(request.url ?? '');
      response.end();
    });
    server.on('secureConnection', (socket: Socket) => socket.on('data', (data) => seen.push(data.toString('latin1'))));
    const port = await portOf(server);
    const transport = transportOf();
    for (let attempt = 0; attempt < 10; attempt++)
      expect(await failureOf(post(transport, `https://127.0.0.1:${port}`))).toMatchObject(NOT_CONNECTED);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toEqual([]);
  });

  it('to a server that does not speak TLS', async () => {
    const port = await portOf(createHttpServer((_, response) => void response.end()));
    expect(await failureOf(post(transportOf(), `https://127.0.0.1:${port}`))).toMatchObject(NOT_CONNECTED);
  });

  it('to a server that hangs up in the TLS handshake', async () => {
    const server = createTcpServer((socket) => void socket.once('data', () => socket.destroy()));
    const port = await portOf(server);
    expect(await failureOf(post(transportOf(), `https://127.0.0.1:${port}`))).toMatchObject(NOT_CONNECTED);
  });

  it('to a server that accepts and never answers the TLS handshake', async () => {
    const port = await portOf(createTcpServer());
    const failure = await failureOf(post(transportOf({ connectMs: 100 }), `https://127.0.0.1:${port}`));
    expect(failure).toMatchObject({ ...NOT_CONNECTED, message: expect.stringContaining('in 0.1 s. Nothing was sent.') });
  });

  it('whose caller, or whose own deadline, gave up before it was connected', async () => {
    const port = await portOf(createTcpServer());
    const url = `https://127.0.0.1:${port}`;
    const late = { code: 'vendor_timeout', effect: 'none', message: expect.stringContaining('Nothing was sent.') };
    expect(await failureOf(post(transportOf(), url, AbortSignal.abort()))).toMatchObject(late);
    expect(await failureOf(post(transportOf(), url, AbortSignal.timeout(50)))).toMatchObject(late);
    expect(await failureOf(post(transportOf({ callMs: 50 }), url))).toMatchObject(late);
  });

  it('because it could not be written', async () => {
    const transport = transportOf();
    const unsendable = transport({ method: 'GET', url: 'http://127.0.0.1:1/', headers: { 'bad name': 'x' } }, never());
    expect(await failureOf(unsendable)).toMatchObject({ code: 'internal_error', effect: 'none' });
  });

  it('because it could not be built', async () => {
    const client = createHttpClient(transportOf(), createVendorClock(systemClock), systemClock);
    const build = () =>
      ({ method: 'GET', url: `http://127.0.0.1:1/${encodeURIComponent('\ud800')}`, headers: {}, secrets: [] }) as const;
    const failure = await failureOf(
      client.send(build, () => 'ok', { kind: 'write', action: 'Act', call: { requestId: 'r', signal: never() } }),
    );
    expect(failure).toMatchObject({ code: 'internal_error', effect: 'none' });
  });
});

describe('a request that may have arrived', () => {
  const serve = async (listener: RequestListener): Promise<string> =>
    `http://127.0.0.1:${await portOf(createHttpServer({ keepAliveTimeout: 60_000 }, listener))}`;

  it('whose connection was reset after it was read', async () => {
    const url = await serve((request) => {
      request.resume();
      request.on('end', () => request.socket.resetAndDestroy());
    });
    expect(await failureOf(post(transportOf(), url))).toMatchObject(OPEN);
  });

  it('on a reused connection that was reset', async () => {
    const ports = new Set<number | undefined>();
    let answered = 0;
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      if (answered++ === 0) response.end('ok');
      else request.socket.resetAndDestroy();
    });
    const transport = transportOf();
    expect((await post(transport, url)).body).toBe('ok');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await failureOf(post(transport, url))).toMatchObject(OPEN);
    expect(ports.size).toBe(1);
  });

  it('over TLS, where the certificate is trusted', async () => {
    const pair = selfSigned();
    let answered = 0;
    const server = createHttpsServer(pair, (request, response) => {
      if (answered++ === 0) response.end('ok');
      else request.socket.destroy();
    });
    const url = `https://localhost:${await portOf(server)}`;
    const transport = transportOf({ ca: pair.cert });
    expect((await post(transport, url)).body).toBe('ok');
    expect(await failureOf(post(transport, url))).toMatchObject(OPEN);
  });

  const LATE = { code: 'vendor_timeout', effect: 'open' };
  const CALL_MS = 30_000;
  /** A clock on which a call is late as soon as `late` says so. */
  const clockOf = (late: AbortSignal): Clock => ({
    ...systemClock,
    after: (ms, act) => (ms === CALL_MS ? onAbort(late, act) : systemClock.after(ms, act)),
  });

  it('without an answer before the deadline of the caller, or of the call', async () => {
    let late = new AbortController();
    const url = await serve(() => late.abort());
    expect(await failureOf(post(transportOf(), url, late.signal))).toMatchObject(LATE);
    late = new AbortController();
    expect(await failureOf(post(transportOf({ clock: clockOf(late.signal), callMs: CALL_MS }), url))).toMatchObject({
      ...LATE,
      message: 'The vendor did not answer in 30 s.',
    });
  });

  it('whose answer drips: a call ends by its own deadline', async () => {
    const late = new AbortController();
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '1000000' });
      let drops = 0;
      const drip = setInterval(() => {
        response.write(' ');
        if (++drops === 5) late.abort();
      }, 5);
      response.on('close', () => clearInterval(drip));
    });
    const dripping = post(transportOf({ clock: clockOf(late.signal), callMs: CALL_MS }), url);
    expect(await failureOf(dripping)).toMatchObject(LATE);
  });
});

describe('the right to send', () => {
  const HELD_BACK = { code: 'vendor_unavailable', effect: 'none', retryable: true };

  /** Counts the bytes of requests, and answers each that has arrived. */
  const answering = async (secure: boolean) => {
    const seen: string[] = [];
    const listener: RequestListener = (request, response) => {
      seen.push(request.url ?? '');
      response.end('{}');
    };
    const server = secure ? createHttpsServer(selfSignedOnce, listener) : createHttpServer(listener);
    const bytes = { count: 0 };
    server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) =>
      socket.on('data', (data) => {
        bytes.count += data.length;
      }),
    );
    const url = `${secure ? 'https://localhost' : 'http://127.0.0.1'}:${await portOf(server)}`;
    return { url, seen, bytes };
  };
  const selfSignedOnce = selfSigned();

  it.each([
    ['HTTP', false],
    ['TLS', true],
  ] as const)('that is lost while the connection is made lets no byte of the request pass: %s', async (_, secure) => {
    const { url, bytes } = await answering(secure);
    const transport = transportOf({ ca: selfSignedOnce.cert });
    let asked = 0;
    const isOpen = (): boolean => {
      asked++;
      return false;
    };
    expect(await failureOf(post(transport, url, never(), isOpen))).toMatchObject(HELD_BACK);
    expect([asked, bytes.count]).toEqual([1, 0]);
  });

  it.each([
    ['HTTP', false],
    ['TLS', true],
  ] as const)(
    'that was lost lets no byte pass on a connection that is used again, and is asked for each request: %s',
    async (_, secure) => {
      const { url, seen, bytes } = await answering(secure);
      const transport = transportOf({ ca: selfSignedOnce.cert });
      let isOpen = true;
      const send = () => post(transport, url, never(), () => isOpen);
      await send();
      await send();
      const before = bytes.count;
      isOpen = false;
      expect(await failureOf(send())).toMatchObject(HELD_BACK);
      expect([seen.length, bytes.count]).toEqual([2, before]);
      isOpen = true;
      expect((await send()).status).toBe(200);
      // What needs no such right is not held back.
      isOpen = false;
      expect((await post(transport, url)).status).toBe(200);
    },
  );
});
