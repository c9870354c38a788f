/** How the end of an item is worded, in view of what came before. */
import { describe, expect, it } from '@jest/globals';
import type { Target } from '../../src/clusters/registry.js';
import { GatewayError } from '../../src/errors.js';
import type { ItemRecord } from '../../src/journal/records.js';
import { stepsOf } from '../../src/users/steps/index.js';
import { inViewOf } from '../../src/writes/outcome.js';

describe('a refusal without effect', () => {
  const step = stepsOf({ id: 'c' } as Target, async () => undefined);
  const error = new GatewayError('vendor_rate_limited', 'The vendor throttles the account.');
  const item: ItemRecord = {
    index: 0,
    op: 'update',
    name: 'ada',
    secret: 'sealed',
    steps: ['setPassword'],
    sends: 1,
    underWay: 1,
  };
  const messageOf = (record: ItemRecord): string => {
    const finding = { verdict: 'failed', reading: 'none', found: null, error } as const;
    return inViewOf(record, step('setPassword').outcome(record, finding), { step }).error?.message ?? '';
  };

  it('says that nothing was changed only where nothing came before it', () => {
    expect(messageOf(item)).toContain('Nothing was changed.');
    const second: ItemRecord = { ...item, steps: ['setRole', 'setPassword'], stepsDone: 1 };
    expect(messageOf(second)).toContain('The role was changed.');
    expect(messageOf(second)).not.toContain('Nothing was changed.');
    const again: ItemRecord = { ...item, sends: 2 };
    expect(messageOf(again)).toContain('Whether the password was set cannot be read back.');
  });
});
