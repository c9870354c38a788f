/** How many calls to the vendor a write will need, about. */
import { capabilitiesOf } from '../clusters/directory.js';
import type { Target } from '../clusters/registry.js';
import type { NewItem } from '../writes/new-operation.js';

/** Who was there before is read once, in one page of short lists; what a single write came to is read for its caller. */
const READINGS = { ofBatch: 1, ofOne: 2 } as const;
/** A job is looked at so often, and so many at once. */
const LOOKS = 3;
const JOBS_A_LOOK = 100;

/** @param items those that are refused already have an outcome, and need none */
export const expectedCallsOf = (target: Target, items: readonly Pick<NewItem, 'steps' | 'outcome'>[]): number => {
  const { batch, writes } = capabilitiesOf(target);
  const counts = new Map<string, number>();
  for (const { steps, outcome } of items) if (!outcome) for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
  const sizes: Readonly<Record<string, number | undefined>> = batch;
  // What is to be ensured is mostly created.
  const sizeOf = (step: string): number => sizes[step === 'ensure' ? 'create' : step] ?? 1;
  const sends = [...counts].reduce((sum, [step, count]) => sum + Math.ceil(count / sizeOf(step)), 0);
  if (sends === 0) return 0;
  const looks = writes === 'job' ? LOOKS * Math.ceil(sends / JOBS_A_LOOK) : 0;
  return sends + looks + (items.length > 1 ? READINGS.ofBatch : READINGS.ofOne);
};
