import type { Capabilities } from '../../src/model.js';
import { MAX_PAGE_SIZE } from './listing.js';

/** The rules of version 2018-04-12: https://help.aliyun.com/zh/e-hpc/e-hpc-1-0/developer-reference/api-ehpc-2018-04-12-addusers */
export const CAPABILITIES: Capabilities = {
  features: ['list', 'get', 'create', 'setRole', 'setPassword', 'delete'],
  roles: ['member', 'admin'],
  username: {
    minLength: 6,
    maxLength: 30,
    pattern: '^[A-Za-z][A-Za-z0-9.]*$',
    description: 'A username has 6 to 30 characters, letters, digits and dots, and begins with a letter.',
  },
  password: {
    minLength: 8,
    maxLength: 30,
    minClasses: 3,
    pattern: null,
    description:
      'A password has 8 to 30 characters and at least three of the classes upper case, lower case, digit and symbol. Which symbols are taken is for the vendor to say.',
  },
  directoryMode: false,
  // A second operation on a cluster may be refused with ConflictOpt while one is running.
  batch: { concurrency: 1, create: 100, setRole: 100, setPassword: 100, delete: 100 },
  pageSize: MAX_PAGE_SIZE,
  search: 'gateway',
  writes: 'immediate',
};
