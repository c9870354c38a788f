/** A store that is only read, also while a gateway works on it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { ConfigError } from '../config/error.js';
import type { StoreConfig } from '../config/schema.js';
import type { Encryptor } from './encryptor.js';
import { readMembers } from './lmdb-file.js';
import { encryptorOf, redisUrlOf } from './open.js';
import { openRedisStore } from './redis.js';
import { SILENT, type Store, type Value } from './store.js';

export interface ReadableStore extends Pick<Store, 'read' | 'members' | 'close'> {}

const openLmdb = (folder: string): ReadableStore => {
  const path = join(folder, 'operations.mdb');
  if (!existsSync(path)) throw new ConfigError([`store.path: the folder ${folder} holds no store`]);
  const root = open({ path, maxDbs: 2, encoding: 'string', readOnly: true });
  const records = root.openDB<string, string>({ name: 'records', encoding: 'string' });
  const indexes = root.openDB<string, [string, string]>({ name: 'indexes', encoding: 'string' });
  return {
    read: async <T extends Value>(keys: readonly string[]) =>
      keys.map((key) => {
        const text = records.get(key);
        return text === undefined ? undefined : (JSON.parse(text) as T);
      }),
    members: async (index, window) => readMembers(indexes, index, window),
    close: () => root.close(),
  };
};

/** @throws ConfigError where there is none, or its key is not there */
export const openForReading = (config: StoreConfig): { readonly store: ReadableStore; readonly encryptor: Encryptor } => {
  if (config.kind === 'memory')
    throw new ConfigError(['store.kind: a store in memory ends with its gateway; there is nothing to read']);
  const store = config.kind === 'redis' ? openRedisStore(redisUrlOf(config), SILENT) : openLmdb(config.path);
  return { store, encryptor: encryptorOf(config) };
};
