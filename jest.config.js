/** Tests run as native ES modules; ts-jest only transpiles, `npm run typecheck` checks the types. */
export default {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/scripts/document.mjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/soak/', '<rootDir>/test/programs/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, diagnostics: false, tsconfig: 'tsconfig.json' }] },
  testTimeout: 120_000,
  // Many tests wait for a simulated vendor, so two more than the cores of a small machine; with many more, those with a deadline meet it.
  maxWorkers: 4,
};
