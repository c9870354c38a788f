import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/errors.js';
import type { Target } from '../../src/registry.js';
import type { ItemRecord } from '../../src/service/operations/records.js';
import { inViewOf, refusedWith } from '../../src/service/operations/steps.js';

describe('a refusal without effect', () => {
  const target = { id: 'c' } as Target;
  const throttled = new GatewayError('vendor_rate_limited', 'The vendor throttles the account.');
  const item: ItemRecord = { index: 0, op: 'update', username: 'ada', password: 'sealed', sends: 1, underWay: 1 };
  const toldOf = (record: ItemRecord): string => inViewOf(record, refusedWith(target, record, throttled)).error?.message ?? '';

  it('is told as such only where nothing came before it', () => {
    expect(toldOf(item)).toContain('Nothing was changed.');
    const second: ItemRecord = { ...item, role: 'admin', roleIsSet: true };
    expect(toldOf(second)).toContain('The role was changed.');
    expect(toldOf(second)).not.toContain('Nothing was changed.');
    const again: ItemRecord = { ...item, sends: 2 };
    expect(toldOf(again)).toContain('Whether the password was set cannot be read back.');
    expect(toldOf(again)).not.toContain('Nothing was changed.');
  });
});
