import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { ConfigError, errnoOf } from '../config/error.js';
import type { Store, Value } from './store.js';

/** Sorts after every ASCII text. */
const END = '\uffff';

const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError([`store.path: the folder ${folder} cannot be made (${errnoOf(error)})`]);
  }
};

/**
 * An LMDB file in a folder, which the processes of one machine may share: LMDB lets one of them write at a time.
 * @throws ConfigError
 */
export const openLmdbStore = (folder: string): Store => {
  makeFolder(folder);
  const root = open({ path: join(folder, 'operations.mdb'), maxDbs: 2, encoding: 'json' });
  const records = root.openDB<Value, string>({ name: 'records', encoding: 'json' });
  const indexes = root.openDB<true, [string, string]>({ name: 'indexes', encoding: 'json' });

  /** Reads see one moment until the event loop has turned; what another process has written since counts, too. */
  const lookAnew = (): void => root.resetReadTxn();

  return {
    durable: true,
    read: async <T extends Value>(keys: readonly string[]) => {
      lookAnew();
      return keys.map((key) => records.get(key) as T | undefined);
    },

    change: async (keys, decide) => {
      const result = await root.transaction(() => {
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
    close: () => root.close(),
  };
};
