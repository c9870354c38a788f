/** Reading operations, and what operations did lately. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Value } from '../store/store.js';
import type { JournalDeps } from './deps.js';
import type { Journal } from './journal.js';
import {
  type ItemRecord,
  indexes,
  itemKeysOf,
  keyOf,
  LATELY_MS,
  type LoadedOperation,
  lastTouched,
  type OpenRef,
  type OperationRecord,
  type ThingRecord,
} from './records.js';

/** Open operations that are read at once, and at most. */
const OPEN_SLICE = 500;
const MAX_OPEN = 50_000;

type Reading = Pick<Journal, 'get' | 'load' | 'list' | 'openIn' | 'domains' | 'lately'>;

export const createReading = ({ store, nowMs }: Pick<JournalDeps, 'store' | 'nowMs'>): Reading => {
  /** All members of an index, in slices. */
  const allOf = async (index: string): Promise<string[]> => {
    const all: string[] = [];
    while (all.length < MAX_OPEN) {
      const after = all.at(-1);
      const slice = await store.members(index, { order: 'ascending', limit: OPEN_SLICE, ...(after !== undefined && { after }) });
      all.push(...slice);
      if (slice.length < OPEN_SLICE) break;
      await nextTurn();
    }
    return all;
  };

  const get = async (id: string): Promise<OperationRecord | undefined> =>
    (await store.read<OperationRecord>([keyOf.operation(id)]))[0];

  const load = async (id: string): Promise<LoadedOperation | undefined> => {
    // Most operations have one item.
    const [operation, first] = await store.read<Value>([keyOf.operation(id), keyOf.item(id, 0)]);
    const record = operation as OperationRecord | undefined;
    if (!record) return undefined;
    const items = [first, ...(await store.read<Value>(itemKeysOf(record).slice(1)))].slice(0, record.total);
    // Removed meanwhile.
    if (items.includes(undefined)) return undefined;
    return { ...record, items: items as ItemRecord[] };
  };

  const getAll = async (ids: readonly string[]): Promise<OperationRecord[]> =>
    (await store.read<OperationRecord>(ids.map(keyOf.operation))).filter((record) => record !== undefined);

  return {
    get,
    load,

    list: async ({ clusterId, state, limit, after }) => {
      const window = { order: 'descending', limit: limit + 1, ...(after !== undefined && { after }) } as const;
      const ids = await store.members(indexes.operations(clusterId, state), window);
      const shown = ids.slice(0, limit);
      // One may have moved on, or be gone, since the index was read.
      const operations = (await getAll(shown)).filter((record) => state === undefined || record.state === state);
      return { operations, next: ids.length > limit ? (shown.at(-1) ?? null) : null };
    },

    openIn: async (domain) =>
      (await allOf(indexes.open(domain))).map((mark): OpenRef => {
        const [id = '', lane = ''] = mark.split(' ');
        return { id, lane };
      }),

    domains: () => allOf(indexes.domains),

    lately: async ({ resource, cluster }, names) => {
      const records = await store.read<ThingRecord>(names.map((name) => keyOf.thing(resource, cluster, name)));
      const known = new Map<string, ThingRecord>();
      records.forEach((record, at) => {
        if (record && lastTouched(record) + LATELY_MS > nowMs()) known.set(names[at] as string, record);
      });
      return known;
    },
  };
};
