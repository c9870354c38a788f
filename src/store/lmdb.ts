import { chmodSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { ConfigError, errnoOf } from '../config/error.js';
import { type Store, storeUnavailable, type Value } from './store.js';

/** Sorts after every ASCII text. */
const END = '\uffff';

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

/** Only the owner may read who is in it, whatever the folder says. */
const FILES = ['operations.mdb', 'operations.mdb-lock'];

const openFile = (folder: string): RootDatabase => {
  try {
    const root = open({ path: join(folder, 'operations.mdb'), maxDbs: 2, encoding: 'json' });
    for (const file of FILES) chmodSync(join(folder, file), 0o600);
    return root;
  } catch (error) {
    throw new ConfigError([`store.path: the folder ${folder} cannot be used (${(error as Error).message})`]);
  }
};

/** Two in one process would wait for each other for ever; other processes may have it open. */
const opened = new Set<string>();

/**
 * An LMDB file in a folder, which the processes of one machine may share: LMDB lets one of them write at a time.
 * @throws ConfigError
 */
export const openLmdbStore = (folder: string): Store => {
  prepare(folder);
  const path = realpathSync(folder);
  if (opened.has(path)) throw new ConfigError([`store.path: ${folder} is open in this process already`]);
  const root = openFile(folder);
  opened.add(path);
  const records = root.openDB<Value, string>({ name: 'records', encoding: 'json' });
  const indexes = root.openDB<true, [string, string]>({ name: 'indexes', encoding: 'json' });

  let closing = false;

  /** Reads see one moment until the event loop has turned; what another process has written since counts, too. */
  const lookAnew = (): void => {
    if (closing) throw storeUnavailable();
    root.resetReadTxn();
  };

  return {
    durable: true,
    read: async <T extends Value>(keys: readonly string[]) => {
      lookAnew();
      return keys.map((key) => records.get(key) as T | undefined);
    },

    change: async (keys, decide) => {
      if (closing) throw storeUnavailable();
      // Asynchronous transactions of lmdb-js 3.5 now and then lose a change when several processes write; this one holds LMDB's own lock.
      const result = root.transactionSync(() => {
        const decision = decide(keys.map((key) => records.get(key) as never));
        for (const [key, value] of Object.entries(decision.put ?? {})) {
          if (value === null) records.remove(key);
          else records.put(key, value);
        }
        for (const [name, member] of decision.add ?? []) indexes.put([name, member], true);
        for (const [name, member] of decision.drop ?? []) indexes.remove([name, member]);
        return decision.result;
      });
      await root.flushed;
      return result;
    },

    members: async (index, { order, limit, after }) => {
      lookAnew();
      const range =
        order === 'ascending'
          ? { start: [index, after ?? ''], end: [index, END] }
          : { start: [index, after ?? END], end: [index, ''], reverse: true };
      const keys = indexes.getKeys({ ...range, limit: limit + 1 } as Parameters<typeof indexes.getKeys>[0]);
      return [...keys]
        .map(([, member]) => member)
        .filter((member) => member !== after)
        .slice(0, limit);
    },

    check: async () => undefined,
    close: async () => {
      closing = true;
      opened.delete(path);
      await root.close();
    },
  };
};
