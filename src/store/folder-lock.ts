/** A folder that belongs to one process: a lock of the operating system's, which ends with its process and not with its absence. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';

export interface FolderLock {
  release(): void;
}

const pathIn = (folder: string): string => join(folder, 'lock');

/** Without truncating: it may be the holder's. */
const CREATE_AND_KEEP = 'a+';

/**
 * Undefined where another process holds the folder.
 * @throws an error of the file system
 */
export const lockFolder = (folder: string): FolderLock | undefined => {
  const fd = openSync(pathIn(folder), CREATE_AND_KEEP, 0o600);
  try {
    if (!tryLock(fd)) {
      closeSync(fd);
      return undefined;
    }
    ftruncateSync(fd);
    writeSync(fd, `process ${process.pid} on ${hostname()}`);
    return { release: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
};

/** Who holds the folder, in words. */
export const holderOf = (folder: string): string => {
  try {
    return readFileSync(pathIn(folder), 'utf8').trim() || 'another process';
  } catch {
    // Some systems do not let others read what is locked.
    return 'another process';
  }
};
