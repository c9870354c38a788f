/** Whether a store can be used: written in this format, with this key. */
import { ConfigError } from '../config/error.js';
import type { Encryptor } from './encryptor.js';
import type { Store } from './store.js';

/** Where both are kept. */
export const FORMAT_KEY = 'vault';

/** Of all records. A store of another format is not read. 1: until 0.2, without this number. 2: secrets had no keys of their own. */
const FORMAT = 3;

interface StoreRecord {
  /** What the key makes of a known text. */
  readonly check: string;
  readonly format?: number;
}

/**
 * Marks a new store. With another key, passwords that wait cannot be opened, and idempotency keys are not known again.
 * @throws ConfigError
 */
export const checkStore = async (store: Store, encryptor: Encryptor): Promise<void> => {
  const own = { check: encryptor.fingerprint('the key of this store'), format: FORMAT };
  const known = await store.change<StoreRecord, StoreRecord>([FORMAT_KEY], ([record]) =>
    record ? { result: record } : { result: own, put: { [FORMAT_KEY]: own } },
  );
  if (known.format !== FORMAT)
    throw new ConfigError([
      `store: it has the format ${known.format ?? 1}, and this version needs ${FORMAT}. Let the operations end with the version that wrote it, then use an empty store; see docs/upgrading.md`,
    ]);
  if (known.check === own.check) return;
  throw new ConfigError([
    'store.encryptionKey: the store was written with another key; all gateways on one store need the same (or, without one, the file key that was made beside it)',
  ]);
};
