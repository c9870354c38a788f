/** A copy of the file of a store that may be in use: as of one moment, without the own keys of secrets. */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { ConfigError } from '../config/error.js';

const FILE = 'operations.mdb';
const OWNER_ONLY = { file: 0o600, folder: 0o700 };

/** There is a file where the copy would be. */
export class CopyExists extends Error {
  override readonly name = 'CopyExists';
}

/** @throws ConfigError where there is no store to copy; CopyExists */
export const copyLmdb = async (from: string, to: string): Promise<string> => {
  const [source, target] = [join(from, FILE), join(to, FILE)];
  if (!existsSync(source)) throw new ConfigError([`store.path: there is no ${source}`]);
  if (existsSync(target)) throw new CopyExists(`${target} is there already; name an empty folder.`);
  mkdirSync(to, { recursive: true, mode: OWNER_ONLY.folder });
  const root = open({ path: source, readOnly: true, maxDbs: 2, encoding: 'string' });
  try {
    await root.backup(target, true);
  } finally {
    await root.close();
  }
  chmodSync(target, OWNER_ONLY.file);
  return target;
};
