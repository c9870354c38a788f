import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The nearest folder above with a package.json: the same for the sources and for what is built from them. */
const root = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

/** A file of the project by its path from the top. */
export const projectFile = (path: string): string => join(root, path);

export const version = String((JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as { version: unknown }).version);
