import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { BACKENDS } from '../support/backends.js';

const FOLDER = join('test', 'contract', 'backends');

it('has one file for each back-end', () => {
  const tested = readdirSync(FOLDER).map((file) => /contract\('(.+)'\)/.exec(readFileSync(join(FOLDER, file), 'utf8'))?.[1]);
  expect(tested.sort()).toEqual(BACKENDS.map(({ name }) => name).sort());
});
