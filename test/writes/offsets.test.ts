/** The clocks of clusters: what is learned from acknowledged creates, and what it proves. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '../../src/clock.js';
import { createOffsets, MAX_UNCERTAINTY_MS } from '../../src/writes/offsets.js';

const T0 = Date.parse('2026-03-01T12:00:00.000Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The documented uncertainty: what the offset may be off by, and the second that a vendor cuts off. */
const UNCERTAIN_MS = MAX_UNCERTAINTY_MS + 1_000;

const stopped = () => {
  let at = T0;
  const clock: Clock = {
    now: () => at,
    monotonic: () => at,
    sleep: async () => undefined,
    timeout: () => new AbortController().signal,
    after: () => () => undefined,
  };
  const set = (ms: number): void => {
    at = ms;
  };
  return { clock, set };
};

const iso = (ms: number): string => new Date(ms).toISOString();

/** A vendor whose clock is `offset` ahead of ours. */
const vendorOf = (offset: number, wholeSeconds: boolean) => (ours: number) => {
  const theirs = ours + offset;
  return iso(wholeSeconds ? Math.floor(theirs / 1_000) * 1_000 : theirs);
};

/** Offsets that have learned from a create that took from `sentAt` to `endedAt`. */
const learned = (offset: number, { wholeSeconds = true, tookMs = 200 } = {}) => {
  const { clock, set } = stopped();
  const offsets = createOffsets(clock);
  const stamp = vendorOf(offset, wholeSeconds);
  offsets.acknowledged('c', 'first', T0, T0 + tookMs);
  set(T0 + tookMs);
  offsets.observe('c', 'first', stamp(T0 + tookMs / 2));
  return { offsets, stamp, set };
};

describe('a cluster whose clock is not known', () => {
  const { clock } = stopped();
  const offsets = createOffsets(clock);

  it.each([
    [16 * HOUR, 'before'],
    [14 * HOUR, 'uncertain'],
    [MINUTE, 'uncertain'],
    [-MINUTE, 'uncertain'],
    [-16 * HOUR, 'uncertain'],
  ] as const)('a user made %i ms before is %s', (ms, age) => {
    expect(offsets.isKnown('c')).toBe(false);
    expect(offsets.age('c', iso(T0 - ms), T0)).toBe(age);
  });

  it.each([null, '', 'yesterday'])('a time that is none, %s, proves nothing', (madeAt) => {
    expect(offsets.age('c', madeAt, T0)).toBe('uncertain');
  });
});

describe('a cluster whose clock was learned', () => {
  it.each([0, -4_000, 10 * MINUTE, -8 * HOUR, 8 * HOUR])('is known, %i ms ahead', (offset) => {
    const { offsets, stamp, set } = learned(offset);
    expect(offsets.isKnown('c')).toBe(true);
    const since = T0 + 5 * MINUTE;
    set(since + 1_000);
    expect(offsets.age('c', stamp(since + 500), since)).toBe('after');
    expect(offsets.age('c', stamp(since - UNCERTAIN_MS - 1), since)).toBe('before');
    expect(offsets.age('c', null, since)).toBe('uncertain');
  });

  it('says nothing of a time that has not come', () => {
    const { offsets, stamp } = learned(0);
    expect(offsets.age('c', stamp(T0 + HOUR), T0)).toBe('uncertain');
  });

  it('says nothing of other clusters', () => {
    const { offsets } = learned(0);
    expect([offsets.isKnown('d'), offsets.age('d', iso(T0 - MINUTE), T0)]).toEqual([false, 'uncertain']);
  });

  it('forgets after an hour', () => {
    const { offsets, set } = learned(0);
    set(T0 + HOUR);
    expect(offsets.isKnown('c')).toBe(true);
    set(T0 + HOUR + MINUTE);
    expect(offsets.isKnown('c')).toBe(false);
  });

  it('is not known from a create that took long', () => {
    expect(learned(0, { tookMs: 5_000 }).offsets.isKnown('c')).toBe(false);
  });

  it('becomes known from several that took long', () => {
    const { offsets, stamp, set } = learned(0, { wholeSeconds: false, tookMs: 3_000 });
    // Made at the very end of one call, and at the very beginning of another.
    offsets.acknowledged('c', 'late', T0 + 10_000, T0 + 13_000);
    offsets.acknowledged('c', 'early', T0 + 20_000, T0 + 23_000);
    set(T0 + 23_000);
    offsets.observe('c', 'late', stamp(T0 + 13_000));
    offsets.observe('c', 'early', stamp(T0 + 20_001));
    expect(offsets.isKnown('c')).toBe(true);
  });

  it.each([null, 'none'])('learns nothing from a time that is none: %s', (madeAt) => {
    const offsets = createOffsets(stopped().clock);
    offsets.acknowledged('c', 'x', T0, T0 + 100);
    offsets.observe('c', 'x', madeAt);
    expect(offsets.isKnown('c')).toBe(false);
  });

  it('learns nothing from a name that was not acknowledged', () => {
    const offsets = createOffsets(stopped().clock);
    offsets.observe('c', 'x', iso(T0));
    expect(offsets.isKnown('c')).toBe(false);
  });

  it('learns nothing from a name that was acknowledged more than a minute ago', () => {
    const { clock, set } = stopped();
    const offsets = createOffsets(clock);
    offsets.acknowledged('c', 'x', T0, T0 + 100);
    set(T0 + 2 * MINUTE);
    expect(offsets.awaited('c')).toEqual([]);
    offsets.observe('c', 'x', iso(T0));
    expect(offsets.isKnown('c')).toBe(false);
  });

  it('learns nothing from a name that was sent again', () => {
    const { clock } = stopped();
    const offsets = createOffsets(clock);
    offsets.acknowledged('c', 'x', T0 - 500, T0);
    offsets.forget('c', 'x');
    offsets.observe('c', 'x', iso(T0 + HOUR));
    expect([offsets.isKnown('c'), offsets.awaited('c')]).toEqual([false, []]);
  });

  it('is no longer known once two observations contradict each other, until a third agrees with the later', () => {
    const { offsets, set } = learned(0);
    const show = (name: string, at: number, offset: number) => {
      offsets.acknowledged('c', name, at, at + 100);
      set(at + 100);
      offsets.observe('c', name, iso(Math.floor((at + offset) / 1_000) * 1_000));
      return offsets.isKnown('c');
    };
    expect(show('x', T0 + MINUTE, 10 * MINUTE)).toBe(false);
    expect(offsets.age('c', iso(T0 - HOUR), T0)).toBe('uncertain');
    expect(show('y', T0 + 2 * MINUTE, 10 * MINUTE)).toBe(true);
    expect(offsets.age('c', iso(T0 + 11 * MINUTE), T0)).toBe('after');
    expect(offsets.age('c', iso(T0 + 9 * MINUTE), T0)).toBe('before');
  });

  it('knows what was surely made after a time', () => {
    const { offsets, stamp } = learned(-8 * HOUR);
    expect(offsets.isSurelyAfter('c', stamp(T0 + MINUTE), T0)).toBe(true);
    expect(offsets.isSurelyAfter('c', stamp(T0), T0)).toBe(false);
    expect(offsets.isSurelyAfter('c', null, T0)).toBe(false);
    expect(offsets.isSurelyAfter('d', iso(T0 + HOUR), T0)).toBe(false);
  });

  it('keeps the names that it waits for, newest first, a hundred at most', () => {
    const offsets = createOffsets(stopped().clock);
    for (let at = 0; at < 150; at++) offsets.acknowledged('c', `u${at}`, T0, T0 + 100);
    const awaited = offsets.awaited('c');
    expect([awaited.length, awaited[0], awaited.at(-1), offsets.awaited('d')]).toEqual([100, 'u149', 'u50', []]);
  });
});

describe('whatever the offset, the time that calls take, and how times are written', () => {
  const call = fc.record({
    /** Between two calls. */
    pauseMs: fc.integer({ min: 0, max: 5_000 }),
    tookMs: fc.integer({ min: 0, max: 4_000 }),
    /** When in the call the user was made. */
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const history = fc.record({
    offset: fc.integer({ min: -14 * HOUR, max: 14 * HOUR }),
    wholeSeconds: fc.boolean(),
    calls: fc.array(call, { minLength: 1, maxLength: 8 }),
    agoMs: fc.integer({ min: 1, max: 60_000 }),
    laterMs: fc.integer({ min: 0, max: 60_000 }),
  });

  /** Sends the calls, shows each user to the offsets, and judges two more users against a send after all of them. */
  const judged = ({ offset, wholeSeconds, calls, agoMs, laterMs }: Parameters<Parameters<typeof history.map>[0]>[0]) => {
    const { clock, set } = stopped();
    const offsets = createOffsets(clock);
    const stamp = vendorOf(offset, wholeSeconds);
    let now = T0;
    calls.forEach(({ pauseMs, tookMs, share }, at) => {
      const sentAt = now + pauseMs;
      now = sentAt + tookMs;
      set(now);
      offsets.acknowledged('c', `u${at}`, sentAt, now);
      offsets.observe('c', `u${at}`, stamp(sentAt + Math.floor(tookMs * share)));
    });
    const since = now + 120_000;
    set(since + laterMs);
    const ageOf = (ours: number) => offsets.age('c', stamp(ours), since);
    const isEarlierAfter = offsets.isSurelyAfter('c', stamp(since - agoMs), since);
    return { isKnown: offsets.isKnown('c'), earlier: ageOf(since - agoMs), later: ageOf(since + laterMs), isEarlierAfter };
  };

  it('what was made after the send is never older', () => {
    fc.assert(
      fc.property(history, (given) => {
        const { isKnown, later } = judged(given);
        expect(later).toBe(isKnown ? 'after' : 'uncertain');
      }),
      { numRuns: 500 },
    );
  });

  it('what was made longer before the send than the uncertainty is never taken for ours', () => {
    fc.assert(
      fc.property(history, (given) => {
        const { isKnown, earlier, isEarlierAfter } = judged(given);
        expect(isEarlierAfter).toBe(false);
        if (!isKnown) expect(earlier).toBe('uncertain');
        if (isKnown && given.agoMs > UNCERTAIN_MS) expect(earlier).toBe('before');
      }),
      { numRuns: 500 },
    );
  });

  it('one quick call is enough to know it', () => {
    fc.assert(
      fc.property(history, (given) => {
        const isQuick = given.calls.some(({ tookMs }) => tookMs <= MAX_UNCERTAINTY_MS - 1_000);
        if (isQuick) expect(judged(given).isKnown).toBe(true);
      }),
    );
  });
});

describe('the Date header', () => {
  const stage = () => {
    let [now, date] = [1_000_000_000, 0 as number | null];
    const clock = {
      now: () => now,
      monotonic: () => now,
      sleep: async () => undefined,
      timeout: () => new AbortController().signal,
      after: () => () => undefined,
    };
    const offsets = createOffsets(clock, () => date);
    const teach = (offset: number): void => {
      offsets.acknowledged('c', 'ada', now, now + 200);
      offsets.observe('c', 'ada', new Date(now + offset + 100).toISOString());
    };
    return {
      offsets,
      teach,
      pass: (ms: number) => {
        now += ms;
      },
      show: (offset: number | null) => {
        date = offset;
      },
    };
  };

  it('that moves makes what was learned void, until it is learned again', () => {
    const { offsets, teach, pass, show } = stage();
    teach(0);
    expect(offsets.isKnown('c')).toBe(true);
    show(-40_000);
    expect(offsets.isKnown('c')).toBe(false);
    pass(1_000);
    teach(-40_000);
    expect(offsets.isKnown('c')).toBe(true);
  });

  it('that is wrong, but steady, or missing, changes nothing', () => {
    const { offsets, teach, show } = stage();
    show(600_000);
    teach(0);
    expect(offsets.isKnown('c')).toBe(true);
    show(602_000);
    expect(offsets.isKnown('c')).toBe(true);
    show(null);
    expect(offsets.isKnown('c')).toBe(true);
  });
});
