/**
 * A model-based test: random writes, faults of the vendor, crashes of the gateway and wrong clocks, over a simulated vendor. After each
 * command, when its operations have ended, these hold:
 * - Every operation ends.
 * - For each user there is an order in which the items did exactly what they are reported as, and the vendor's journal shows nothing
 *   else (`history.ts`): nobody is created twice or lost, `created`, `deleted` and `updated` have their effect, everything else but
 *   `unknown` has none, a name is `already_exists` or `not_found` only where it was so, and the password in place is that of the last
 *   item which set one.
 * - A single write is answered as its operation reports it; a repetition with its key changes nothing and contradicts nothing.
 * - Where no fault was met and no gateway died, the reports are those of a plain model (`model.ts`), so none is `unknown`.
 * - The vendor got no more calls than a formula of items, pages and faults allows (`bounds.ts`).
 * - No answer and no log line shows a password or a key.
 *
 * The same with two gateways on one store, which is out of reach of one of them, does not answer it, or fails over to a replica that lags.
 *
 * Left out, since no evidence can decide it (docs/design/verdicts.md, "What stays open"): another party that creates or deletes the user less than
 * four seconds before a write or during it, and a clock that is set meanwhile.
 */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../support/mode.js';
import { givenSeed, printedSeed } from '../support/seed.js';
import { plans, sharedPlans } from './arbitraries.js';
import type { Plan, VendorName } from './plan.js';
import { runPlan } from './run.js';

const MAX_COMMANDS = 6;
/** Of one vendor. */
const RUNS = runs(25, 150);
/** Runs mostly wait, so several are made at a time, each lane with a seed of its own. */
const LANES = 5;
const LIMIT_MS = 60 * 60_000;
const MAX_MS = 8 * 60_000;
/** The same runs for everybody, so that a failure is of the change; `TEST_SEED=random` explores. */
const SEED = 20_261_126;

const show = (plan: Plan): string => JSON.stringify(plan, null, 1);

/** So many failures of a lane may turn out not to happen again: more are one. */
const MAX_UNREPEATED = 2;

/** @returns why a run failed, and how to repeat it; undefined where all went well */
const lane = async (
  drawn: fc.Arbitrary<Plan>,
  tries: number,
  firstSeed: number,
  path: string | undefined,
): Promise<string | undefined> => {
  const property = fc.asyncProperty(drawn, runPlan);
  let left = tries / LANES;
  let seed = firstSeed;
  for (let unrepeated = 0; left > 0; unrepeated += 1) {
    const given = path !== undefined && seed === firstSeed ? { path } : {};
    const { failed, numRuns, counterexamplePath, counterexample, errorInstance } = await fc.check(property, {
      numRuns: left,
      seed,
      // Runs and shrinking together: the shortest counterexample found by then will do.
      interruptAfterTimeLimit: MAX_MS,
      markInterruptAsFailure: true,
      ...given,
    });
    if (!failed) return undefined;
    const found = `${printedSeed(seed, counterexamplePath)}\n${String(errorInstance)}`;
    const repeated = await fc.check(property, {
      numRuns: 1,
      seed,
      endOnFailure: true,
      ...(counterexamplePath !== null && { path: counterexamplePath }),
    });
    if (repeated.failed || unrepeated === MAX_UNREPEATED) return `${found}\n${counterexample ? show(counterexample[0]) : ''}`;
    // Runs depend on the moment, too. What does not happen again is printed, and is to be looked into; the other runs go on.
    process.stderr.write(`not repeated: ${found}\n`);
    left -= numRuns;
    seed += LANES;
  }
  return undefined;
};

export const model = (vendor: VendorName, isShared = false): void => {
  const gateways = isShared ? 'two gateways on one store' : 'one gateway';
  const drawn = (isShared ? sharedPlans : plans)(vendor, MAX_COMMANDS);
  it(
    `${vendor}, ${gateways}: whatever goes wrong, what is reported is what happened (${RUNS} runs)`,
    async () => {
      const { seed, path } = givenSeed() ?? { seed: SEED };
      const seeds = Array.from({ length: path === undefined ? LANES : 1 }, (_, index) => seed + index);
      const failures = await Promise.all(seeds.map((laneSeed) => lane(drawn, RUNS, laneSeed, path)));
      expect(failures.filter((failure) => failure !== undefined).join('\n\n')).toBe('');
    },
    LIMIT_MS,
  );
};
