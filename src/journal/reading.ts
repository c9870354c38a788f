/** Reading operations, and what operations did lately. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OwnKey } from '../store/encryptor.js';
import type { SecretRecord } from '../store/secret-records.js';
import type { Value } from '../store/store.js';
import { readWindow } from '../store/windows.js';
import type { JournalDeps } from './deps.js';
import type { Journal, ListFilter } from './journal.js';
import {
  type ItemRecord,
  idsFrom,
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

type Reading = Pick<Journal, 'get' | 'load' | 'loadForWork' | 'list' | 'openIn' | 'domains' | 'lately'>;

/** The shortest list that has all that are asked for. */
const indexFor = ({ name, caller, clusterId, state }: ListFilter): string => {
  if (name !== undefined) return indexes.ofName(name);
  return caller === undefined ? indexes.operations(clusterId, state) : indexes.ofCaller(caller);
};

const fits = (record: OperationRecord, { isSeen, clusterId, state, kind, caller }: ListFilter): boolean =>
  isSeen(record.clusterId) &&
  [
    [clusterId, record.clusterId],
    [state, record.state],
    [kind, record.kind],
    [caller, record.caller],
  ].every(([wanted, present]) => wanted === undefined || wanted === present);

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

  /** As `load`, with the own keys in the same readings. */
  const loadForWork = async (id: string): Promise<LoadedOperation | undefined> => {
    const keysOf = (index: number): string[] => [keyOf.item(id, index), keyOf.secret(id, index)];
    const [operation, ...first] = await store.read<Value>([keyOf.operation(id), ...keysOf(0)]);
    const record = operation as OperationRecord | undefined;
    if (!record) return undefined;
    const others = Array.from({ length: Math.max(record.total - 1, 0) }, (_, at) => keysOf(at + 1)).flat();
    const values = [...first, ...(await store.read<Value>(others))];
    const items = values.filter((_, at) => at % 2 === 0).slice(0, record.total);
    if (items.includes(undefined)) return undefined;
    const ownKeys = new Map<number, OwnKey>();
    for (const [at, value] of values.entries())
      if (at % 2 === 1 && value) ownKeys.set((at - 1) / 2, (value as SecretRecord).bytes);
    return { ...record, items: items as ItemRecord[], ownKeys };
  };

  return {
    get,
    load,
    loadForWork,

    list: async (filter) => {
      const { limit, fromMs, toMs } = filter;
      const { found, next } = await readWindow<OperationRecord>(store, {
        index: indexFor(filter),
        first: fromMs === undefined ? '' : idsFrom(fromMs),
        after: filter.after ?? (toMs === undefined ? undefined : idsFrom(toMs)),
        limit,
        keyOf: keyOf.operation,
        fits: (record) => fits(record, filter),
      });
      return { operations: found, next };
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
