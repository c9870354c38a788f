import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { noteArrival, ownTurn } from '../../src/own-turn.js';

/** Keeps the processor busy. */
const work = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

describe('pieces of work', () => {
  it('of one owner have a turn of the event loop each', async () => {
    const PIECES = 100;
    let pieces = 0;
    const all = Promise.all(
      Array.from({ length: PIECES }, async () => {
        await ownTurn('one');
        work(1);
        pieces++;
      }),
    );
    const seen: number[] = [];
    while (pieces < PIECES) {
      await nextTurn();
      seen.push(pieces);
    }
    await all;
    expect(Math.max(...seen.map((count, at) => count - (seen[at - 1] ?? 0)))).toBeLessThanOrEqual(1);
  });

  it('of many owners come by turns', async () => {
    const order: string[] = [];
    const piece = (of: string): Promise<number> => ownTurn(of).then(() => order.push(of));
    await Promise.all([...Array.from({ length: 20 }, () => piece('many')), piece('few'), piece('few'), piece('other')]);
    expect(order.slice(0, 5)).toEqual(['many', 'few', 'other', 'many', 'few']);
  });

  it('of many owners do not share a turn while connections arrive', async () => {
    let pieces = 0;
    const all = Promise.all(['one', 'two', 'three'].map((of) => ownTurn(of).then(() => pieces++)));
    const seen: number[] = [];
    for (let turns = 0; pieces < 3 && turns < 1_000; turns++) {
      noteArrival();
      work(1);
      await nextTurn();
      seen.push(pieces);
    }
    await all;
    expect(Math.max(...seen.map((count, at) => count - (seen[at - 1] ?? 0)))).toBe(1);
  });

  it('wait while connections arrive, and not for long', async () => {
    const since = performance.now();
    await ownTurn();
    await nextTurn();
    let doneAt: number | undefined;
    noteArrival();
    const waited = ownTurn().then(() => {
      doneAt = performance.now();
    });
    for (let turns = 0; doneAt === undefined && turns < 1_000; turns++) {
      noteArrival();
      work(0.2);
      await nextTurn();
    }
    expect(doneAt).toBeGreaterThanOrEqual(since + 2);
    await waited;
  });
});
