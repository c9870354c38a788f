import type { Store, Value, Window } from './store.js';

/** Where a member stands in a sorted list, or would stand. */
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
  /** As text, so that nobody changes what is kept by changing what was read. */
  const records = new Map<string, string>();
  const indexes = new Map<string, string[]>();
  const read = <T extends Value>(keys: readonly string[]): (T | undefined)[] =>
    keys.map((key) => {
      const text = records.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    });
  const indexOf = (name: string): string[] => {
    const known = indexes.get(name) ?? [];
    indexes.set(name, known);
    return known;
  };

  return {
    durable: false,
    read: async (keys) => read(keys),
    change: async (keys, decide) => {
      const { result, put = {}, add = [], drop = [] } = decide(read(keys));
      for (const [key, value] of Object.entries(put)) {
        if (value === null) records.delete(key);
        else records.set(key, JSON.stringify(value));
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
      return result;
    },
    members: async (index, window) => windowOf(indexes.get(index) ?? [], window),
    check: async () => undefined,
    close: async () => undefined,
  };
};
