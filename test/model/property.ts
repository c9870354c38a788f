import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../support/mode.js';
import { givenSeed, printedSeed } from '../support/seed.js';
import { plans } from './arbitraries.js';
import type { Plan, VendorName } from './plan.js';
import { runPlan } from './run.js';

const MOST_COMMANDS = 6;
/** Both vendors together: 100 and 2,000. */
const RUNS = runs(50, 1_000);
const LIMIT_MS = 60 * 60_000;

const show = (plan: Plan): string => JSON.stringify(plan, null, 1);

export const model = (vendor: VendorName): void => {
  it(
    `${vendor}: whatever goes wrong, what is reported is what happened (${RUNS} runs)`,
    async () => {
      const property = fc.asyncProperty(plans(vendor, MOST_COMMANDS), runPlan);
      const given = givenSeed();
      const details = await fc.check(property, { numRuns: RUNS, ...given });
      if (!details.failed) return;
      const { seed, counterexamplePath, counterexample, errorInstance } = details;
      const [plan] = counterexample ?? [];
      const text = `${printedSeed(seed, counterexamplePath)}\n${plan ? show(plan) : ''}\n${String(errorInstance)}`;
      expect(text).toBe('');
    },
    LIMIT_MS,
  );
};
