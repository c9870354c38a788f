/** Windows of the list of operations: whatever the filters leave out, each ends, and all of them together have everything. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ListFilter } from '../../src/journal/journal.js';
import { createReading } from '../../src/journal/reading.js';
import { idsFrom, indexes, keyOf, type OperationRecord } from '../../src/journal/records.js';
import type { Store, Window } from '../../src/store/store.js';

const COUNT = 5_000;
const START = Date.parse('2026-03-01T00:00:00Z');
/** One a second; ids sort by time. */
const idAt = (index: number): string => `${idsFrom(START + index * 1_000)}${String(index).padStart(20, '0')}`;

/** Rare ones: few clusters may be seen, few kinds match. */
const records: readonly OperationRecord[] = Array.from(
  { length: COUNT },
  (_, index) =>
    ({
      id: idAt(index),
      clusterId: index % 1_250 === 7 ? 'seen' : 'hidden',
      state: index % 2 === 0 ? 'succeeded' : 'failed',
      kind: index % 5 === 0 ? 'deleteUser' : 'createUser',
      caller: index % 3 === 0 ? 'alice' : null,
    }) as unknown as OperationRecord,
);
const byKey = new Map(records.map((record) => [keyOf.operation(record.id), record]));

let reads: number;
let questions: number;
let asked: Set<string>;
/** An index of everything, which narrows as the true ones do. */
const lists = new Map<string, readonly string[]>();
const membersOf = (index: string): readonly string[] => {
  const known = lists.get(index);
  if (known) return known;
  const fits = (record: OperationRecord): boolean =>
    [
      indexes.operations(),
      indexes.operations(record.clusterId),
      indexes.operations(undefined, record.state),
      indexes.operations(record.clusterId, record.state),
      ...(record.caller === null ? [] : [indexes.ofCaller(record.caller)]),
    ].includes(index);
  const list = records
    .filter(fits)
    .map(({ id }) => id)
    .reverse();
  lists.set(index, list);
  return list;
};
const store = {
  members: async (index: string, { limit, after }: Window) => {
    asked.add(index);
    questions++;
    return membersOf(index)
      .filter((id) => after === undefined || id < after)
      .slice(0, limit);
  },
  read: async (keys: readonly string[]) => {
    reads += keys.length;
    return keys.map((key) => byKey.get(key));
  },
} as unknown as Store;
const reading = createReading({ store, nowMs: () => START });

beforeEach(() => {
  reads = 0;
  questions = 0;
  asked = new Set();
});

const MAX_WINDOW = 1_100;
const MAX_QUESTIONS = 21;

/** All windows; each reads a bounded number of records. */
const all = async (filter: Omit<ListFilter, 'after'>): Promise<{ ids: string[]; windows: number }> => {
  const ids: string[] = [];
  let after: string | undefined;
  for (let windows = 1; windows < 20_000; windows++) {
    const before = reads;
    questions = 0;
    const { operations, next } = await reading.list({ ...filter, after });
    expect(reads - before).toBeLessThanOrEqual(MAX_WINDOW);
    expect(questions).toBeLessThanOrEqual(MAX_QUESTIONS);
    expect(operations.length).toBeLessThanOrEqual(filter.limit);
    ids.push(...operations.map(({ id }) => id));
    if (next === null) return { ids, windows };
    // It goes on behind what was looked at.
    expect(after === undefined || next < after).toBe(true);
    after = next;
  }
  throw new Error('the windows do not end');
};
const expected = (fits: (record: OperationRecord, index: number) => boolean): string[] =>
  records
    .filter(fits)
    .map(({ id }) => id)
    .reverse();
const isSeen = (clusterId: string): boolean => clusterId === 'seen';
const everything = (): boolean => true;

describe('windows of operations', () => {
  it.each([1, 2, 3, 50, 200])('have all that may be seen, in order and once: %i at a time', async (limit) => {
    const { ids, windows } = await all({ isSeen, limit });
    expect(ids).toEqual(expected(({ clusterId }) => clusterId === 'seen'));
    // Few are found in many: some windows are empty, and not the last.
    expect(windows).toBeGreaterThan(3);
  });

  it('have nothing where nothing may be seen, and end', async () => {
    expect((await all({ isSeen: () => false, limit: 200 })).ids).toEqual([]);
  });

  it.each([
    ['kind', { kind: 'deleteUser' }, ({ kind }: OperationRecord) => kind === 'deleteUser'],
    ['caller', { caller: 'alice' }, ({ caller }: OperationRecord) => caller === 'alice'],
    [
      'caller and state',
      { caller: 'alice', state: 'failed' },
      ({ caller, state }: OperationRecord) => caller === 'alice' && state === 'failed',
    ],
    ['cluster', { clusterId: 'seen' }, ({ clusterId }: OperationRecord) => clusterId === 'seen'],
    ['a kind that is none', { kind: 'x' }, () => false],
  ] as const)('narrowed by %s', async (_, filter, fits) => {
    expect((await all({ ...filter, isSeen: everything, limit: 100 })).ids).toEqual(expected(fits));
  });

  it('from and to a time: the first counts, the second does not', async () => {
    const at = (index: number): number => START + index * 1_000;
    for (const [from, to] of [
      [0, COUNT],
      [10, 20],
      [10, 10],
      [4_990, 9_999],
    ] as const) {
      const { ids } = await all({ isSeen: everything, limit: 7, fromMs: at(from), toMs: at(to) });
      expect(ids).toEqual(expected((_, index) => index >= from && index < to));
    }
    expect((await all({ isSeen: everything, limit: 200, fromMs: at(4_998) })).ids).toHaveLength(2);
    // What is before is not read.
    reads = 0;
    await all({ isSeen: () => false, limit: 200, fromMs: at(4_990) });
    expect(reads).toBeLessThanOrEqual(201);
  });

  it('read the shortest list that has all', async () => {
    for (const [filter, index] of [
      [{}, indexes.operations()],
      [{ clusterId: 'seen' }, indexes.operations('seen')],
      [{ state: 'failed', clusterId: 'seen' }, indexes.operations('seen', 'failed')],
      [{ caller: 'alice', clusterId: 'seen' }, indexes.ofCaller('alice')],
      [{ caller: 'alice', name: 'bob' }, indexes.ofName('bob')],
    ] as const) {
      asked.clear();
      await reading.list({ ...filter, isSeen: everything, limit: 5 });
      expect([...asked]).toEqual([index]);
    }
  });
});
