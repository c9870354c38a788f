import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, errnoOf } from '../config/error.js';
import { KEY_BYTES, parseKey } from '../config/key.js';

const OTHERS = 0o077;

/** Whole or not at all, and never over another: processes may start at the same time. */
const makeOnce = (path: string): void => {
  const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
};

/**
 * The key of the file `key` in the folder, which is made when there is none.
 * @throws ConfigError
 */
export const keyFromFile = (folder: string): Buffer => {
  const path = join(folder, 'key');
  let text: string;
  try {
    if (!existsSync(path)) makeOnce(path);
    if (process.platform !== 'win32' && (statSync(path).mode & OTHERS) !== 0)
      throw new ConfigError([`store.path: others may read ${path}, the key of the stored passwords; chmod 600 it`]);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`store.path: the key ${path} cannot be made or read (${errnoOf(error)})`]);
  }
  const key = parseKey(text.trim());
  if (!key) throw new ConfigError([`store.path: ${path} holds no key of ${KEY_BYTES} bytes in base64`]);
  return key;
};
