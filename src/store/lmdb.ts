import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError, errnoOf } from '../config/error.js';
import { createStore } from './backend.js';
import { type FolderLock, holderOf, lockFolder } from './folder-lock.js';
import { createHealth } from './health.js';
import { type LmdbFile, openLmdbFile } from './lmdb-file.js';
import { SILENT, type Store, type StoreEvents, storeUnavailable } from './store.js';

/** How often a folder that another process holds, or that could not be opened, is tried again. */
const LOOK_MS = 250;

/** One folder after the other: Node's own way down does not end where a file system takes no folders. */
const makeFolders = (folder: string): void => {
  if (existsSync(folder)) return;
  makeFolders(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
};

const prepare = (folder: string): void => {
  try {
    makeFolders(resolve(folder));
    if (!statSync(folder).isDirectory()) throw new ConfigError([`store.path: ${folder} is not a folder`]);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`store.path: the folder ${folder} cannot be made (${errnoOf(error)})`]);
  }
};

/**
 * An LMDB file in a folder that belongs to one process. Another process that opens the folder is a standby: its store is unavailable until
 * the first one ends, and then takes over.
 * @throws ConfigError when the folder cannot be used
 */
export const openLmdbStore = (folder: string, events: StoreEvents = SILENT): Store => {
  prepare(folder);
  const health = createHealth(events);
  let lock: FolderLock | undefined;
  let file: LmdbFile | undefined;
  let closing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const openFile = (): void => {
    file = openLmdbFile(folder, {
      written: health.up,
      failed: (reason, isFatal) => {
        health.down(reason);
        if (isFatal) void reopen();
      },
    });
  };

  /** @throws an error of the file system, or of LMDB */
  const tryToOpen = (): boolean => {
    lock ??= lockFolder(folder);
    if (!lock) return false;
    openFile();
    return true;
  };

  const standbyReason = (): string =>
    `is a standby: ${holderOf(folder)} holds the folder ${folder}. This process takes over when that one ends`;

  const openLater = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (closing) return;
      try {
        if (tryToOpen()) {
          health.up();
          return;
        }
        health.down(standbyReason());
      } catch (error) {
        health.down(`cannot be opened (${(error as Error).message})`);
      }
      openLater();
    }, LOOK_MS);
  };

  const reopen = async (): Promise<void> => {
    const failed = file;
    file = undefined;
    await failed?.close().catch(() => undefined);
    if (!closing) openLater();
  };

  const opened = (): LmdbFile => {
    if (closing) throw storeUnavailable('is closed');
    if (!file) throw storeUnavailable(health.reason());
    return file;
  };

  try {
    if (!tryToOpen()) {
      health.down(standbyReason());
      openLater();
    }
  } catch (error) {
    lock?.release();
    throw new ConfigError([`store.path: the folder ${folder} cannot be used (${(error as Error).message})`]);
  }

  return createStore({
    durable: true,
    shared: undefined,
    read: (keys) => opened().read(keys),
    commit: (change) => opened().commit(change),
    early: { read: (keys) => opened().early.read(keys), confirm: (keys) => opened().early.confirm(keys) },
    members: async (index, window) => opened().members(index, window),
    check: async () => {
      const { commit } = opened();
      // Whether it is still so shows when it is tried.
      if (health.reason() !== undefined) await commit({ expect: [], put: [['probe', '{}']], add: [], drop: [], count: [] });
    },
    close: () => {
      closing ??= (async () => {
        clearTimeout(timer);
        await file?.close();
        lock?.release();
      })();
      return closing;
    },
  });
};
