/** Which items go to the vendor together. */

import { hasAnotherStep, stepOf } from '../journal/item.js';
import type { ItemRecord } from '../journal/records.js';
import type { Limits } from './resource.js';

/** Items that may be sent now: nobody is at them, and what comes before for the same thing is settled. */
const readyOf = (unsettled: readonly ItemRecord[], busy: ReadonlySet<number>): ItemRecord[] => {
  const earlier = new Set<string>();
  return unsettled.filter(({ index, name }) => {
    const isNext = !earlier.has(name);
    earlier.add(name);
    return isNext && !busy.has(index);
  });
};

/** All that may be sent, step by step, in the vendor's batch sizes. */
export const groupsOf = (unsettled: readonly ItemRecord[], busy: ReadonlySet<number>, { sizes }: Limits): ItemRecord[][] => {
  const bySteps = new Map<string, ItemRecord[]>();
  for (const item of readyOf(unsettled, busy)) {
    const group = bySteps.get(stepOf(item)) ?? [];
    group.push(item);
    bySteps.set(stepOf(item), group);
  }
  return [...bySteps].flatMap(([step, group]) => {
    const size = sizes[step] ?? 1;
    return Array.from({ length: Math.ceil(group.length / size) }, (_, at) => group.slice(at * size, (at + 1) * size));
  });
};

/** Where order counts: what stands first, and what follows it that can go in the same call. Empty while something is under way. */
export const firstGroup = (
  unsettled: readonly ItemRecord[],
  busy: ReadonlySet<number>,
  { sizes }: Limits,
  stopsAt: number,
): ItemRecord[][] => {
  const [first] = unsettled;
  if (!first || busy.size > 0) return [];
  const step = stepOf(first);
  const ready = new Set(readyOf(unsettled, busy));
  const group: ItemRecord[] = [];
  for (const item of unsettled) {
    const fits = item.index < stopsAt && stepOf(item) === step && ready.has(item) && group.length < (sizes[step] ?? 1);
    if (!fits) break;
    group.push(item);
    if (hasAnotherStep(item)) break;
  }
  return group.length > 0 ? [group] : [];
};
