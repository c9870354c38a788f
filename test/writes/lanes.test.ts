import { expect, it } from '@jest/globals';
import { createLanes, type Lane } from '../../src/writes/lanes.js';

/** Work that ends on demand. */
const stage = (concurrency: number) => {
  const lanes = createLanes(concurrency);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (lane: Lane, name: string): Promise<void> =>
    lanes.run(lane, () => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { lanes, begun, ask, end };
};

it('runs so many at once, in their order', async () => {
  const { begun, ask, end } = stage(2);
  for (const name of ['a', 'b', 'c', 'd']) void ask('batch', name);
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('a');
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});

it('lets singles go before batches, and a batch after four of them', async () => {
  const { begun, ask, end } = stage(1);
  void ask('batch', 'first');
  for (const name of ['b1', 'b2']) void ask('batch', name);
  for (let at = 1; at <= 9; at++) void ask('single', `s${at}`);
  for (let at = 0; at < 12; at++) await end(begun.at(-1) as string);
  expect(begun).toEqual(['first', 's1', 's2', 's3', 's4', 'b1', 's5', 's6', 's7', 's8', 'b2', 's9']);
});

it('goes on after work that failed, and passes on what it came to', async () => {
  const lanes = createLanes(1);
  const failing = lanes.run('single', async () => {
    throw new RangeError('no');
  });
  await expect(failing).rejects.toBeInstanceOf(RangeError);
  expect(await lanes.run('batch', async () => 7)).toBe(7);
});
