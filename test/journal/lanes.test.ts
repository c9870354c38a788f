/** Open operations come to work in the order of their acceptance, cluster by cluster, and not all at once. */
import { expect, it } from '@jest/globals';
import { createLanes } from '../../src/journal/lanes.js';
import type { LoadedOperation, OpenRef } from '../../src/journal/records.js';
import { pause, until } from '../support/wait.js';

const refs = (count: number, lane: string): OpenRef[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${lane}${String(index).padStart(5, '0')}`, lane }));

const stage = (load: (id: string) => Promise<string | undefined> = async (id) => id) => {
  const given: string[] = [];
  const ends = new Map<string, () => void>();
  const faults: unknown[] = [];
  const lanes = createLanes({
    load: async (id) => {
      const known = await load(id);
      return known === undefined ? undefined : ({ id, state: 'pending' } as LoadedOperation);
    },
    run: ({ id }) => {
      given.push(id);
      return new Promise((resolve) => ends.set(id, resolve));
    },
    generation: () => 'the only one',
    onFault: (error) => faults.push(error),
  });
  return { lanes, given, ends, faults };
};

it('an operation whose loading takes long is not overtaken by later ones of its cluster', async () => {
  const { lanes, given } = stage(async (id) => {
    if (id === 'a00003') await pause(80);
    return id;
  });
  const slow = lanes.add(refs(6, 'a'));
  void lanes.add(refs(2, 'b'));
  void lanes.add([{ id: 'late', lane: 'a' }]);
  await until(() => given.length === 2);
  expect(given).toEqual(refs(2, 'b').map(({ id }) => id));
  await slow;
  expect(given.slice(2)).toEqual([...refs(6, 'a').map(({ id }) => id), 'late']);
});

it('so many of a cluster are in memory, and the next one comes when one has ended; another cluster does not wait', async () => {
  const { lanes, given, ends } = stage();
  const many = refs(2_005, 'a');
  await lanes.add(many);
  expect([given.length, lanes.has('a01999'), lanes.has('a02000')]).toEqual([2_000, true, false]);
  await lanes.add([{ id: 'other', lane: 'b' }]);
  expect(given.at(-1)).toBe('other');
  // Known already, those that wait too.
  await lanes.add(many);
  expect(given).toHaveLength(2_001);
  ends.get('a00500')?.();
  await until(() => lanes.has('a02000'));
  expect(lanes.has('a00500')).toBe(false);
});

it('what cannot be loaded, or is gone, holds up nobody', async () => {
  const { lanes, given, faults } = stage(async (id) => {
    if (id === 'a00001') throw new Error('unreadable');
    return id === 'a00002' ? undefined : id;
  });
  await lanes.add(refs(5, 'a'));
  expect(given).toEqual(['a00000', 'a00003', 'a00004']);
  expect(faults).toHaveLength(1);
});

it('nothing is taken up after the end', async () => {
  const { lanes, given, ends } = stage();
  await lanes.add(refs(2, 'a'));
  lanes.close();
  await lanes.add(refs(4, 'a'));
  expect([given.length, lanes.isEmpty]).toEqual([2, false]);
  for (const end of ends.values()) end();
  await until(() => lanes.isEmpty);
});
