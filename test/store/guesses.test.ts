import { expect, it } from '@jest/globals';
import { createGuesses } from '../../src/store/guesses.js';

it('remembers what records were, and never secrets', () => {
  const guesses = createGuesses();
  guesses.note('item:1:0', 'text');
  guesses.note('secret:1:0', 'own key');
  expect([guesses.of('item:1:0'), guesses.of('secret:1:0')]).toEqual(['text', undefined]);
  guesses.forget(['item:1:0']);
  expect(guesses.of('item:1:0')).toBeUndefined();
});
