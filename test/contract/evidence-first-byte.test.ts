/** What fails before the first byte of a request did nothing, and is reported so (issue 7, item 10). */
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CLUSTER, EHPC_CLUSTER, SHANHE_CLUSTER } from '../support/backends.js';
import { selfSigned } from '../support/certificate.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import {
  atCleanUp,
  cleanUp,
  creating,
  deleting,
  newName,
  newNames,
  OTHER_PASSWORD,
  onEhpc,
  onShanhe,
  PASSWORD,
  USERS,
} from './evidence.js';

afterEach(cleanUp);

const SPEED = 20;
const KEYS = { accessKeyId: 'a', accessKeySecret: 'b', secretAccessKey: 'c' };

/** @returns the port */
const listen = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atCleanUp(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port;
};

/** Requests that arrived, at the server in place of the vendor. */
const arrived: string[] = [];
const answer = (request: { url?: string | undefined }, response: { end(): void }): void => {
  arrived.push(request.url ?? '');
  response.end();
};

const ENDPOINTS: Readonly<Record<string, () => Promise<string>>> = {
  'connection refused': async () => {
    const server = createTcpServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return `https://127.0.0.1:${port}`;
  },
  'a certificate that is not trusted': async () => `https://127.0.0.1:${await listen(createHttpsServer(selfSigned(), answer))}`,
  'a server that does not speak TLS (EPROTO)': async () => `https://127.0.0.1:${await listen(createHttpServer(answer))}`,
  'a TLS handshake that is reset': async () =>
    `https://127.0.0.1:${await listen(createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy())))}`,
  'a TLS handshake that never ends': async () => `https://127.0.0.1:${await listen(createTcpServer(() => undefined))}`,
};

const VENDORS = {
  'alibaba-ehpc': (endpoint: string) => ({
    accounts: {
      main: {
        vendor: 'alibaba-ehpc',
        region: 'cn-hangzhou',
        listing: 'sync',
        endpoint,
        credentials: { accessKeyId: KEYS.accessKeyId, accessKeySecret: KEYS.accessKeySecret },
      },
    },
    clusters: [{ id: CLUSTER, account: 'main', vendorClusterId: EHPC_CLUSTER }],
  }),
  'shanhe-hpc': (endpoint: string) => ({
    accounts: {
      main: {
        vendor: 'shanhe-hpc',
        zone: 'jn1a',
        endpoint,
        credentials: { accessKeyId: KEYS.accessKeyId, secretAccessKey: KEYS.secretAccessKey },
      },
    },
    clusters: [{ id: CLUSTER, account: 'main', vendorClusterId: SHANHE_CLUSTER }],
  }),
} as const;

describe.each(Object.entries(VENDORS))('%s', (_, rawOf) => {
  it.each(Object.entries(ENDPOINTS))('%s: nothing was changed, and the answer says so', async (__, endpointOf) => {
    arrived.length = 0;
    const gateway: TestGateway = await startGateway(
      { ...rawOf(await endpointOf()), server: { deadlineSeconds: 600, drainSeconds: 0 } },
      { speed: SPEED },
    );
    atCleanUp(() => gateway.stop());
    const answers = await Promise.all([
      gateway.post(USERS, { username: newName(), password: PASSWORD }),
      gateway.request('DELETE', `${USERS}/${newName()}`),
      gateway.request('PUT', `${USERS}/${newName()}/password`, { body: { password: OTHER_PASSWORD } }),
    ]);
    for (const { status, body } of answers) {
      expect([503, 504]).toContain(status);
      expect(body).toMatchObject({ retryable: true, detail: expect.stringMatching(/Nothing was (changed|sent|begun)/) });
      expect(body.detail).not.toMatch(/not known|could not be read back|cannot be read back/);
    }
    expect(arrived).toEqual([]);
  });
});

describe.each([
  ['alibaba-ehpc', () => onEhpc()],
  ['shanhe-hpc', () => onShanhe()],
] as const)('%s: a name that is not well-formed Unicode', (_, start) => {
  it('is refused, and nothing of it is sent', async () => {
    const scene = await start();
    const deleted = await scene.batch([deleting('ghost'), deleting('\ud800')]);
    expect([deleted.status, deleted.body.code]).toEqual([400, 'invalid_request']);
    expect(JSON.stringify(scene.simulator.calls)).not.toMatch(/\\ud800|\ufffd|%EF%BF%BD/i);
    const [a, b] = newNames(2) as [string, string];
    const mixed = await scene.batch([creating(a), creating('\udc00bad'), creating(b), deleting('\ud800')]);
    expect([mixed.status, mixed.body.errors]).toMatchObject([
      400,
      [{ pointer: '/items/1/username' }, { pointer: '/items/3/username' }],
    ]);
    expect([a, b].map(scene.effects)).toEqual([[], []]);
  });
});
