/** `npm run test:soak`: the tests that run in no other mode, and those that only try less often in `npm test`. */
import quick from './jest.config.js';

const { testPathIgnorePatterns: _, ...shared } = quick;

export default {
  ...shared,
  testMatch: ['**/test/soak/**/*.test.ts', '**/*.scaled.test.ts'],
  globals: { TEST_SOAK: true },
  // The long tests work more and wait less.
  maxWorkers: 3,
};
