/** Commands against a server that answers what a gateway never would, or what its vendors would like to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { problem, type Step } from '../client/scripted.js';
import { selfSigned } from '../support/certificate.js';
import { endProcesses } from '../support/process.js';
import { cli, closeScripted, serve } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-answers-'));
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
  closeScripted();
  endProcesses();
});
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = 'hpcgw_0123456789';
const CLEAR = '\u001b[2J\u009b2J\u202e';
const HARMFUL = /(?!\n)\p{Cc}|[\u202a-\u202e]/u;

describe('the key', () => {
  it('comes from the environment or a file, and is sent as a bearer', async () => {
    const { url, asked } = await serve(() => ({ status: 200, body: { items: [], problems: [], incomplete: null } }));
    const file = join(folder, 'key');
    writeFileSync(file, `${KEY}-of-file\n`);
    await cli(['clusters', '--url', url], { env: { HPC_GATEWAY_KEY: KEY } });
    await cli(['clusters', '--url', url, '--key-file', file], { env: { HPC_GATEWAY_KEY: KEY } });
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${KEY}`, `Bearer ${KEY}-of-file`]);
  });

  it.each([
    ['unauthenticated', 401, 'Set HPC_GATEWAY_KEY, or give --key-file'],
    ['forbidden', 403, 'Ask the operator of the gateway for the right'],
  ])('that is not good enough (%s) says what to do, and is not shown', async (code, status, help) => {
    const { url } = await serve(() => problem(status, code, { retryable: false }));
    const ended = await cli(['clusters', '--url', url], { env: { HPC_GATEWAY_KEY: KEY } });
    expect([ended.code, ended.err]).toEqual([1, expect.stringContaining(help)]);
    expect(ended.err + ended.out).not.toContain(KEY);
  });
});

describe('words of vendors', () => {
  const user = { clusterId: 'c', username: `a${CLEAR}`, role: 'member', group: '管理员', uid: 1, gid: 1, createdAt: null };

  it('reach no terminal with their control characters: tables, JSON, lines and errors', async () => {
    const { url } = await serve(({ method }) =>
      method === 'GET'
        ? { status: 200, body: { items: [user], nextCursor: null, total: 1, incomplete: { omittedRows: 2 } } }
        : problem(422, 'invalid_user', {
            retryable: false,
            detail: `No.${CLEAR}`,
            vendor: { name: 'v', code: 'x', message: `Bad${CLEAR}`, requestId: null, status: 400 },
          }),
    );
    const list = ['users', 'list', '-c', 'c', '--url', url];
    const table = await cli(list);
    expect(table.out).toContain('a\\u{1b}[2J\\u{9b}2J\\u{202e}');
    expect(table.err).toBe('The list is incomplete: the vendor sent 2 rows that name nobody.\n');
    const json = await cli([...list, '--json']);
    expect(JSON.parse(json.out)).toEqual([user]);
    const ndjson = await cli([...list, '--ndjson']);
    expect(JSON.parse(ndjson.out)).toEqual(user);
    const refused = await cli(['users', 'delete', 'a', '-y', '-c', 'c', '--url', url]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('No.\\u{1b}[2J')]);
    for (const { out, err } of [table, json, ndjson, refused]) expect(out + err).not.toMatch(HARMFUL);
  });
});

it('a line end of a vendor makes no line', async () => {
  const vendor = { name: 'v', code: 'x', message: 'Bad\nadmin on c: deleted', requestId: null, status: 400 };
  const errors = ['/username', '/role'].map((pointer) => ({ pointer, message: 'no\nadmin on c: deleted' }));
  const { url } = await serve(({ path }) =>
    path === '/clusters'
      ? {
          status: 200,
          body: { items: [], problems: [{ account: 'a', problem: { code: 'x', detail: 'No.\nadmin on c: deleted' } }] },
        }
      : problem(422, 'invalid_user', { retryable: false, detail: 'No.\nadmin on c: deleted', vendor, errors }),
  );
  const refused = await cli(['users', 'delete', 'a', '-y', '-c', 'c', '--url', url]);
  const clusters = await cli(['clusters', '--url', url]);
  for (const { err } of [refused, clusters]) {
    expect(err).not.toMatch(/^admin/m);
    expect(err).toContain('No.\\u{a}admin');
  }
});

describe('a URL without TLS', () => {
  it('is warned of where it leaves this machine', async () => {
    const { err } = await cli(['clusters', '--url', 'http://gateway.invalid:1']);
    expect(err).toMatch(/^Keys and passwords are sent in the clear/);
    expect((await cli(['clusters', '--url', 'http://[::1]:1'])).err).not.toMatch(/in the clear/);
  });
});

it('an import without TLS is warned of once', async () => {
  const { url } = await serve(({ path }) =>
    path.endsWith('/batch')
      ? {
          status: 200,
          body: { summary: { created: 1 }, results: [{ index: 0, username: 'a', op: 'create', status: 'created' }] },
        }
      : problem(403, 'forbidden', { retryable: false }),
  );
  const args = ['import', 'docs/examples/course.csv', '-c', 'c', '-y', '--url', url.replace('127.0.0.1', '0.0.0.0')];
  const { code, err } = await cli(args);
  expect([code, err.match(/in the clear/g)]).toEqual([1, ['in the clear']]);
});

describe('a certificate', () => {
  it('that is not trusted ends with 3 and names the variable that makes it so', async () => {
    const { key, cert } = selfSigned('127.0.0.1');
    const server = createServer({ key, cert }, (_, response) => {
      response.setHeader('content-type', 'application/json').end('{"items":[],"problems":[],"incomplete":null}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const refused = await cli(['clusters', '--url', url]);
    expect([refused.code, refused.err]).toEqual([3, expect.stringContaining('NODE_EXTRA_CA_CERTS')]);
    const path = join(folder, 'ca.pem');
    writeFileSync(path, cert);
    expect((await cli(['clusters', '--url', url], { env: { NODE_EXTRA_CA_CERTS: path } })).code).toBe(0);
  });
});

describe('failures', () => {
  it('a write is sent three times with one key', async () => {
    const { url, asked } = await serve((_, count) => (count < 3 ? 'cut' : { status: 204 }));
    const { code } = await cli(['users', 'delete', 'a', '-y', '-c', 'c', '--url', url]);
    expect([code, asked.length]).toEqual([0, 3]);
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it.each([
    ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }, /not JSON\. Check that the URL/],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' }, /redirects to another address/],
  ] as [string, Step, RegExp][])('%s in place of a gateway ends with 3', async (_, step, message) => {
    const { url } = await serve(() => step);
    const { code, out, err } = await cli(['clusters', '--url', url]);
    expect([code, out, err]).toEqual([3, '', expect.stringMatching(message)]);
  });

  it.each([
    'users delete a -y -c c',
    'users get a -c c',
    'users list -c c',
    'clusters',
    'operations list',
    'operations show op_1',
    'import docs/examples/course.csv -c c -y',
  ])('another service in its place: %s ends with 3', async (args) => {
    const { url } = await serve(() => ({ status: 200, body: { status: 'UP' } }));
    const { code, out, err } = await cli([...args.split(' '), '--url', url]);
    expect([code, out, err]).toEqual([
      3,
      '',
      expect.stringMatching(/no gateway answers\. Check[^\n]*\nThe URL comes from --url/),
    ]);
  });

  it('a gateway that restarts is waited for', async () => {
    const done = { id: 'op_1', kind: 'batchUsers', clusterId: 'c', state: 'succeeded', done: true, results: [] };
    const operation = { ...done, progress: { settled: 1, total: 1 }, summary: { created: 1 }, createdAt: '' };
    const { url, asked } = await serve((_, count) => (count < 5 ? 'cut' : { status: 200, body: operation }));
    const { code, out } = await cli(['operations', 'wait', 'op_1', '--url', url]);
    expect([code, asked.length, out]).toEqual([0, 5, expect.stringContaining('1 created')]);
  });

  it('an operation that does not end is left after --timeout', async () => {
    const operation = { id: 'op_1', done: false, progress: { settled: 1, total: 2 } };
    const { url } = await serve(() => ({ status: 200, body: operation }));
    const { code, err } = await cli(['operations', 'wait', 'op_1', '--timeout', '1', '--url', url]);
    expect(code).toBe(1);
    expect(err).toMatch(/not done within 1 s \(1 of 2 items settled\).*\nTo keep waiting: hpc-gateway operations wait op_1/);
  });
});
