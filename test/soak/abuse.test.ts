/** The program that attacks the gateway: that it attacks, reports and ends, and that nothing outlives it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from '@jest/globals';
import { endProcesses, type Run, run } from '../support/process.js';
import { until } from '../support/wait.js';

const folder = mkdtempSync(join(tmpdir(), 'gateway-test-abuse-'));
afterEach(endProcesses);
afterAll(() => rmSync(folder, { recursive: true }));

const abuse = (...args: string[]): Run => run(process.execPath, ['dist/abuse/main.js', '--quick', ...args], { TMPDIR: folder });

/** What the runs keep while they run. */
const leftFolders = (): string[] => readdirSync(folder).filter((name) => name.startsWith('gateway-abuse-'));

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

/** Of the gateway that it has started. */
const portOf = async (program: Run): Promise<number> => {
  const pattern = /gateway on port (\d+)/;
  await until(() => pattern.test(program.errors()));
  return Number(pattern.exec(program.errors())?.[1]);
};

interface Report {
  readonly reports: readonly {
    readonly store: string;
    readonly results: readonly {
      readonly attack: string;
      readonly isAlive: boolean;
      readonly isWithinBounds: boolean;
      readonly cpuSeconds: number;
      readonly legitimate: { readonly requests: number };
      readonly attackers: { readonly opened: number; readonly sent: number; readonly statuses: Record<string, number> };
    }[];
  }[];
}

it('attacks a gateway of its own, reports, and exits by the bounds', async () => {
  const file = join(folder, 'figures.json');
  const program = abuse('--store', 'lmdb', '--json', file, 'slow-headers', 'wide-heads');
  const port = await portOf(program);
  const { code } = await program.exit;
  const { reports } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const results = reports.flatMap((report) => report.results);
  expect(reports.map(({ store }) => store)).toEqual(['lmdb']);
  expect(results.map(({ attack, isAlive }) => [attack, isAlive])).toEqual([
    ['slow-headers', true],
    ['wide-heads', true],
  ]);
  for (const { legitimate, attackers, cpuSeconds } of results) {
    expect(legitimate.requests).toBeGreaterThan(30);
    expect(attackers.opened).toBeGreaterThan(100);
    expect(attackers.sent).toBeGreaterThan(100);
    expect(cpuSeconds).toBeGreaterThan(0);
  }
  expect(results[1]?.attackers.statuses['431']).toBeGreaterThan(0);
  expect(code).toBe(results.every(({ isWithinBounds }) => isWithinBounds) ? 0 : 1);
  expect(program.output()).toMatch(/^attack +p50 ms +p99 ms/m);
  expect(program.output()).toMatch(/^slow-headers +\d+ .* (yes|NO) *$/m);
  expect([await isListening(port), leftFolders()]).toEqual([false, []]);
});

it.each(['SIGINT', 'SIGKILL'] as const)('leaves nothing behind after %s', async (signal) => {
  const program = abuse('--store', 'memory', 'idle-connections');
  const port = await portOf(program);
  expect(await isListening(port)).toBe(true);
  program.child.kill(signal);
  await program.exit;
  await until(async () => !(await isListening(port)));
  if (signal === 'SIGINT') expect(leftFolders()).toEqual([]);
});

it('names the attacks when one is not known', async () => {
  const program = abuse('rudeness');
  expect((await program.exit).code).toBe(2);
  expect(program.errors()).toMatch(/no store or attack rudeness[\s\S]*slow-headers, slow-body/);
});
