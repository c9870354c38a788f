/** How long a vendor in trouble is waited for, and how fast a cluster is written to meanwhile. */
import { describe, expect, it } from '@jest/globals';
import { type Clock, MAX_TIMER_MS } from '../../src/clock.js';
import {
  BATCH_PATIENCE,
  createEndurance,
  createPace,
  createPaces,
  type Patience,
  singlePatience,
  type Trouble,
} from '../../src/writes/pace.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const createClock = () => {
  let at = Date.parse('2026-03-01T12:00:00.000Z');
  const clock: Clock = {
    now: () => at,
    monotonic: () => at,
    sleep: async () => undefined,
    timeout: () => new AbortController().signal,
    after: () => () => undefined,
  };
  return {
    clock,
    pass: (ms: number): void => {
      at += ms;
    },
  };
};

/** One operation alone on its cluster. */
const alone = (clock: Clock, patience: Patience) => {
  const pace = createPace(clock);
  const endurance = createEndurance(clock, patience);
  const quietMs = (): number => pace.quietMs(patience.maxWaitMs);
  return {
    quietMs,
    isProbing: pace.isProbing,
    isFailing: pace.isFailing,
    progress: endurance.noteProgress,
    success: (sentAt: number): void => endurance.noteSuccess(pace.noteSuccess(sentAt)),
    trouble: (kind: Trouble, askedMs: number | undefined, sentAt: number): boolean => {
      const counts = pace.noteTrouble(kind, askedMs, sentAt);
      const wait = Math.max(quietMs(), askedMs ?? 0);
      endurance.noteTrouble(kind, wait, counts);
      return endurance.isLeft(kind, wait);
    },
    hasPatience: (kind: Trouble): boolean => endurance.isLeft(kind, 0),
  };
};
type Pace = ReturnType<typeof alone>;

const setUp = (patience: Patience = BATCH_PATIENCE) => {
  const { clock, pass } = createClock();
  const began = clock.now();
  const pace = alone(clock, patience);
  return {
    pace,
    now: clock.now,
    pass,
    passed: () => clock.now() - began,
  };
};

/** Sends one call after the other, each as soon as it may be sent, to a vendor that ends each in this trouble. Ends by itself. */
const sendAll = (
  { pace, now, pass }: ReturnType<typeof setUp>,
  kind: Trouble,
  { waitMs, tookMs = 10 }: { waitMs?: number; tookMs?: number } = {},
) => {
  for (let calls = 1; calls < 10_000; calls++) {
    pass(pace.quietMs());
    const sentAt = now();
    pass(tookMs);
    if (!pace.trouble(kind, waitMs, sentAt)) return calls;
  }
  return Number.POSITIVE_INFINITY;
};

const fail = (pace: Pace, now: () => number, kind: Trouble = 'unavailable', waitMs?: number): boolean =>
  pace.trouble(kind, waitMs, now());

describe('a vendor that works', () => {
  it('is not waited for', () => {
    const { pace } = setUp();
    expect([pace.quietMs(), pace.isProbing(), pace.isFailing()]).toEqual([0, false, false]);
  });
});

describe('the wait', () => {
  it('doubles from half a second to a minute', () => {
    const stage = setUp();
    const waits = Array.from({ length: 10 }, () => {
      fail(stage.pace, stage.now);
      const ms = stage.pace.quietMs();
      stage.pass(ms);
      return ms;
    });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, MINUTE, MINUTE, MINUTE]);
  });

  it('is what the vendor asks for', () => {
    const { pace, now } = setUp();
    expect(fail(pace, now, 'quota', 7 * MINUTE)).toBe(true);
    expect(pace.quietMs()).toBe(7 * MINUTE);
  });

  it.each([0, 1, 400])('grows all the same when the vendor asks for %d ms', (waitMs) => {
    const stage = setUp();
    expect(sendAll(stage, 'unavailable', { waitMs })).toBe(16);
    expect(sendAll(setUp(), 'quota', { waitMs })).toBeLessThan(110);
  });

  it.each([1e9 * SECOND, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])(
    'is not begun when it is too long: %d ms',
    (waitMs) => {
      for (const kind of ['quota', 'unavailable', 'failing'] as const) {
        const { pace, now } = setUp();
        expect(fail(pace, now, kind, waitMs)).toBe(false);
        // Who comes later tries soon.
        expect(pace.quietMs()).toBe(500);
      }
    },
  );

  it('never is longer than a timer', () => {
    for (const kind of ['quota', 'unavailable', 'failing'] as const) {
      const stage = setUp();
      let longest = 0;
      for (let at = 0; at < 200 && fail(stage.pace, stage.now, kind); at++) {
        longest = Math.max(longest, stage.pace.quietMs());
        stage.pass(stage.pace.quietMs());
      }
      expect(longest).toBeLessThan(MAX_TIMER_MS);
    }
  });

  it('is over with a success', () => {
    const { pace, now, pass } = setUp();
    fail(pace, now, 'failing');
    pass(100);
    pace.success(now());
    expect([pace.quietMs(), pace.isProbing(), pace.isFailing()]).toEqual([0, false, false]);
    fail(pace, now);
    expect(pace.quietMs()).toBe(500);
  });

  it('is not over with the success of a call from before the trouble', () => {
    const { pace, now, pass } = setUp();
    const early = now();
    pass(100);
    fail(pace, now);
    pace.success(early);
    expect([pace.quietMs(), pace.isProbing()]).toEqual([500, true]);
  });
});

describe('calls that fail together', () => {
  it('count as one', () => {
    const { pace, now, pass } = setUp();
    const early = now();
    pass(1_000);
    for (let at = 0; at < 50; at++) {
      expect(pace.trouble('failing', undefined, early)).toBe(true);
      pass(1);
    }
    expect(pace.quietMs()).toBe(500 - 50);
    expect(pace.hasPatience('failing')).toBe(true);
  });

  it('wait longer when one of them asks for more time', () => {
    const { pace, now, pass } = setUp();
    const early = now();
    pass(1_000);
    pace.trouble('quota', undefined, early);
    pace.trouble('quota', MINUTE, early);
    expect(pace.quietMs()).toBe(MINUTE);
  });
});

describe('the patience of a batch', () => {
  it('is ten minutes for a vendor that is busy or down, with 16 calls', () => {
    const stage = setUp();
    expect(sendAll(stage, 'unavailable')).toBe(16);
    expect(stage.passed()).toBeLessThanOrEqual(10 * MINUTE + SECOND);
    expect(stage.passed()).toBeGreaterThan(8 * MINUTE);
  });

  it('is seven calls for a dead agent', () => {
    const stage = setUp();
    expect(sendAll(stage, 'failing')).toBe(7);
    expect(stage.passed()).toBeLessThanOrEqual(MINUTE);
  });

  it('is seven calls for a dead agent that asks for no wait', () => {
    expect(sendAll(setUp(), 'failing', { waitMs: 0 })).toBe(7);
  });

  it('is a minute for an agent that dies slowly', () => {
    const stage = setUp();
    expect(sendAll(stage, 'failing', { tookMs: 20 * SECOND })).toBeLessThanOrEqual(4);
  });

  it('is ninety minutes for a quota', () => {
    const stage = setUp();
    sendAll(stage, 'quota', { waitMs: 5 * MINUTE });
    expect(stage.passed()).toBeGreaterThan(80 * MINUTE);
    expect(stage.passed()).toBeLessThanOrEqual(91 * MINUTE);
  });

  it('begins with the first trouble', () => {
    const { pace, now, pass } = setUp();
    pass(3 * HOUR);
    expect(fail(pace, now)).toBe(true);
  });

  it('begins again with progress', () => {
    const { pace, now, pass } = setUp();
    for (let at = 0; at < 10; at++) {
      expect(fail(pace, now)).toBe(true);
      pass(8 * MINUTE);
      pace.progress();
    }
    expect(pace.isProbing()).toBe(true);
  });

  it('is not used up by a quota that was waited for', () => {
    const { pace, now, pass } = setUp();
    expect(fail(pace, now)).toBe(true);
    pass(500);
    expect(fail(pace, now, 'quota', HOUR)).toBe(true);
    pass(HOUR);
    expect(fail(pace, now)).toBe(true);
    pass(pace.quietMs());
    pace.success(now());
    expect(fail(pace, now, 'failing')).toBe(true);
  });

  it('of failing calls is not renewed by progress alone', () => {
    const { pace, now, pass } = setUp();
    let calls = 0;
    do {
      calls++;
      pass(pace.quietMs());
      pace.progress();
    } while (fail(pace, now, 'failing') && calls < 100);
    expect(calls).toBe(7);
  });

  it('probes with one item while calls fail, with whole calls while the vendor is busy', () => {
    const { pace, now, pass } = setUp();
    fail(pace, now);
    expect([pace.isProbing(), pace.isFailing()]).toEqual([true, false]);
    pass(500);
    fail(pace, now, 'failing');
    expect([pace.isProbing(), pace.isFailing()]).toEqual([true, true]);
  });
});

describe('the patience of a write whose caller waits', () => {
  it.each([
    ['unavailable', 5],
    ['failing', 4],
    ['quota', 5],
  ] as const)('ends in time: %s', (kind, calls) => {
    const stage = setUp(singlePatience(10 * SECOND));
    expect(sendAll(stage, kind)).toBe(calls);
    expect(stage.passed()).toBeLessThanOrEqual(11 * SECOND);
  });

  it('is over at once where the vendor asks for more', () => {
    const { pace, now } = setUp(singlePatience(10 * SECOND));
    expect(fail(pace, now, 'quota', MINUTE)).toBe(false);
  });
});

describe('several operations on one cluster', () => {
  const stage = () => {
    const { clock, pass } = createClock();
    return { clock, pass, paceOf: createPaces(clock) };
  };

  it('wait for a quota of one step with that step only', () => {
    const { clock, paceOf } = stage();
    paceOf('create').noteTrouble('quota', MINUTE, clock.now());
    expect([paceOf('create').quietMs(MINUTE), paceOf('delete').quietMs(MINUTE)]).toEqual([MINUTE, 0]);
    expect([paceOf('create').isProbing(), paceOf('delete').isProbing()]).toEqual([true, false]);
  });

  it('wait together for a vendor that is down, and go on together', () => {
    const { clock, pass, paceOf } = stage();
    paceOf('create').noteTrouble('unavailable', undefined, clock.now());
    expect([paceOf('delete').quietMs(MINUTE), paceOf('delete').isProbing()]).toEqual([500, true]);
    pass(500);
    paceOf('delete').noteSuccess(clock.now());
    expect([paceOf('create').quietMs(MINUTE), paceOf('create').isProbing()]).toEqual([0, false]);
  });

  it('do not make a caller who waits wait out the back-off of a batch', () => {
    const { clock, pass, paceOf } = stage();
    for (let calls = 0; calls < 9; calls++) {
      paceOf('create').noteTrouble('unavailable', undefined, clock.now());
      pass(paceOf('create').quietMs(MINUTE));
    }
    paceOf('create').noteTrouble('unavailable', undefined, clock.now());
    expect([paceOf('create').quietMs(MINUTE), paceOf('create').quietMs(4 * SECOND)]).toEqual([MINUTE, 4 * SECOND]);
    pass(4 * SECOND);
    expect(paceOf('create').quietMs(4 * SECOND)).toBe(0);
  });

  it('are patient by their own calls and times, not by those of others', () => {
    const { clock, pass, paceOf } = stage();
    const since = clock.now();
    for (let calls = 0; calls < 7; calls++) paceOf('create').noteTrouble('failing', undefined, clock.now());
    pass(9 * SECOND);
    const [late, single] = [createEndurance(clock, BATCH_PATIENCE), createEndurance(clock, singlePatience(10 * SECOND))];
    expect(late.isLeft('failing', 0)).toBe(true);
    const trouble = paceOf('create').trouble();
    expect(trouble).toEqual({ kind: 'failing', since });
    pass(8 * SECOND);
    expect([single.isLeftFor({ kind: 'failing', since }, 0), late.isLeftFor({ kind: 'failing', since }, 0)]).toEqual([
      true,
      true,
    ]);
    pass(3 * SECOND);
    expect([single.isLeftFor({ kind: 'failing', since }, 0), late.isLeftFor({ kind: 'failing', since }, 0)]).toEqual([
      false,
      true,
    ]);
    pass(10 * MINUTE);
    expect(late.isLeftFor({ kind: 'failing', since }, 0)).toBe(false);
  });
});
