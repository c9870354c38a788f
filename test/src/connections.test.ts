/** Connections to vendors: as many as calls, and none that outlives what it is for. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/errors.js';
import { Secret } from '../../src/secret.js';
import { createTransport, type TransportOptions } from '../../src/vendor/transport.js';
import { until } from '../support/wait.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that handles each connection as given, and what there is of them. */
const listening = async (serve: (socket: Socket) => void, host = '127.0.0.1') => {
  const open = new Set<Socket>();
  const seen = { connections: 0, text: '' };
  const server: Server = createServer((socket) => {
    seen.connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      seen.text += data.toString('latin1');
    });
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  cleanups.push(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, open, seen };
};

const callOver = (options: TransportOptions = {}) => {
  const transport = createTransport('test', options);
  cleanups.push(() => transport.close());
  return (url: string, signal = new AbortController().signal, mayLeave?: () => boolean) =>
    transport({ method: 'POST', url, headers: {}, body: '{}', ...(mayLeave && { mayLeave }) }, signal);
};

const failureOf = async (call: Promise<unknown>): Promise<GatewayError> => {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof GatewayError)) throw new Error('The call did not fail with a GatewayError.');
  return failure;
};

const NOTHING_SENT = { code: 'vendor_unavailable', effect: 'none' };
const HANGS = (): void => undefined;
const ANSWERS = (socket: Socket): void =>
  void socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'));
/** Time for what should not happen. */
const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

describe('a proxy', () => {
  it.each([
    ['hangs up', (socket: Socket) => void socket.once('data', () => socket.end())],
    ['says 100 Continue', (socket: Socket) => void socket.once('data', () => socket.end('HTTP/1.1 100 Continue\r\n\r\n'))],
  ])('that %s in place of a tunnel is asked once', async (_, serve) => {
    const { port, seen } = await listening(serve);
    const call = callOver({ proxy: new Secret(`http://127.0.0.1:${port}`) });
    expect(await failureOf(call('https://vendor.example.com'))).toMatchObject(NOTHING_SENT);
    await aMoment();
    expect(seen.connections).toBe(1);
  });

  it('that never answers keeps no connection', async () => {
    const { port, open } = await listening(HANGS);
    for (const scheme of ['http', 'https']) {
      const call = callOver({ proxy: new Secret(`${scheme}://127.0.0.1:${port}`), connectMs: 50 });
      const failures = await Promise.all([1, 2, 3].map(() => failureOf(call('https://vendor.example.com'))));
      for (const failure of failures) expect(failure).toMatchObject(NOTHING_SENT);
      await until(() => open.size === 0);
    }
  });

  it('is asked for an address of IPv6 in brackets (RFC 9110, section 9.3.6)', async () => {
    const { port, seen } = await listening((socket) => void socket.once('data', () => socket.end()));
    const call = callOver({ proxy: new Secret(`http://127.0.0.1:${port}`) });
    await failureOf(call('https://[2001:db8::1]:8443'));
    expect(seen.text).toMatch(/^CONNECT \[2001:db8::1\]:8443 HTTP\/1\.1\r\n/);
  });
});

describe('a call', () => {
  it('that is given up while its connection is made leaves none', async () => {
    // It accepts, and never shakes hands.
    const { port, open, seen } = await listening(HANGS);
    // Longer than a test may take: it is not this bound that ends them.
    const call = callOver({ connectMs: 600_000 });
    for (let round = 0; round < 5; round++)
      await Promise.all([1, 2, 3].map(() => failureOf(call(`https://127.0.0.1:${port}`, AbortSignal.timeout(30)))));
    await until(() => open.size === 0);
    expect(seen.connections).toBeLessThanOrEqual(15);
  });

  it('that is given up while it is answered opens no other connection', async () => {
    const { port, open, seen } = await listening(HANGS);
    const call = callOver();
    const given = { code: 'vendor_timeout', effect: 'open' };
    for (let round = 0; round < 3; round++) {
      const left = new AbortController();
      const failing = failureOf(call(`http://127.0.0.1:${port}`, left.signal));
      await until(() => seen.connections === round + 1 && seen.text.split('POST').length === round + 2);
      left.abort();
      expect(await failing).toMatchObject(given);
    }
    await until(() => open.size === 0);
    await aMoment();
    expect(seen.connections).toBe(3);
  });

  it('that may not leave says so on a connection that stands, too', async () => {
    const { port, seen } = await listening(ANSWERS);
    const call = callOver();
    await call(`http://127.0.0.1:${port}`);
    const before = seen.text;
    for (let round = 0; round < 3; round++)
      expect(await failureOf(call(`http://127.0.0.1:${port}`, undefined, () => false))).toMatchObject(NOTHING_SENT);
    expect(seen.text).toBe(before);
  });

  it('reads an answer that begins with a byte order mark', async () => {
    const { port } = await listening(
      (socket) =>
        void socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\u00ef\u00bb\u00bf{}', 'latin1')),
    );
    expect((await callOver()(`http://127.0.0.1:${port}`)).body).toBe('{}');
  });
});
