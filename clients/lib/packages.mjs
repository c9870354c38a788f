/** The Debian packages that a client needs: each with a file of it, by which it is found. */
import { existsSync, readFileSync } from 'node:fs';
import { CLIENTS } from './paths.mjs';

const listed = new Set(readFileSync(`${CLIENTS}debian-packages.txt`, 'utf8').split('\n'));

export const missingPackages = (needs) => {
  const names = Object.keys(needs);
  const unlisted = names.filter((name) => !listed.has(name));
  if (unlisted.length > 0) throw new Error(`debian-packages.txt lacks ${unlisted.join(', ')}`);
  return names.filter((name) => !existsSync(needs[name]));
};

export const installCommand = (names) => `apt-get install -y --no-install-recommends ${names.join(' ')}`;
