/** docs/cli.md shows what the program prints: each command of a `console` block is run, in order, against a demo. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createProgram } from '../../api/cli/program.js';
import { endProcesses, run } from '../support/process.js';
import { PROGRAM, startDemo } from './support.js';

interface Shown {
  readonly command: string;
  readonly output: string;
}

const shownIn = (path: string): Shown[] =>
  [...readFileSync(path, 'utf8').matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...output] = part.split('\n');
        return { command, output: output.join('\n').trimEnd() };
      }),
  );

/** What differs from run to run, with as many characters. */
const withoutChance = (text: string): string =>
  text
    .replace(/op_[0-9a-f]{32}/g, 'op_………')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'uuid')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
    .replace(/hpcgw_[\w-]{43}/g, 'hpcgw_………')
    .replace(/sha256:[0-9a-f]{64}/g, 'sha256:………')
    .replace(/in \d+ ms/g, 'in … ms');

const shown = shownIn('docs/cli.md');

let demo: Awaited<ReturnType<typeof startDemo>>;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(async () => {
  await demo.stop();
  endProcesses();
});

it.each(shown)('$command', async ({ command, output: expected }) => {
  const script = `hpc-gateway() { '${process.execPath}' ${PROGRAM} "$@"; }; exec 2>&1; ${command}`;
  const { exit, output } = run('bash', ['-c', script], { HPC_GATEWAY_URL: demo.url, HPC_GATEWAY_KEY: '' });
  await exit;
  expect(withoutChance(output().replaceAll(demo.url, 'http://127.0.0.1:8080').trimEnd())).toBe(withoutChance(expected));
});

it('shows the help of every command', () => {
  const names = (command: ReturnType<typeof createProgram>, path: string): string[] =>
    command.commands.flatMap((child) => {
      const name = `${path} ${child.name()}`;
      return child.commands.length > 0 ? names(child, name) : [name];
    });
  const commands = new Set(shown.map(({ command }) => command));
  for (const name of names(createProgram(), 'hpc-gateway')) expect([name, commands.has(`${name} --help`)]).toEqual([name, true]);
});
