/** Files that are pipes, and output that nobody reads: what is done does not depend on them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { type Asked, problem, type Step } from '../client/scripted.js';
import { endProcesses, run } from '../support/process.js';
import { closeScripted, type Ended, ended, PASSWORD, PROGRAM, serve } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-pipes-'));
afterEach(() => {
  closeScripted();
  endProcesses();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** In a shell that has `hpc-gateway`; `status` prints the exit code of the first command of the last pipe. */
const shell = (script: string, url = 'http://127.0.0.1:1'): Promise<Ended> =>
  ended(
    run(
      'bash',
      ['-c', `hpc-gateway() { '${process.execPath}' ${PROGRAM} "$@"; }; status() { echo "\${PIPESTATUS[0]}"; }; ${script}`],
      { HPC_GATEWAY_URL: url, HPC_GATEWAY_KEY: '' },
    ),
  );

const RESULT = { index: 0, username: 'ada.l', op: 'create', status: 'created' };
const OPERATION = {
  id: 'op_1',
  kind: 'batchUsers',
  clusterId: 'c',
  state: 'succeeded',
  done: true,
  progress: { settled: 1, total: 1 },
  summary: { created: 1 },
  results: [RESULT],
  createdAt: '',
};
/** A gateway whose imports succeed. */
const importing = ({ path }: Asked): Step =>
  path.endsWith('/batch')
    ? { status: 200, body: { dryRun: true, summary: { created: 1 }, results: [RESULT] } }
    : { status: path.endsWith('/operations') ? 202 : 200, body: OPERATION };

describe('a file that is a pipe', () => {
  it('is read to its end: a CSV of more than one piece', async () => {
    const path = join(folder, 'big.csv');
    const names = Array.from({ length: 900 }, (_, at) => `user.${1000 + at}.${'x'.repeat(120)},${PASSWORD}`);
    writeFileSync(path, ['username,password', ...names, ''].join('\n'));
    const { url, asked } = await serve(importing);
    const { err } = await shell(`cat ${path} | hpc-gateway import /dev/stdin -c c --dry-run`, url);
    expect(err).toBe('A dry run says: 1 created\n');
    const { items } = JSON.parse(asked[0]?.body ?? '') as { items: { username: string }[] };
    expect(items.map(({ username }) => username)).toEqual(names.map((line) => line.split(',')[0]));
  });

  it('a password that comes in pieces', async () => {
    const { url, asked } = await serve(() => ({ status: 204 }));
    const file = `<(printf 'Choose@Y'; sleep 0.5; printf 'our0wn\\n')`;
    const { code } = await shell(`hpc-gateway users set-password a -c c --password-file ${file}`, url);
    expect([code, JSON.parse(asked[0]?.body ?? '')]).toEqual([0, { password: PASSWORD }]);
  });

  it('a key, which an import needs for each of its requests', async () => {
    const path = join(folder, 'keyed.csv');
    writeFileSync(path, `username,password\nada.l,${PASSWORD}\n`);
    const { url, asked } = await serve(importing);
    const { code } = await shell(`hpc-gateway import ${path} -c c -y --key-file <(echo hpcgw_x)`, url);
    expect([code, asked.map(({ headers }) => headers.authorization)]).toEqual([0, Array(3).fill('Bearer hpcgw_x')]);
  });

  it.each([
    ['/dev/null', '/dev/null is empty.\n'],
    ['<(echo username,password)', expect.stringMatching(/^\S+ has one line only\.\n$/)],
  ])('a CSV without users, %s', async (file, message) => {
    const { code, err } = await shell(`hpc-gateway import ${file} -c c`);
    expect([code, err]).toEqual([2, message]);
  });

  it('one that has no end is too long', async () => {
    const { code, err } = await shell('hpc-gateway clusters --key-file /dev/zero');
    expect([code, err]).toEqual([2, '/dev/zero has more than 65,536 bytes.\n']);
  });
});

describe('output that nobody reads', () => {
  it('an import is made all the same', async () => {
    const path = join(folder, 'one.csv');
    writeFileSync(path, `username,password\nada.l,${PASSWORD}\n`);
    const { url, asked } = await serve(importing);
    const { out } = await shell(`hpc-gateway import ${path} -c c --yes 2>&1 | true; status`, url);
    expect([out, asked.map(({ path }) => path)]).toEqual([
      '0\n',
      ['/clusters/c/users/batch', '/clusters/c/operations', '/operations/op_1'],
    ]);
  });

  it.each([
    ['a refused write', 'users delete a -y -c c', 1],
    ['wrong use', 'users delete', 2],
    ['an unreachable gateway', 'clusters --url http://127.0.0.1:1', 3],
  ])('%s keeps its exit code', async (_, args, code) => {
    const { url } = await serve(() => problem(404, 'user_not_found', { retryable: false }));
    expect(await shell(`hpc-gateway ${args} 2>&1 | true; status`, url)).toEqual({ code: 0, out: `${code}\n`, err: '' });
  });

  it('a list ends with 0 after the window that nobody read', async () => {
    const { url, asked } = await serve((_, count) => ({
      status: 200,
      body: { items: [{ username: `u${count}` }], nextCursor: `${count}`, total: null, incomplete: null },
    }));
    const { out, err } = await shell('hpc-gateway users list -c c --ndjson | head -n 1; status', url);
    expect([out, err]).toEqual(['{"username":"u1"}\n0\n', '']);
    expect(asked.length).toBeLessThan(50);
  });

  it('a full disk is a failure, in one line', async () => {
    const { url } = await serve(() => ({ status: 200, body: { items: [], problems: [], incomplete: null } }));
    const { code, err } = await shell('hpc-gateway clusters > /dev/full', url);
    expect([code, err]).toEqual([1, 'Standard output cannot be written (ENOSPC).\n']);
  });
});
