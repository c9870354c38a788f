/** What only a terminal shows: questions, passwords that are not echoed, the bar of an import, Ctrl-C. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { cli, ended, PASSWORD, PROGRAM, start } from '../cli/support.js';
import { EHPC_CLUSTER, ehpcAccount, startEhpc } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';
import { openTerminal, type Terminal } from './tmux.js';

let vendor: Awaited<ReturnType<typeof startEhpc>>;
let gateway: TestGateway;
const terminals: Terminal[] = [];
const folder = mkdtempSync(join(tmpdir(), 'gateway-terminal-'));
/** Takes some seconds. */
const MANY = 400;
const many = join(folder, 'many.csv');
writeFileSync(
  many,
  ['username,password', ...Array.from({ length: MANY }, (_, at) => `many.${1000 + at},${PASSWORD}`), ''].join('\n'),
);

beforeAll(async () => {
  // Slow enough to see how far an import is.
  vendor = await startEhpc({ latencyMs: 700 });
  gateway = await startGateway({
    accounts: { a: ehpcAccount(vendor) },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: EHPC_CLUSTER }],
  });
});
afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.close();
});
afterAll(async () => {
  await gateway.stop();
  await vendor.close();
  rmSync(folder, { recursive: true });
});

const open = (args: string): Terminal => {
  const terminal = openTerminal(`'${process.execPath}' ${PROGRAM} ${args}`, { HPC_GATEWAY_URL: gateway.url });
  terminals.push(terminal);
  return terminal;
};

describe('the password', () => {
  it('is asked for twice, and not shown', async () => {
    const terminal = open('users create typed.user -c c');
    await terminal.shows(/Password for typed\.user:/);
    terminal.type(PASSWORD);
    terminal.press('Enter');
    expect(await terminal.shows(/The same again:/)).not.toContain(PASSWORD);
    terminal.type('another');
    terminal.press('Enter');
    await terminal.shows(/They are not the same\.\n[\s\S]*Password for typed\.user:/);
    terminal.type(PASSWORD);
    terminal.press('Enter');
    await terminal.shows(/not the same\.\n[\s\S]*The same again:/);
    terminal.type(PASSWORD);
    terminal.press('Enter');
    const screen = await terminal.shows(/exit=/);
    expect(screen).toMatch(/typed\.user +member[\s\S]*exit=0/);
    expect(screen).not.toMatch(/Choose@|another/);
  });

  it('Ctrl-C at the question ends with 130, Ctrl-D with 1, and nothing is created', async () => {
    for (const [key, code] of [
      ['C-c', 130],
      ['C-d', 1],
    ] as const) {
      const terminal = open('users create left.alone -c c');
      await terminal.shows(/Password for left\.alone:/);
      terminal.press(key);
      const screen = await terminal.shows(/exit=/);
      expect(screen).toContain(`\nexit=${code}`);
      expect(screen.includes('Nothing was changed.')).toBe(code === 1);
    }
    expect((await cli(['users', 'get', 'left.alone', '-c', 'c', '--url', gateway.url])).code).toBe(1);
  });
});

it('a password from standard input is not taken from a terminal', async () => {
  const screen = await open('users set-password user.0001 -c c --password-stdin').shows(/exit=/);
  expect(screen).toMatch(/Standard input is a terminal, which would show the password[\s\S]*exit=2/);
});

describe('an import', () => {
  it('asks after its dry run, shows how far it is, and what was not done', async () => {
    const terminal = open('import docs/examples/course.csv -c c --failed');
    const asked = await terminal.shows(/Import 299 of 300 into c\? \[y\/N\]/);
    expect(asked).toMatch(/151 +cs 26150 +create +refused/);
    terminal.type('y');
    terminal.press('Enter');
    const under = await terminal.shows(/\[[#.]*\.\] \d+ of 300/);
    expect(under).not.toContain('exit=');
    const screen = await terminal.shows(/exit=/);
    expect(screen).toMatch(/\[#{30}\] 300 of 300\n/);
    expect(screen).toMatch(/Done: 299 created, 1 refused\nexit=1/);
  });

  it('is left by Ctrl-C with 130, and says how to wait on', async () => {
    const terminal = open(`import ${many} -c c --yes`);
    await terminal.shows(/Operation op_\w+\n/);
    await terminal.shows(/\.\] \d+ of 400/);
    terminal.press('C-c');
    const screen = await terminal.shows(/exit=/);
    const [, id = ''] = /To keep waiting: hpc-gateway operations wait (op_\w+)\nexit=130/.exec(screen) ?? [];
    const waited = await cli(['operations', 'wait', id, '--url', gateway.url]);
    expect([waited.code, waited.out]).toEqual([0, expect.stringMatching(/400 of 400 +400 created/)]);
  });
});

describe('an operation that runs', () => {
  it('is cancelled by another command', async () => {
    const path = join(folder, 'cancelled.csv');
    writeFileSync(path, readFileSync(many, 'utf8').replaceAll('many.', 'more.'));
    const importing = start(['import', path, '-c', 'c', '--yes', '--url', gateway.url]);
    const [, id = ''] = await until(
      () => /Operation (op_\w+)/.exec(importing.errors()) ?? [],
      ([found]) => found !== undefined,
    );
    const cancelled = await cli(['operations', 'cancel', id, '--json', '--url', gateway.url]);
    expect([cancelled.code, JSON.parse(cancelled.out)]).toEqual([
      0,
      expect.objectContaining({ id, done: true, state: 'cancelled' }),
    ]);
    const { code, err } = await ended(importing);
    expect([code, err]).toEqual([1, expect.stringMatching(/\d+ cancelled\n$/)]);
  });
});

describe('a deletion', () => {
  it('is not made without a yes', async () => {
    const terminal = open('users delete user.0001 -c c');
    await terminal.shows(/Delete user\.0001 from c\? \[y\/N\]/);
    terminal.press('Enter');
    expect(await terminal.shows(/exit=/)).toMatch(/Nothing was changed\.\nexit=1/);
  });

  it.each([
    ['C-c', /\[y\/N\] *\nexit=130/],
    ['C-d', /\[y\/N\] *\nNothing was changed\.\nexit=1\n/],
  ])('nor after %s, which leaves the line of the question', async (key, end) => {
    const path = join(folder, 'asked.csv');
    writeFileSync(path, `username,password\nnever.made,${PASSWORD}\n`);
    for (const args of ['users delete user.0001 -c c', `import ${path} -c c`]) {
      const terminal = open(args);
      await terminal.shows(/\[y\/N\]/);
      terminal.press(key);
      expect(await terminal.shows(/exit=/)).toMatch(end);
    }
  });
});
