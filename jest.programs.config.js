/** `npm run test:programs`: what needs more than Node: the examples (python3, a shell), and the shell command in a real terminal (tmux). */
import quick from './jest.config.js';

const { testPathIgnorePatterns: _, ...shared } = quick;

export default { ...shared, testMatch: ['**/test/programs/**/*.test.ts'] };
