import { ConfigError } from '../../config/error.js';
import type { Store } from '../../store/store.js';
import type { Vault } from '../../store/vault.js';
import { keyOf } from './records.js';

interface VaultRecord {
  readonly check: string;
}

/**
 * Makes sure that the store was written with this very key, or is new: with another one, passwords that wait cannot be opened, and
 * idempotency keys are not known again.
 * @throws ConfigError
 */
export const checkVault = async (store: Store, vault: Vault): Promise<void> => {
  const check = vault.fingerprint('the key of this store');
  const known = await store.change<VaultRecord, string>([keyOf.vault], ([record]) =>
    record ? { result: record.check } : { result: check, put: { [keyOf.vault]: { check } satisfies VaultRecord } },
  );
  if (known === check) return;
  throw new ConfigError([
    'store.encryptionKey: the store was written with another key; all gateways on one store need the same (or, without one, the file key that was made beside it)',
  ]);
};
