/** What chance decides in a test can be repeated: a failure prints the value of `TEST_SEED` that repeats it. */
import { randomInt } from 'node:crypto';

export interface Seed {
  readonly seed: number;
  /** The way to one case of the seed, as fast-check writes it. */
  readonly path?: string;
}

const MAX_SEED = 2 ** 31 - 100;

/** The seed of `TEST_SEED=SEED`, `TEST_SEED=SEED/PATH` or `TEST_SEED=random`; undefined without it. */
export const givenSeed = (): Seed | undefined => {
  const { TEST_SEED: given } = process.env;
  if (given === undefined || given === '') return undefined;
  if (given === 'random') return { seed: randomInt(MAX_SEED) };
  const [seed = '', path] = given.split('/');
  if (!/^-?\d+$/.test(seed)) throw new Error(`TEST_SEED is SEED or SEED/PATH, not ${given}`);
  return { seed: Number(seed), ...(path !== undefined && { path }) };
};

export const printedSeed = (seed: number, path: string | null): string => `TEST_SEED=${seed}${path === null ? '' : `/${path}`}`;
