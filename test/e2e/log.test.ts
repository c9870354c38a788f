/** Lines of the log are written together; what an operator has to know is not kept back. */
import { afterEach, expect, it } from '@jest/globals';
import { endProcesses, run } from '../support/process.js';

afterEach(endProcesses);

/** Ends in the middle of what it does, as a process that is killed does. */
const killedAfter = (level: string) =>
  run(process.execPath, [
    '--input-type=module',
    '-e',
    `import { pino } from 'pino';
     import { openLogDestination } from './dist/api/log-destination.js';
     pino({ level: 'info' }, openLogDestination('json')).${level}('said');
     // The event loop does nothing more: what is written now is what was handed over at once.
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
     process.kill(process.pid, 'SIGKILL');`,
  ]);

it.each([
  ['warn', true],
  ['error', true],
  ['info', false],
] as const)('%s at once: %s', async (level, isThere) => {
  const program = killedAfter(level);
  await program.exit;
  expect(program.errors().includes('"said"')).toBe(isThere);
});
