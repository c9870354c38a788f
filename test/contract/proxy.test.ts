/** Behind a proxy of a company, and with a certificate authority of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { SHANHE_CLUSTER, shanheAccount, startShanhe } from '../support/backends.js';
import { selfSigned } from '../support/certificate.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const PASSWORD = 'Choose@Your0wn';
const folder = mkdtempSync(join(tmpdir(), 'gateway-proxy-'));
const caFile = join(folder, 'ca.pem');

let simulator: ShanheHpcSimulator;
let proxy: Server;
/** TLS in front of the simulator. */
let front: ReturnType<typeof createTlsServer>;
/** The same, with a certificate for 127.0.0.1 alone. */
let byAddress: ReturnType<typeof createTlsServer>;
const addressFile = join(folder, 'address.pem');
const tunnels: { readonly to: string | undefined; readonly login: string | undefined }[] = [];
let answer = 200;

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
const listening = (server: { listen(port: number, host: string, done: () => void): unknown }): Promise<void> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });

beforeAll(async () => {
  simulator = await startShanhe();
  const { port } = new URL(simulator.endpoint);
  proxy = createHttpServer();
  proxy.on('connect', ({ url, headers }, client) => {
    tunnels.push({ to: url, login: headers['proxy-authorization'] });
    if (answer !== 200) {
      client.end(`HTTP/1.1 ${answer} No\r\ncontent-length: 2\r\n\r\n{}`);
      return;
    }
    const [host, to] = String(url).split(':');
    const vendor = connect(Number(to), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      vendor.pipe(client).pipe(vendor);
    });
    for (const socket of [client, vendor]) socket.on('error', () => socket.destroy());
  });
  const inFront = (file: string, address?: string) => {
    const { key, cert } = selfSigned(address);
    writeFileSync(file, cert);
    return createTlsServer({ key, cert }, (client) => {
      const vendor = connect(Number(port), '127.0.0.1');
      vendor.pipe(client).pipe(vendor);
      for (const socket of [client, vendor]) socket.on('error', () => socket.destroy());
    });
  };
  front = inFront(caFile);
  byAddress = inFront(addressFile, '127.0.0.1');
  await Promise.all([listening(proxy), listening(front), listening(byAddress)]);
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  front.close();
  byAddress.close();
  await simulator.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  tunnels.length = 0;
  answer = 200;
});

const through = async (change: object, work: (gateway: TestGateway) => Promise<void>): Promise<void> => {
  const gateway = await startGateway({
    server: { settleSeconds: 0, drainSeconds: 0, deadlineSeconds: 10 },
    accounts: { jinan: { ...shanheAccount(simulator), ...change } },
    clusters: [{ id: 'shan', account: 'jinan', vendorClusterId: SHANHE_CLUSTER }],
  });
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
  }
};
const withProxy = (login = '') => ({ proxy: `http://${login}127.0.0.1:${portOf(proxy)}` });
const overTls = () => ({ endpoint: `https://localhost:${portOf(front)}/api` });
const USERS = '/clusters/shan/users';

describe('a proxy', () => {
  it('carries readings and writes, with its own login, over connections that are kept', async () => {
    await through(withProxy('gate:s3cret@'), async (gateway) => {
      expect((await gateway.get(`${USERS}?limit=3`)).body.items).toHaveLength(3);
      const made = await gateway.post(USERS, { username: 'proxied1', password: PASSWORD });
      expect(made.status).toBe(201);
      expect((await gateway.get(`${USERS}/proxied1`)).status).toBe(200);
      const login = `Basic ${Buffer.from('gate:s3cret').toString('base64')}`;
      expect(tunnels[0]).toEqual({ to: new URL(simulator.endpoint).host, login });
      expect(tunnels.length).toBeLessThan(6);
      expect(gateway.logged()).not.toContain('s3cret');
    });
  });

  it.each([403, 407, 502])('that answers %i sent nothing, and is not taken for the vendor', async (status) => {
    answer = status;
    await through(withProxy(), async (gateway) => {
      simulator.resetCalls();
      const { status: got, body } = await gateway.get(`${USERS}?limit=3`);
      expect([got, body.code, body.vendor]).toEqual([503, 'vendor_unavailable', undefined]);
      expect(body.detail).toContain(`The proxy of the account opened no tunnel to the vendor (it answered ${status}`);
      expect(body.detail.includes('needs a user and a password')).toBe(status === 407);
      expect(simulator.calls).toHaveLength(0);
    });
  });

  it('that is not there is named, and not the vendor', async () => {
    await through({ proxy: 'http://127.0.0.1:1' }, async (gateway) => {
      const { status, body } = await gateway.get(`${USERS}?limit=3`);
      const words = 'The gateway could not connect to the proxy of the account (ECONNREFUSED). Nothing was sent';
      expect([status, body.detail]).toEqual([503, expect.stringContaining(words)]);
    });
  });

  it('carries TLS to the vendor, whose certificate is checked', async () => {
    await through({ ...withProxy(), ...overTls() }, async (gateway) => {
      const { status, body } = await gateway.get(`${USERS}?limit=3`);
      expect([status, body.detail]).toEqual([503, expect.stringContaining('SELF_SIGNED')]);
    });
    await through({ ...withProxy(), ...overTls(), caFile }, async (gateway) => {
      expect((await gateway.get(`${USERS}?limit=3`)).body.items).toHaveLength(3);
      expect((await gateway.post(USERS, { username: 'tunnel01', password: PASSWORD })).status).toBe(201);
      await until(() => tunnels.some(({ to }) => to === `localhost:${portOf(front)}`));
    });
  });
});

it.each(['directly', 'by a proxy'])('a certificate is for the host of the endpoint, a name or an address: %s', async (way) => {
  const proxied = way === 'directly' ? {} : withProxy();
  const at = (host: string, server: { address(): unknown }) => ({ endpoint: `https://${host}:${portOf(server)}/api` });
  await through({ ...proxied, ...at('127.0.0.1', byAddress), caFile: addressFile }, async (gateway) => {
    expect((await gateway.get(`${USERS}?limit=3`)).body.items).toHaveLength(3);
  });
  await through({ ...proxied, ...at('127.0.0.1', front), caFile }, async (gateway) => {
    const { status, body } = await gateway.get(`${USERS}?limit=3`);
    expect([status, body.detail]).toEqual([503, expect.stringContaining('ALTNAME')]);
  });
});

it('a certificate authority of its own counts for its account', async () => {
  await through({ ...overTls(), caFile }, async (gateway) => {
    expect((await gateway.get(`${USERS}?limit=3`)).body.items).toHaveLength(3);
  });
  await through(overTls(), async (gateway) => {
    expect((await gateway.get(`${USERS}?limit=3`)).status).toBe(503);
  });
});

it('what is not a proxy, or has no certificate, is refused at the start', async () => {
  const empty = join(folder, 'empty.pem');
  writeFileSync(empty, '');
  const damaged = join(folder, 'damaged.pem');
  writeFileSync(damaged, '-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n');
  for (const [change, reason] of [
    [{ proxy: 'socks5://127.0.0.1:1' }, /accounts.jinan.proxy: must be the URL of a proxy/],
    [{ caFile: join(folder, 'none.pem') }, /accounts.jinan.caFile: the file .* cannot be read \(ENOENT\)/],
    [{ proxy: 'http://u%zz:p@127.0.0.1:1' }, /accounts.jinan.proxy: must be the URL of a proxy/],
    [{ caFile: damaged }, /accounts.jinan.caFile: certificate 1 of the file .* cannot be read/],
    [{ caFile: empty }, /accounts.jinan.caFile: the file .* has no certificate in PEM/],
  ] as const)
    await expect(through(change, async () => undefined)).rejects.toThrow(reason);
});
