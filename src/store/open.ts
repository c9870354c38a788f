import { randomBytes } from 'node:crypto';
import { KEY_BYTES, parseKey } from '../config/key.js';
import type { StoreConfig } from '../config/schema.js';
import { keyFromFile } from './key-file.js';
import { openLmdbStore } from './lmdb.js';
import { createMemoryStore } from './memory.js';
import { openRedisStore } from './redis.js';
import type { Store, StoreEvents } from './store.js';
import { createVault, type Vault } from './vault.js';

export interface OpenStore {
  readonly store: Store;
  readonly vault: Vault;
}

/**
 * The store that the configuration asks for, and what seals the passwords in it.
 * @throws ConfigError when the folder or its key cannot be used
 */
export const openStore = ({ kind, path, url = '', encryptionKey }: StoreConfig, events: StoreEvents): OpenStore => {
  const given = encryptionKey === undefined ? undefined : parseKey(encryptionKey);
  switch (kind) {
    case 'memory':
      return { store: createMemoryStore(), vault: createVault(given ?? randomBytes(KEY_BYTES)) };
    case 'lmdb': {
      const store = openLmdbStore(path, events);
      return { store, vault: createVault(given ?? keyFromFile(path)) };
    }
    case 'redis':
      return { store: openRedisStore(url, events), vault: createVault(given ?? randomBytes(KEY_BYTES)) };
  }
};
