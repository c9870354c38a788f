/** Which items of an operation are sent next. */

import { stepOf } from '../journal/item.js';
import type { ItemRecord } from '../journal/records.js';
import { firstGroup, groupsOf } from './grouping.js';
import type { Progress } from './progress.js';
import type { Limits } from './resource.js';

export interface Plan {
  /** The items of the next call; empty when none may be sent. @param taken items that are being sent, followed or in doubt */
  next(taken: ReadonlySet<number>): ItemRecord[];
  /** Sends these of a call in smaller company: in halves, where nothing of the call was settled. */
  sendApart(indexes: readonly number[], callSize: number): void;
}

const halves = (items: readonly number[]): number[][] => {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)].filter(({ length }) => length > 0);
};

/** A probe is made with an item that was sent least. */
export const leastSent = (group: readonly ItemRecord[]): ItemRecord =>
  group.reduce((least, item) => ((item.sends ?? 0) < (least.sends ?? 0) ? item : least));

/** @param inOrder whether nothing may be sent before all items before it are settled */
export const createPlan = (progress: Progress, limits: Limits, inOrder: boolean): Plan => {
  /** Smaller groups, of items that were refused together. */
  const apart: number[][] = [];

  const nextApart = (taken: ReadonlySet<number>): ItemRecord[] => {
    const stopsAt = progress.stopsAt();
    while (apart.length > 0) {
      const [group = []] = apart;
      const open = group.map(progress.item).filter(({ index, outcome }) => !outcome && index < stopsAt && !taken.has(index));
      const [first] = open;
      if (first) return open.filter((item) => stepOf(item) === stepOf(first));
      apart.shift();
    }
    return [];
  };

  return {
    next: (taken) => {
      if (inOrder && taken.size > 0) return [];
      const group = nextApart(taken);
      if (group.length > 0) return group;
      const unsettled = progress.unsettled();
      const [next = []] = inOrder ? firstGroup(unsettled, taken, limits, progress.stopsAt()) : groupsOf(unsettled, taken, limits);
      return next;
    },

    sendApart: (indexes, callSize) => {
      if (indexes.length > 0) apart.unshift(...(indexes.length === callSize ? halves(indexes) : [[...indexes]]));
    },
  };
};
