/** `npm test` is quick; `npm run test:soak` looks longer at what chance decides. */

/** Set by `jest.soak.config.js`. */
const { TEST_SOAK: isSoak = false } = globalThis as { readonly TEST_SOAK?: boolean };

/** How often a test of a file `*.scaled.test.ts` tries: it runs in both modes. */
export const runs = (quick: number, soak: number): number => (isSoak ? soak : quick);
