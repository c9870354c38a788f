/** A store that was written by others. */
import { expect, it } from '@jest/globals';
import { keyOf } from '../../src/journal/records.js';
import { checkStore } from '../../src/store/format.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { createVault } from '../../src/store/vault.js';

const vault = createVault(Buffer.alloc(32, 1));

it('takes a new store, and one that it has marked', async () => {
  const store = createMemoryStore();
  await checkStore(store, vault);
  await expect(checkStore(store, vault)).resolves.toBeUndefined();
});

it('refuses one that was written with another key', async () => {
  const store = createMemoryStore();
  await checkStore(store, vault);
  await expect(checkStore(store, createVault(Buffer.alloc(32, 2)))).rejects.toThrow(
    'store.encryptionKey: the store was written with another key',
  );
});

it.each([
  ['earlier', {}, 'it has the format 1, and this version needs 2'],
  ['later', { format: 3 }, 'it has the format 3, and this version needs 2'],
])('refuses the format of an %s version, and says what to do', async (_, format, words) => {
  const store = createMemoryStore();
  const record = { check: vault.fingerprint('the key of this store'), ...format };
  await store.change([], () => ({ result: undefined, put: { [keyOf.vault]: record } }));
  const checking = checkStore(store, vault);
  await expect(checking).rejects.toThrow(words);
  await expect(checking).rejects.toThrow('docs/upgrading.md');
  expect(await store.read([keyOf.vault])).toEqual([record]);
});
