/** What both hand-written TypeScript consumers use: names, comparisons and the order of the steps. */
import { deepStrictEqual } from 'node:assert';

export const CLUSTERS = ['demo-ehpc', 'demo-shanhe'];
export const PASSWORD = 'Choose@Your0wn';

export const expect = (what: string, actual: unknown, expected: unknown): void => deepStrictEqual(actual, expected, what);

/** Runs the steps in their order, and ends the program at the first surprise. */
export const runSteps = async (steps: Record<string, () => Promise<void>>): Promise<void> => {
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
    } catch (error) {
      console.error(`failed: ${name}:`, error);
      process.exit(1);
    }
    console.log(`ok ${name}`);
  }
};
