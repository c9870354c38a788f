/** A vendor's refusal of a call for many users is about one of them: what became of the others is read for each (issue 7, item 1). */
import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp, creating, deleting, newName, OTHER_PASSWORD, onEhpc, PASSWORD, statusesOf } from './evidence.js';

afterEach(cleanUp);

const LISTINGS = ['sync', 'async'] as const;
/** `until-refused`: the entries before the bad one took effect; `skips-refused`: all but the bad one. */
const ORDERS = ['until-refused', 'skips-refused'] as const;
/** [a1, a2, bad, a3] and its variants. */
const PLACES = { first: 0, middle: 2, last: 3 } as const;

const with4 = (place: number, bad: string): string[] => {
  const names = [newName(), newName(), newName()];
  names.splice(place, 0, bad);
  return names;
};

describe.each(LISTINGS)('E-HPC with the %s listing', (listing) => {
  describe.each(ORDERS)('applies a batch %s', (batch) => {
    it.each(Object.entries(PLACES))('create: the taken name is %s', async (_, place) => {
      const scene = await onEhpc({ account: { listing } }, { quirks: { batch } });
      const taken = newName();
      scene.simulator.addUser(scene.cluster, taken, { password: OTHER_PASSWORD });
      const names = with4(place, taken);
      const answer = await scene.batch(names.map((name) => creating(name)));
      expect(statusesOf(answer)).toEqual(names.map((name) => (name === taken ? 'already_exists' : 'created')));
      const made = names.filter((name) => name !== taken);
      expect(made.map(scene.effects)).toEqual(made.map(() => ['created']));
      expect(made.map((name) => scene.opens(name, PASSWORD))).toEqual([true, true, true]);
      expect([scene.effects(taken), scene.opens(taken, OTHER_PASSWORD)]).toEqual([[], true]);
    });

    it.each(Object.entries(PLACES))('delete: the missing user is %s', async (_, place) => {
      const scene = await onEhpc({ account: { listing } }, { quirks: { batch } });
      const missing = newName();
      const names = with4(place, missing);
      const there = names.filter((name) => name !== missing);
      for (const name of there) scene.simulator.addUser(scene.cluster, name, { at: '2024-03-05T08:00:00Z' });
      const answer = await scene.batch(names.map(deleting));
      expect(statusesOf(answer)).toEqual(names.map((name) => (name === missing ? 'not_found' : 'deleted')));
      expect(there.map(scene.effects)).toEqual(there.map(() => ['deleted']));
    });
  });
});
