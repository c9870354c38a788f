/** `npm run test:clients`, up to where it would begin. */
import { afterEach, expect, it } from '@jest/globals';
import { endProcesses, run } from '../support/process.js';

afterEach(endProcesses);

it.each([
  ['--ulr=http://h', 'There is no option --ulr=http://h, but --url=URL.\n'],
  ['--url=', 'The option is --url=URL.\n'],
  ['pyhton', expect.stringContaining('There is no client pyhton, but python, java')],
])('refuses %s', async (argument, words) => {
  const { exit, output, errors } = run(process.execPath, ['clients/run.mjs', argument]);
  expect([(await exit).code, output(), errors()]).toEqual([1, '', words]);
});
