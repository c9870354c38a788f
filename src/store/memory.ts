import { createStore, isLower, isTooHigh } from './backend.js';
import type { Store, Window } from './store.js';

/** The position of a member in a sorted list, there or not. */
const positionOf = (sorted: readonly string[], member: string): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < member) low = middle + 1;
    else high = middle;
  }
  return low;
};

const windowOf = (sorted: readonly string[], { order, limit, after }: Window): string[] => {
  if (order === 'ascending') {
    const at = after === undefined ? 0 : positionOf(sorted, after);
    const from = sorted[at] === after ? at + 1 : at;
    return sorted.slice(from, from + limit);
  }
  const to = after === undefined ? sorted.length : positionOf(sorted, after);
  return sorted.slice(Math.max(0, to - limit), to).reverse();
};

/** Kept in the process: for the demo, and for gateways whose operations may be forgotten. */
export const createMemoryStore = (): Store => {
  const records = new Map<string, string>();
  const indexes = new Map<string, string[]>();
  const counters = new Map<string, number>();
  const counterOf = (name: string): number => counters.get(name) ?? 0;
  const indexOf = (name: string): string[] => {
    const known = indexes.get(name) ?? [];
    indexes.set(name, known);
    return known;
  };

  return createStore({
    durable: false,
    shared: undefined,
    read: (keys) => keys.map((key) => records.get(key)),
    commit: async ({ expect, put, add, drop, count, rise }) => {
      if (expect.some(([key, text]) => records.get(key) !== text)) return 'refused';
      if (rise && !isLower(records.get(rise.key), rise)) return 'refused';
      if (count.some((each) => isTooHigh(counterOf(each.counter), each))) return 'full';
      for (const { counter, by } of count) counters.set(counter, counterOf(counter) + by);
      for (const [key, text] of put) {
        if (text === null) records.delete(key);
        else records.set(key, text);
      }
      for (const [name, member] of add) {
        const sorted = indexOf(name);
        const at = positionOf(sorted, member);
        if (sorted[at] !== member) sorted.splice(at, 0, member);
      }
      for (const [name, member] of drop) {
        const sorted = indexOf(name);
        const at = positionOf(sorted, member);
        if (sorted[at] === member) sorted.splice(at, 1);
        if (sorted.length === 0) indexes.delete(name);
      }
      return 'done';
    },
    members: async (index, window) => windowOf(indexes.get(index) ?? [], window),
    check: async () => undefined,
    close: async () => undefined,
  });
};
