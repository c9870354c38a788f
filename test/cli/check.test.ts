/** `check`, on a configuration with simulated vendors; and the servers that commands start. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { EHPC_CLUSTER, ehpcAccount, startEhpc } from '../support/backends.js';
import { endProcesses, READY, run } from '../support/process.js';
import { cli, PROGRAM } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-check-'));
let vendor: Awaited<ReturnType<typeof startEhpc>>;
beforeAll(async () => {
  vendor = await startEhpc();
});
afterEach(endProcesses);
afterAll(async () => {
  await vendor.close();
  rmSync(folder, { recursive: true });
});

const configure = (raw: object): string => {
  const path = join(folder, 'gateway.yaml');
  writeFileSync(path, JSON.stringify({ store: { kind: 'memory' }, ...raw }));
  return path;
};

const cluster = { id: 'main', account: 'a', vendorClusterId: EHPC_CLUSTER };

it('says what works and what discovery finds, and calls each account once', async () => {
  const path = configure({ accounts: { a: { ...ehpcAccount(vendor), discover: true } }, clusters: [cluster] });
  const before = vendor.calls.length;
  const { code, out, err } = await cli(['check', '--config', path]);
  expect([code, err]).toEqual([0, `${path} can be used: 1 accounts, 1 configured clusters\n`]);
  expect(out).toMatch(/^ok {4}a \(alibaba-ehpc\): answers in \d+ ms; 1 configured clusters; 1 discovered: ehpc-hz-broken0001\n$/);
  expect(vendor.calls.length - before).toBe(1);
  const json = await cli(['check', '--json'], { env: { HPC_GATEWAY_CONFIG: path } });
  expect(JSON.parse(json.out)).toEqual({
    accounts: [
      expect.objectContaining({ account: 'a', vendor: 'alibaba-ehpc', works: true, discovered: ['ehpc-hz-broken0001'] }),
    ],
  });
});

it('ends with 1 where an account does not work or has no such cluster, and says what to mend without secrets', async () => {
  const account = ehpcAccount(vendor) as { credentials: object };
  const path = configure({
    accounts: {
      a: account,
      wrong: { ...account, credentials: { ...account.credentials, accessKeySecret: 'a-secret-that-is-wrong' } },
    },
    clusters: [cluster, { id: 'gone', account: 'a', vendorClusterId: 'ehpc-hz-none' }],
  });
  const { code, out, err } = await cli(['check', '--config', path]);
  expect(code).toBe(1);
  expect(out).toMatch(/^FAIL {2}a \(alibaba-ehpc\): answers in .* Does not have gone: /m);
  expect(out).toMatch(/^FAIL {2}wrong \(alibaba-ehpc\): .*\(vendor_credentials_rejected\) Check the keys of the account/m);
  expect(out + err).not.toContain('a-secret-that-is-wrong');
});

it('ends with 2 where the configuration is wrong', async () => {
  const path = configure({ accounts: { a: { vendor: 'memory', clusters: {}, colour: 'red' } } });
  const { code, out, err } = await cli(['check', '--config', path]);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('accounts.a.colour: is not a known key');
});

it.each([
  ['demo', { HPC_GATEWAY_CONFIG: 'none.yaml', NODE_ENV: 'production' }, /DEMO/],
  ['serve', { HPC_GATEWAY_DEMO: '1' }, /DEMO/],
])('%s serves until a signal', async (command, env, words) => {
  const gateway = run(process.execPath, [PROGRAM, command], { PORT: '0', ...env });
  const url = (await gateway.until(READY))[1] as string;
  await gateway.until(words);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  gateway.child.kill('SIGTERM');
  expect(await gateway.exit).toEqual({ code: 0, signal: null });
});

it('serve takes a configuration, and ends with 1 where it is wrong', async () => {
  const path = configure({ accounts: { a: { vendor: 'memory', clusters: { c: {} } } } });
  const gateway = run(process.execPath, [PROGRAM, 'serve', '--config', path], { PORT: '0' });
  await gateway.until(/gateway\.yaml: 1 accounts, 0 configured clusters/);
  gateway.child.kill('SIGTERM');
  expect((await gateway.exit).code).toBe(0);
  const wrong = run(process.execPath, [PROGRAM, 'serve', '--config', join(folder, 'none.yaml')], { PORT: '0' });
  expect((await wrong.exit).code).toBe(1);
  expect(wrong.errors()).toContain('none.yaml: cannot be read (ENOENT)');
});
