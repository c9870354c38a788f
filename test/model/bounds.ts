import type { CallRecord } from '../../simulators/kit/index.js';
import type { Setup } from './plan.js';

export interface Bound {
  readonly writes: number;
  readonly maxWrites: number;
  readonly reads: number;
  readonly maxReads: number;
  readonly faults: number;
  readonly items: number;
}

const WRITES = new Set([
  'AddUsers',
  'DeleteUsers',
  'ModifyUserGroups',
  'ModifyUserPasswords',
  '/user/addUser',
  '/user/deleteUser',
  '/user/modifyUser',
]);

export const boundOf = (_setup: Setup, calls: readonly CallRecord[], sizes: readonly number[], _restarts: number): Bound => {
  const writes = calls.filter(({ action }) => WRITES.has(action)).length;
  const faults = calls.filter(({ faulted }) => faulted !== null).length;
  const items = sizes.reduce((sum, size) => sum + size, 0);
  return { writes, maxWrites: 1000, reads: calls.length - writes, maxReads: 10000, faults, items };
};
