/** How much code a generator wrote. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

export const count = (folder, extension) => {
  const names = readdirSync(folder, { recursive: true }).filter((name) => extname(name) === extension);
  const lines = names.map((name) => readFileSync(join(folder, name), 'utf8').split('\n').length - 1);
  return { files: names.length, lines: lines.reduce((sum, n) => sum + n, 0) };
};
