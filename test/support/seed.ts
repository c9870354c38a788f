/** What chance decides in a test can be repeated: a failure prints the value of `TEST_SEED` that repeats it. */

export interface Seed {
  readonly seed: number;
  /** The way to one case of the seed, as fast-check writes it. */
  readonly path?: string;
}

/** The seed to repeat, from `TEST_SEED=SEED` or `TEST_SEED=SEED/PATH`; undefined where chance decides. */
export const givenSeed = (): Seed | undefined => {
  const { TEST_SEED: given } = process.env;
  if (given === undefined || given === '') return undefined;
  const [seed = '', path] = given.split('/');
  if (!/^-?\d+$/.test(seed)) throw new Error(`TEST_SEED is SEED or SEED/PATH, not ${given}`);
  return { seed: Number(seed), ...(path !== undefined && { path }) };
};

export const printedSeed = (seed: number, path: string | null): string => `TEST_SEED=${seed}${path === null ? '' : `/${path}`}`;
