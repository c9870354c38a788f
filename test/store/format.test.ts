/** A store that was written by others. */
import { expect, it } from '@jest/globals';
import { createEncryptor } from '../../src/store/encryptor.js';
import { checkStore, FORMAT_KEY } from '../../src/store/format.js';
import { createMemoryStore } from '../../src/store/memory.js';

const encryptor = createEncryptor(Buffer.alloc(32, 1));

it('takes a new store, and one that it has marked', async () => {
  const store = createMemoryStore();
  await checkStore(store, encryptor);
  await expect(checkStore(store, encryptor)).resolves.toBeUndefined();
});

it('refuses one that was written with another key', async () => {
  const store = createMemoryStore();
  await checkStore(store, encryptor);
  await expect(checkStore(store, createEncryptor(Buffer.alloc(32, 2)))).rejects.toThrow(
    'store.encryptionKey: the store was written with another key',
  );
});

it.each([
  ['earlier', {}, 'it has the format 1, and this version needs 3'],
  ['previous', { format: 2 }, 'it has the format 2, and this version needs 3'],
  ['later', { format: 4 }, 'it has the format 4, and this version needs 3'],
])('refuses the format of the %s version, and says what to do', async (_, format, words) => {
  const store = createMemoryStore();
  const record = { check: encryptor.fingerprint('the key of this store'), ...format };
  await store.change([], () => ({ result: undefined, put: { [FORMAT_KEY]: record } }));
  const checking = checkStore(store, encryptor);
  await expect(checking).rejects.toThrow(words);
  await expect(checking).rejects.toThrow('docs/upgrading.md');
  expect(await store.read([FORMAT_KEY])).toEqual([record]);
});
