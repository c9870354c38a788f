import type { VendorCluster } from '../../src/adapter.js';
import type { Capabilities } from '../../src/model.js';
import type { ShanheConfig } from './config.js';

export const MAX_PAGE_SIZE = 100;

/**
 * The rules of `addUser` and `modifyUser`; `$` is missing from the former's page and named by the latter's.
 * yunify/qingcloud-docs: content/compute/hpc/api/users/adduser.md
 */
const EXCLUSIVE: Capabilities = {
  features: ['list', 'get', 'create', 'setPassword', 'delete'],
  roles: ['member'],
  username: {
    minLength: 1,
    maxLength: 8,
    pattern: '^[A-Za-z0-9_]+$',
    description: 'A username has 1 to 8 characters, letters, digits and underscores.',
  },
  password: {
    minLength: 12,
    maxLength: 30,
    minClasses: 1,
    pattern: '^[A-Za-z0-9!@#$%^&*()]+$',
    description: 'A password has 12 to 30 characters, letters, digits and the symbols ! @ # $ % ^ & * ( ).',
  },
  directoryMode: true,
  batch: { concurrency: 8, create: 1, setPassword: 1, delete: 1 },
  pageSize: MAX_PAGE_SIZE,
  search: 'gateway',
  writes: 'job',
};

/** A shared (`hpc`) cluster has the one user that was made with it: none can be added or deleted. */
const SHARED: Capabilities = {
  ...EXCLUSIVE,
  features: ['list', 'get', 'setPassword'],
  roles: [],
  directoryMode: false,
  batch: { concurrency: 8, setPassword: 1 },
};

export const capabilities = (cluster?: VendorCluster, config?: ShanheConfig): Capabilities => ({
  ...(cluster?.type === 'hpc' ? SHARED : EXCLUSIVE),
  ...(config && { search: config.search }),
});
