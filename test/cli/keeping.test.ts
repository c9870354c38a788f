/** `audit` and `store`: a wrong argument is not reported as a wrong configuration. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { open } from 'lmdb';
import { EHPC_CLUSTER, ehpcAccount, startEhpc } from '../support/backends.js';
import { endProcesses } from '../support/process.js';
import { cli, type Ended } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-keeping-'));
const config = join(folder, 'gateway.json');
let vendor: Awaited<ReturnType<typeof startEhpc>>;
beforeAll(async () => {
  vendor = await startEhpc();
  const accounts = { a: ehpcAccount(vendor) };
  const clusters = [{ id: 'c', account: 'a', vendorClusterId: EHPC_CLUSTER }];
  writeFileSync(config, JSON.stringify({ store: { kind: 'lmdb', path: folder }, accounts, clusters }));
  await open({ path: join(folder, 'operations.mdb'), maxDbs: 2, encoding: 'string' }).close();
});
afterEach(endProcesses);
afterAll(async () => {
  await vendor.close();
  rmSync(folder, { recursive: true });
});

const own = (...args: string[]): Promise<Ended> => cli(args, { env: { HPC_GATEWAY_CONFIG: config } });

it.each([
  ['none.log', 'ENOENT'],
  ['.', 'EISDIR'],
])('a log that cannot be read, %s, ends with 2 in one line', async (name, reason) => {
  const path = join(folder, name);
  const { code, out, err } = await own('audit', 'verify', '--log', path);
  expect([code, out, err]).toEqual([2, '', `${path} cannot be read (${reason}).\n`]);
});

it('a second copy into a folder, and one below a file, end with 2 and name the argument', async () => {
  const copy = join(folder, 'copy');
  expect((await own('store', 'copy', copy)).code).toBe(0);
  const again = await own('store', 'copy', copy);
  expect([again.code, again.err]).toEqual([2, `${copy}/operations.mdb is there already; name an empty folder.\n`]);
  const below = await own('store', 'copy', join(config, 'copy'));
  expect([below.code, below.err]).toEqual([2, `${config}/copy cannot be written (ENOTDIR).\n`]);
});
