import { expect, it } from '@jest/globals';
import type { UserSlice } from '../../src/adapter.js';
import { markOf } from '../../src/users/cursor.js';

const slice = (total: number, ...names: readonly string[]) =>
  ({ total, users: names.map((username) => ({ username })) }) as unknown as UserSlice;

it('a window that the vendor repeats has the same mark, and one that insertions have moved has another', () => {
  expect(markOf(slice(9, 'a', 'b'))).toBe(markOf(slice(9, 'a', 'b')));
  expect(markOf(slice(11, 'a', 'b'))).not.toBe(markOf(slice(9, 'a', 'b')));
  expect(markOf(slice(9, 'b', 'c'))).not.toBe(markOf(slice(9, 'a', 'b')));
  expect(markOf(slice(9, 'a'))).toBeUndefined();
});
