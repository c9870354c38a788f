/** HTTPS from the configuration, and keys that the command makes. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, expect, it } from '@jest/globals';
import { selfSigned } from '../support/certificate.js';
import { endProcesses, run, server } from '../support/process.js';
import { until } from '../support/wait.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(endProcesses);

const READY_TLS = /gateway at https:\/\/127\.0\.0\.1:(\d+)/;

const install = ({ key, cert }: { key: string; cert: string }): void => {
  for (const [name, text] of [
    ['key.pem', key],
    ['cert.pem', cert],
  ] as const) {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
};

const configure = (more: object = {}): string => {
  const path = join(folder, 'gateway.json');
  const config = {
    server: { port: 0, tls: { key: '${file:key.pem}', certificate: '${file:cert.pem}' } },
    store: { kind: 'memory' },
    accounts: { lab: { vendor: 'memory', clusters: { c: {} } } },
    clusters: [{ id: 'c', account: 'lab', vendorClusterId: 'c' }],
    ...more,
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
};

/** What the server shows of itself, and answers. */
const ask = (
  port: string,
  path: string,
  headers = {},
): Promise<{ status: number; fingerprint: string; hsts: string | undefined }> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false };
    request(options, (response) => {
      const { fingerprint256: fingerprint } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      resolve({ status: response.statusCode ?? 0, fingerprint, hsts: response.headers['strict-transport-security'] });
    })
      .on('error', reject)
      .end();
  });

it('serves HTTPS, and takes a renewed key and certificate without a restart', async () => {
  install(selfSigned('127.0.0.1'));
  const gateway = server({ HPC_GATEWAY_CONFIG: configure() });
  const port = (await gateway.until(READY_TLS))[1] as string;
  const first = await ask(port, '/clusters');
  expect([first.status, first.hsts]).toEqual([200, 'max-age=15552000']);

  writeFileSync(join(folder, 'cert.pem'), selfSigned('127.0.0.1').cert);
  gateway.child.kill('SIGHUP');
  await until(() => gateway.errors().includes('cannot be loaded again'));
  expect((await ask(port, '/clusters')).fingerprint).toBe(first.fingerprint);

  install(selfSigned('127.0.0.1'));
  gateway.child.kill('SIGHUP');
  await until(async () => (await ask(port, '/clusters')).fingerprint !== first.fingerprint);
  gateway.child.kill('SIGTERM');
  expect(await gateway.exit).toEqual({ code: 0, signal: null });
});

it('refuses a key and a certificate that do not belong together', async () => {
  install({ key: selfSigned().key, cert: selfSigned().cert });
  const { exit, errors } = server({ HPC_GATEWAY_CONFIG: configure() });
  expect((await exit).code).toBe(1);
  expect(errors()).toMatch(/line 1: server\.tls: cannot be used \(.*key values mismatch\)/);
});

it('makes a key by a command, and lets its caller in', async () => {
  install(selfSigned('127.0.0.1'));
  const made = run(process.execPath, ['dist/api/server.js', 'key', 'new', '--id', 'portal']);
  expect((await made.exit).code).toBe(0);
  const [key = ''] = /hpcgw_[\w-]{43}/.exec(made.output()) ?? [];
  const [hash = ''] = /sha256:[0-9a-f]{64}/.exec(made.output()) ?? [];
  const rights = [{ clusters: ['*'], verbs: ['read'] }];
  const path = configure({ auth: { callers: [{ id: 'portal', keys: [{ hash }], rights }] } });
  const gateway = server({ HPC_GATEWAY_CONFIG: path });
  const port = (await gateway.until(READY_TLS))[1] as string;
  expect((await ask(port, '/clusters')).status).toBe(401);
  for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }])
    expect((await ask(port, '/clusters', headers)).status).toBe(200);
  expect((await ask(port, '/clusters', { authorization: `Bearer ${key.slice(0, -1)}A` })).status).toBe(401);
  gateway.child.kill('SIGTERM');
  await gateway.exit;
  expect(gateway.errors()).not.toContain(key);
});
