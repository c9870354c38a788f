/** The final state of an operation, over all combinations of what its items came to. */
import { describe, expect, it } from '@jest/globals';
import { finalStateOf, stateOf } from '../../src/journal/operation-state.js';
import { summarise } from '../../src/journal/records.js';
import type { ItemStatus, OperationState } from '../../src/model.js';

const summaryOf = (...statuses: ItemStatus[]) => summarise(statuses.map((status) => ({ status })));

const TABLE: readonly [OperationState, boolean, ItemStatus[]][] = [
  ['succeeded', false, ['created']],
  ['succeeded', false, ['created', 'updated', 'deleted']],
  ['succeeded', true, ['created', 'deleted']],
  ['partially_succeeded', false, ['created', 'already_exists']],
  ['partially_succeeded', false, ['deleted', 'unknown']],
  ['partially_succeeded', false, ['updated', 'cancelled']],
  ['partially_succeeded', true, ['updated', 'failed']],
  ['unknown', false, ['unknown']],
  ['unknown', false, ['failed', 'unknown', 'refused', 'not_found']],
  ['unknown', false, ['unknown', 'cancelled']],
  ['failed', false, ['failed']],
  ['failed', false, ['refused', 'already_exists', 'not_found']],
  ['failed', false, ['refused', 'cancelled']],
  ['failed', true, ['refused']],
  ['cancelled', true, ['cancelled']],
  ['cancelled', true, ['created', 'cancelled']],
  ['cancelled', true, ['unknown', 'cancelled', 'failed']],
];

const STATUSES: readonly ItemStatus[] = [
  'created',
  'updated',
  'deleted',
  'already_exists',
  'not_found',
  'refused',
  'failed',
  'unknown',
  'cancelled',
];
const isDone = (status: ItemStatus): boolean => ['created', 'updated', 'deleted'].includes(status);

describe('the final state', () => {
  it.each(TABLE)('is %s (cancelled by request: %s): %s', (state, cancelling, statuses) => {
    expect(stateOf(summaryOf(...statuses), statuses.length, cancelling)).toBe(state);
  });

  it('is the first that fits, whatever the items came to', () => {
    for (let chosen = 1; chosen < 2 ** STATUSES.length; chosen++) {
      const statuses = STATUSES.filter((_, bit) => chosen & (2 ** bit));
      for (const cancelling of [true, false]) {
        const state = stateOf(summaryOf(...statuses), statuses.length, cancelling);
        const done = statuses.filter(isDone).length;
        const fits = {
          cancelled: cancelling && statuses.includes('cancelled'),
          succeeded: done === statuses.length,
          partially_succeeded: done > 0,
          unknown: statuses.includes('unknown'),
          failed: true,
        };
        expect([statuses, cancelling, state]).toEqual([statuses, cancelling, Object.entries(fits).find(([, fit]) => fit)?.[0]]);
      }
    }
  });

  it('is not cancelled where an error stopped the rest, even when it was asked for meanwhile', () => {
    const ended = (stopOnError: boolean, ...statuses: ItemStatus[]) =>
      finalStateOf({ summary: summaryOf(...statuses), total: statuses.length, stopOnError, cancelling: true });
    expect(ended(true, 'refused', 'cancelled')).toBe('failed');
    expect(ended(true, 'created', 'refused', 'cancelled')).toBe('partially_succeeded');
    expect(ended(true, 'created', 'cancelled')).toBe('cancelled');
    expect(ended(false, 'refused', 'cancelled')).toBe('cancelled');
  });
});
