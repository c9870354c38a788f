/** `npm run test:examples`: the programs in examples/, which need python3 and a shell. */
import quick from './jest.config.js';

const { testPathIgnorePatterns: _, ...shared } = quick;

export default { ...shared, testMatch: ['**/test/examples/**/*.test.ts'] };
