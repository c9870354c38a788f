/**
 * Requests made from the document, against the built gateway over both simulators, several at a time: whatever is sent, the answer is documented,
 * bounded, in time and no fault of the gateway. See `check.ts` for what holds for each.
 */
import { expect, it } from '@jest/globals';
import { givenSeed, printedSeed } from '../support/seed.js';
import { createTally, explore, LANES, type Tally } from './run.js';
import { DEADLINE_MS, type Health, type StoreKind, startWorld } from './world.js';

const LIMIT_MS = 60 * 60_000;
/** The same requests for everybody, so that a failure is of the change; `TEST_SEED=random` explores. */
const SEED = 20_261_127;
const MAX_GROWTH_BYTES = 32 * 1_048_576;

export interface FuzzOptions {
  readonly store: StoreKind;
  readonly requests: number;
  /** Vendors misbehave now and then. */
  readonly isFaulty?: boolean;
  /** Of the event loop; only for runs that are long enough and have a machine to themselves. */
  readonly maxGapMs?: number;
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const summary = (seed: number, { sent, slowestMs, outcomes }: Tally, { gapMs, heapBytes }: Health, warm: Health): string => {
  const counts = [...outcomes].sort().map(([outcome, count]) => `${outcome}×${count}`);
  const grown = ((heapBytes - warm.heapBytes) / 1_048_576).toFixed(1);
  return `${printedSeed(seed, null)}: ${sent} requests, slowest ${Math.round(slowestMs)} ms, heap +${grown} MiB, longest gap ${Math.round(Math.max(gapMs, warm.gapMs))} ms, ${counts.join(', ')}`;
};

export const fuzz = ({ store, requests, isFaulty = false, maxGapMs }: FuzzOptions): void => {
  const vendors = isFaulty ? 'vendors that misbehave' : 'good vendors';
  it(
    `${store}, ${vendors}: ${requests} requests are answered as documented`,
    async () => {
      const { seed, path } = givenSeed() ?? { seed: SEED };
      const world = await startWorld(store);
      const tally = createTally();
      const circumstances = { deadlineMs: DEADLINE_MS, isFaulty };
      try {
        // Its start is no part of the gaps.
        await world.health();
        // The first quarter warms it up.
        const [first, rest] = path === undefined ? [requests / 4, (requests * 3) / 4] : [1, 0];
        const from = { seed, ...(path !== undefined && { path }) };
        expect(await explore(world, { circumstances, tally, requests: first, from })).toBe('');
        const warm = await world.health();
        const next = { seed: seed + LANES };
        if (rest > 0) expect(await explore(world, { circumstances, tally, requests: rest, from: next })).toBe('');
        const end = await world.health();
        say(summary(seed, tally, end, warm));
        expect(world.complaints()).toEqual([]);
        expect(end.heapBytes - warm.heapBytes).toBeLessThan(MAX_GROWTH_BYTES);
        if (maxGapMs !== undefined) expect(end.gapMs).toBeLessThan(maxGapMs);
      } finally {
        await world.close();
      }
    },
    LIMIT_MS,
  );
};
