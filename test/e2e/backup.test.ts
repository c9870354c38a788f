/** A copy of the folder of a running gateway: what it has, and what it has not. docs/upgrading.md */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { SHANHE_CLUSTER, shanheAccount } from '../support/backends.js';
import { endProcesses, READY, server } from '../support/process.js';
import { until } from '../support/wait.js';

const PASSWORD = 'kUISjs@kkkkkk!';
const USERS = 40;

let folder: string;
let simulator: ShanheHpcSimulator;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gateway-backup-'));
  simulator = await startShanheHpc({
    jobMs: 100,
    clusters: [{ id: SHANHE_CLUSTER, name: 'c', type: 'ehpc', status: 'active', users: [{ username: 'admin', role: 'admin' }] }],
  });
});
afterEach(async () => {
  endProcesses();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const configFor = (path: string): string => {
  const file = join(folder, `${path}.json`);
  const config = {
    server: { port: 0, settleSeconds: 0.5, drainSeconds: 0 },
    store: { kind: 'lmdb', path: join(folder, path) },
    accounts: { a: shanheAccount(simulator) },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: SHANHE_CLUSTER }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
};
const start = async (path: string): Promise<string> => {
  const [, url = ''] = await server({ HPC_GATEWAY_CONFIG: configFor(path) }).until(READY);
  return url;
};
const copy = (from: string, to: string) =>
  spawnSync(process.execPath, ['dist/api/server.js', 'store', 'copy', to], {
    encoding: 'utf8',
    env: { ...process.env, HPC_GATEWAY_CONFIG: configFor(from) },
  });
const json = async (url: string, init?: RequestInit) => (await (await fetch(url, init)).json()) as Record<string, never>;
const post = (url: string, body: object, prefer?: string): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...(prefer && { prefer }) },
  });

it('is taken while writes run, and serves with the key alone', async () => {
  const url = await start('data');
  expect((await post(`${url}/clusters/c/users`, { username: 'ended', password: PASSWORD })).status).toBe(201);
  const items = Array.from({ length: USERS }, (_, index) => ({ op: 'create', username: `u${index}`, password: PASSWORD }));
  const accepted = await post(`${url}/clusters/c/users/batch`, { items }, 'respond-async');
  const location = accepted.headers.get('location') as string;
  const settledOf = async (base: string): Promise<number> => (await json(`${base}${location}`))['progress']?.['settled'] ?? 0;
  await until(async () => (await settledOf(url)) > 0);

  const backup = join(folder, 'copied');
  const { status, stdout, stderr } = copy('data', backup);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('operations.mdb is a copy');
  expect(statSync(join(backup, 'operations.mdb')).mode & 0o077).toBe(0);
  expect(existsSync(join(backup, 'secrets'))).toBe(false);
  // A second one would overwrite it.
  expect(copy('data', backup)).toMatchObject({ status: 2, stderr: expect.stringContaining('is there already') });

  await until(async () => (await settledOf(url)) === USERS);
  endProcesses();
  mkdirSync(join(folder, 'restored'), { mode: 0o700 });
  copyFileSync(join(backup, 'operations.mdb'), join(folder, 'restored', 'operations.mdb'));
  copyFileSync(join(folder, 'data', 'key'), join(folder, 'restored', 'key'));
  const again = await start('restored');
  const operations = await json(`${again}/operations?kind=createUser`);
  expect(operations['items']).toMatchObject([{ state: 'succeeded' }]);
  await until(async () => (await json(`${again}${location}`))['done'] === true);
  const { results } = (await json(`${again}${location}`)) as unknown as {
    results: { status: string; problem?: { detail: string } }[];
  };
  expect(results).toHaveLength(USERS);
  // What was settled then, or was sent and is found, is done; the rest has no password any more.
  const statuses = new Set(results.map(({ status: each }) => each));
  for (const each of statuses) expect(['created', 'failed', 'already_exists', 'unknown']).toContain(each);
  expect(results.some(({ status: each }) => each === 'created')).toBe(true);
  const failures = results.flatMap(({ status: each, problem }) => (each === 'failed' ? (problem?.detail ?? '') : []));
  expect([...new Set(failures)].filter((detail) => !/lacks the key of the secret/.test(detail))).toEqual([]);
  expect((await json(`${again}/readyz`))['status']).toBe('ok');
});

it.each([
  [[], "missing required argument 'folder'"],
  [['one', 'two'], 'too many arguments'],
])('says what is missing: %j', (args, message) => {
  const { status, stderr } = spawnSync(process.execPath, ['dist/api/server.js', 'store', 'copy', ...args], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
});
