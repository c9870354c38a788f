/** `hpc-gateway store copy FOLDER`: a backup of a store that is in use. */
import { adapters } from '../../adapters/index.js';
import { environment } from '../../src/config/environment.js';
import { loadConfig } from '../../src/config/load.js';
import { CopyExists, copyLmdb } from '../../src/store/lmdb-copy.js';
import { UsageError } from './usage.js';

/** @throws UsageError, ConfigError */
export const copyStore = async (folder: string): Promise<string> => {
  const { HPC_GATEWAY_CONFIG: path } = environment;
  if (!path) throw new UsageError('HPC_GATEWAY_CONFIG has to name the configuration, whose store is copied.');
  const { store } = loadConfig(path, adapters, environment);
  if (store.kind !== 'lmdb')
    throw new UsageError(`store.kind is ${store.kind}: only the folder of lmdb can be copied. Redis has backups of its own.`);
  const copy = await copyLmdb(store.path, folder).catch((error: unknown) => {
    if (error instanceof CopyExists) throw new UsageError(error.message);
    // Only the system's own failures have such a code, and the store itself is opened by LMDB.
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    throw new UsageError(`${folder} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  });
  return `${copy} is a copy as of now. Keep it apart from the key of the store (store.encryptionKey, or the file key in ${store.path}): who has both can read
what was stored. Passwords of writes that are open are not in it. How to go back to it: docs/upgrading.md\n`;
};
