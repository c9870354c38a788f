/** How many calls a vendor may get. */
import type { CallRecord, Fault } from '../../simulators/kit/index.js';
import type { Asked } from './model.js';
import { NAMES, type Setup } from './plan.js';

/** Calls that were made, and the most that may be. */
export interface Count {
  readonly made: number;
  readonly most: number;
}

export interface Counts {
  readonly writes: Count;
  /** Pages of users, and looks at a task that lists them. */
  readonly lists: Count;
  readonly jobs: Count;
  readonly clusters: Count;
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
const LISTS = new Set(['ListUsers', 'ListUsersAsync', '/user']);
/** Shanhe's word for a signature that is a minute off; the call is sent again with the vendor's time. */
const CLOCK_REFUSED = '1300';
const JOBS = new Set(['/operation']);

/** What was asked of the gateway, and what the vendor was called for it. */
export interface Account {
  readonly setup: Setup;
  readonly asked: readonly Asked[];
  readonly faults: readonly Fault[];
  readonly calls: readonly CallRecord[];
  readonly restarts: number;
}

const stepsOf = ({ op, role, password }: Asked): number =>
  op === 'update' && role !== undefined && password !== undefined ? 2 : 1;

/** Pages of the list of users, in the smallest size that the vendor gave, and one that is empty. */
const pagesOf = ({ setup, faults, calls }: Account): number => {
  const isShort = calls.some(({ faulted }) => faulted === 'short_page' || faulted === 'hole_page');
  const sizes = [setup.quirks['maxPageSize'], setup.quirks['maxLimit'], ...(isShort ? faults.map(({ rows }) => rows) : [])];
  const size = Math.min(...sizes.filter((cap) => typeof cap === 'number'));
  return Math.ceil((setup.others + NAMES.length) / size) + 1;
};

/**
 * What a gateway may cost a vendor, from what was asked of it and what went wrong. With S steps of items, P pages of the list, F calls
 * that met a fault or were refused for their time, R restarts, and W writes made:
 * - writes: 2 S in each life of a gateway, since a refused call is sent once more in parts, and one for each fault;
 * - pages of lists: W readings back, one before the first write and one after the last, one for each item to ensure, in each life one more, of
 *   4 P calls each, and F;
 * - looks at jobs: 10 for each write in each life, and F; at the cluster: 3 for each write, for the request and for each life, and F.
 */
export const countsOf = (account: Account): Counts => {
  const { asked, calls, restarts } = account;
  const madeTo = (actions: ReadonlySet<string>): number => calls.filter(({ action }) => actions.has(action)).length;
  const faults = calls.filter(({ faulted, code }) => faulted !== null || code === CLOCK_REFUSED).length;
  const steps = asked.reduce((sum, item) => sum + stepsOf(item), 0);
  const ensured = asked.filter(({ op }) => op === 'ensure').length;
  const [writes, lists, jobs] = [madeTo(WRITES), madeTo(LISTS), madeTo(JOBS)];
  return {
    writes: { made: writes, most: 2 * steps * (1 + restarts) + faults },
    lists: { made: lists, most: 4 * pagesOf(account) * (2 + writes + ensured * (1 + restarts) + restarts) + faults },
    // Two for looks at jobs of writes before, which a stop has left open.
    jobs: { made: jobs, most: 10 * writes * (1 + restarts) + faults + 2 },
    clusters: { made: calls.length - writes - lists - jobs, most: 3 * (1 + writes + restarts) + faults },
  };
};
