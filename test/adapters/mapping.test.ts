import { expect, it } from '@jest/globals';
import { groupOf } from '../../adapters/alibaba-ehpc/mapping.js';

it('E-HPC has two groups, and none of them stands for a third role', () => {
  expect([groupOf('member'), groupOf('admin')]).toEqual(['users', 'wheel']);
  expect(() => groupOf('owner')).toThrow('no group for the role owner');
});
