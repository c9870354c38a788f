import { randomBytes } from 'node:crypto';
import { KEY_BYTES, parseKey } from '../config/key.js';
import type { StoreConfig } from '../config/schema.js';
import { createEncryptor, type Encryptor } from './encryptor.js';
import { keyFromFile } from './key-file.js';
import { openLmdbStore } from './lmdb.js';
import { createMemoryStore } from './memory.js';
import { openRedisStore } from './redis.js';
import type { Store, StoreEvents } from './store.js';

export interface OpenStore {
  readonly store: Store;
  readonly encryptor: Encryptor;
}

/**
 * The store that the configuration asks for, and what seals the passwords in it.
 * @throws ConfigError when the folder or its key cannot be used
 */
export const openStore = ({ kind, path, url, encryptionKey }: StoreConfig, events: StoreEvents): OpenStore => {
  const given = encryptionKey === undefined ? undefined : parseKey(encryptionKey.unwrap());
  switch (kind) {
    case 'memory':
      return { store: createMemoryStore(), encryptor: createEncryptor(given ?? randomBytes(KEY_BYTES)) };
    case 'lmdb': {
      const store = openLmdbStore(path, events);
      return { store, encryptor: createEncryptor(given ?? keyFromFile(path)) };
    }
    case 'redis':
      return { store: openRedisStore(url?.unwrap() ?? '', events), encryptor: createEncryptor(given ?? randomBytes(KEY_BYTES)) };
  }
};
