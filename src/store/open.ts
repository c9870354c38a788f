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

/** Of the key that is configured, or was made beside the store; of one that nobody knows where neither can be. */
export const encryptorOf = ({ kind, path, encryptionKey }: StoreConfig): Encryptor => {
  const given = encryptionKey === undefined ? undefined : parseKey(encryptionKey.unwrap());
  return createEncryptor(given ?? (kind === 'lmdb' ? keyFromFile(path) : randomBytes(KEY_BYTES)));
};

export const redisUrlOf = ({ url }: StoreConfig): string => url?.unwrap() ?? '';

const storeOf = (config: StoreConfig, events: StoreEvents): Store => {
  switch (config.kind) {
    case 'memory':
      return createMemoryStore();
    case 'lmdb':
      return openLmdbStore(config.path, events);
    case 'redis':
      return openRedisStore(redisUrlOf(config), events);
  }
};

/**
 * The store that the configuration asks for, and what seals the passwords in it.
 * @throws ConfigError when the folder or its key cannot be used
 */
export const openStore = (config: StoreConfig, events: StoreEvents): OpenStore => {
  const store = storeOf(config, events);
  return { store, encryptor: encryptorOf(config) };
};
