import type { Capabilities } from '../../src/model.js';

// EDIT: the vendor's own limits and rules, with the page that states them. The gateway refuses by this data before any call.
export const MAX_PAGE_SIZE = 100;

/** A feature is here exactly when index.ts has its method: create, setPassword and delete, but no setRole. */
export const CAPABILITIES: Capabilities = {
  features: ['list', 'get', 'create', 'setPassword', 'delete'],
  roles: ['member', 'admin'],
  username: {
    minLength: 3,
    maxLength: 32,
    pattern: '^[a-z][a-z0-9_]*$',
    description: 'A username has 3 to 32 characters, small letters, digits and underscores, and begins with a letter.',
  },
  password: {
    minLength: 10,
    maxLength: 64,
    minClasses: 3,
    pattern: null,
    description: 'A password has 10 to 64 characters and at least three of the classes upper case, lower case, digit and symbol.',
  },
  directoryMode: false,
  batch: { concurrency: 4, create: 20, setPassword: 20, delete: 20 },
  pageSize: MAX_PAGE_SIZE,
  search: 'gateway',
  writes: 'immediate',
};
