/** A store that is only read, also while a gateway works on it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { ConfigError } from '../config/error.js';
import { KEY_BYTES, parseKey } from '../config/key.js';
import type { StoreConfig } from '../config/schema.js';
import { createEncryptor, type Encryptor } from './encryptor.js';
import { keyFromFile } from './key-file.js';
import { readMembers } from './lmdb-file.js';
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
export const openForReading = ({
  kind,
  path,
  url = '',
  encryptionKey,
}: StoreConfig): { readonly store: ReadableStore; readonly encryptor: Encryptor } => {
  if (kind === 'memory') throw new ConfigError(['store.kind: a store in memory ends with its gateway; there is nothing to read']);
  const given = encryptionKey === undefined ? undefined : parseKey(encryptionKey);
  const store = kind === 'redis' ? openRedisStore(url, SILENT) : openLmdb(path);
  return { store, encryptor: createEncryptor(given ?? (kind === 'lmdb' ? keyFromFile(path) : Buffer.alloc(KEY_BYTES))) };
};
