/** What is read before the first send, and what it is worth later. */
import { describe, expect, it } from '@jest/globals';
import type { Call } from '../../src/adapter.js';
import type { Clock } from '../../src/clock.js';
import type { ThingRecord } from '../../src/journal/records.js';
import { createBaselines } from '../../src/writes/baseline.js';
import { createOffsets } from '../../src/writes/offsets.js';
import type { Found, ReadOptions, Thing } from '../../src/writes/resource.js';

const CLUSTER = 'c';
const START = 1_000_000;
const call: Call = { requestId: 'r', signal: new AbortController().signal };
const thingNamed = (name: string): Thing => ({ createdAt: null, identity: name });

interface Reading {
  readonly names: readonly string[];
  readonly options: ReadOptions | undefined;
}

const stage = (there: readonly string[], complete = true, failures = 0) => {
  let time = START;
  let left = failures;
  const clock: Clock = {
    now: () => time,
    monotonic: () => time,
    sleep: async (ms) => {
      time += ms;
    },
    timeout: () => new AbortController().signal,
    after: () => () => undefined,
  };
  const readings: Reading[] = [];
  const offsets = createOffsets(clock);
  const read = async (names: readonly string[], _: Call, options?: ReadOptions): Promise<Found> => {
    readings.push({ names, options });
    if (left-- > 0) throw new Error('unreadable');
    return {
      found: new Map(names.map((name) => [name, there.includes(name) ? thingNamed(name) : null])),
      complete,
      isWhole: complete,
    };
  };
  const baselines = createBaselines({ key: CLUSTER, read }, offsets, clock);
  return {
    baselines,
    readings,
    offsets,
    pass: (ms: number) => {
      time += ms;
    },
    of: (name: string, user?: Partial<ThingRecord>, isOwn = true) =>
      baselines.of(name, user && { holder: null, made: null, ...user }, isOwn),
  };
};

/** Teaches the offset of the cluster's clock. */
const teach = ({ offsets, pass }: ReturnType<typeof stage>): void => {
  offsets.acknowledged(CLUSTER, 'known', START - 100, START);
  offsets.observe(CLUSTER, 'known', new Date(START - 50).toISOString());
  pass(0);
};

describe('a reading before the first send', () => {
  it('notes who is there and who is not', async () => {
    const { baselines, of } = stage(['ada']);
    await baselines.prepare({ created: ['ada', 'bob'], deleted: ['eve'] }, call);
    expect([of('ada'), of('bob'), of('eve'), of('unasked')]).toEqual(['present', 'absent', 'absent', 'unread']);
  });

  it('notes only who is found, when the list was incomplete', async () => {
    const { baselines, of } = stage(['ada'], false);
    await baselines.prepare({ created: ['ada', 'bob'], deleted: [] }, call);
    expect([of('ada'), of('bob')]).toEqual(['present', 'unread']);
  });

  it('is made once for all items, with few pages, and whole or not at all for creates', async () => {
    const { baselines, readings } = stage([]);
    for (let round = 0; round < 3; round++) await baselines.prepare({ created: ['ada', 'bob'], deleted: [] }, call);
    expect(readings).toEqual([{ names: ['ada', 'bob'], options: { maxPages: 10, wholeOrNothing: true, trustLookUps: true } }]);
    const deletes = stage([]);
    await deletes.baselines.prepare({ created: [], deleted: ['ada'] }, call);
    await deletes.baselines.prepare({ created: [], deleted: ['bob', 'eve'] }, call);
    expect(deletes.readings.map(({ options }) => options?.maxPages)).toEqual([4, 40]);
  });

  it('keeps the bounds of creates where what is to be deleted was read before', async () => {
    const { baselines, readings } = stage([]);
    await baselines.prepare({ created: [], deleted: ['eve'] }, call);
    await baselines.prepare({ created: ['ada', 'bob'], deleted: ['eve'] }, call);
    expect(readings.map(({ names, options }) => [names, options?.maxPages])).toEqual([
      [['eve'], 4],
      [['ada', 'bob'], 10],
    ]);
  });

  it('is not made for creates, where the clock of the cluster is known', async () => {
    const known = stage(['ada']);
    teach(known);
    await known.baselines.prepare({ created: ['ada'], deleted: [] }, call);
    expect(known.readings).toEqual([]);
    await known.baselines.prepare({ created: ['ada'], deleted: ['bob'] }, call);
    expect(known.readings.map(({ names }) => names)).toEqual([['bob']]);
  });

  it('never fails: a cluster that cannot be read is tried again for one user only', async () => {
    const one = stage(['ada'], true, 2);
    await one.baselines.prepare({ created: ['ada'], deleted: [] }, call);
    expect([one.of('ada'), one.readings.length]).toEqual(['present', 3]);
    const many = stage(['ada'], true, 2);
    await many.baselines.prepare({ created: ['ada', 'bob'], deleted: [] }, call);
    expect([many.of('ada'), many.readings.length]).toEqual(['unread', 1]);
  });

  it('is worth something for 45 seconds', async () => {
    const { baselines, readings, of, pass } = stage(['ada']);
    await baselines.prepare({ created: ['ada'], deleted: [] }, call);
    pass(45_000);
    expect(of('ada')).toBe('present');
    pass(1);
    expect(of('ada')).toBe('unread');
    await baselines.prepare({ created: ['ada'], deleted: [] }, call);
    expect([of('ada'), readings.length]).toEqual(['present', 2]);
  });
});

describe('what operations did since a reading', () => {
  const SKEW = 5_000;
  it.each<[string, Partial<ThingRecord>, boolean, string]>([
    ['made before it', { made: { at: START - 1, createdAt: null } }, true, 'absent'],
    ['made since', { made: { at: START, createdAt: null } }, true, 'present'],
    ['gone before it', { goneAt: START - 1 }, true, 'absent'],
    ['gone since', { goneAt: START + 1 }, true, 'absent'],
    ['a write since whose end is not proven', { touchedAt: START }, true, 'unread'],
    ['such a write before it', { touchedAt: START - 1 }, true, 'absent'],
    ['made about then by another process', { made: { at: START - SKEW, createdAt: null } }, false, 'unread'],
    ['made about then by another process, a little later', { made: { at: START + SKEW - 1, createdAt: null } }, false, 'unread'],
    ['made long since by another process', { made: { at: START + SKEW, createdAt: null } }, false, 'present'],
    ['made long before it by another process', { made: { at: START - SKEW - 1, createdAt: null } }, false, 'absent'],
    ['touched about then by another process', { touchedAt: START - SKEW }, false, 'unread'],
  ])('counts: %s', async (_, user, isOwn, expected) => {
    const { baselines, of } = stage([]);
    await baselines.prepare({ created: ['ada'], deleted: [] }, call);
    expect(of('ada', user, isOwn)).toBe(expected);
  });

  it('shows a user as gone who was there', async () => {
    const { baselines, of } = stage(['ada']);
    await baselines.prepare({ created: [], deleted: ['ada'] }, call);
    expect([of('ada'), of('ada', { goneAt: START + 1 })]).toEqual(['present', 'absent']);
  });
});
