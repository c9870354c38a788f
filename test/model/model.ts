/** The plain model: what becomes of items when nothing goes wrong. */
import type { UserState } from './history.js';
import { BAD_NAME, type Role, type VendorName } from './plan.js';

/** An item with its values. */
export interface Asked {
  readonly op: 'create' | 'ensure' | 'update' | 'delete';
  readonly username: string;
  readonly role?: Role;
  readonly password?: string;
  /** Whether the vendor does not accept the password. */
  readonly picky?: boolean;
  readonly ifMatch?: 'stale' | 'current' | 'any';
}

export type Users = Map<string, Exclude<UserState, null>>;

const DONE = new Set(['created', 'updated', 'unchanged', 'deleted']);

/** The user is there, and has the role. */
const ensure = (vendor: VendorName, users: Users, { username, role, password, picky, ifMatch }: Asked): string => {
  const user = users.get(username);
  const hasNoRoles = vendor === 'shanhe-hpc';
  if (ifMatch === 'stale' || (ifMatch !== undefined && !user)) return 'refused';
  if (user) {
    if (role === undefined || user.role === role) return 'unchanged';
    if (hasNoRoles) return 'refused';
    users.set(username, { ...user, role });
    return 'updated';
  }
  if (password === undefined || username === BAD_NAME || picky || (hasNoRoles && role === 'admin')) return 'refused';
  users.set(username, { role: role ?? 'member', password });
  return 'created';
};

/** What happens to one item; changes `users` as the vendor's would. */
const perform = (vendor: VendorName, users: Users, asked: Asked): string => {
  const { op, username, role, password = null, picky, ifMatch } = asked;
  const user = users.get(username);
  const hasNoRoles = vendor === 'shanhe-hpc';
  if (op === 'ensure') return ensure(vendor, users, asked);
  if (op === 'create') {
    if (username === BAD_NAME) return 'refused';
    if (picky) return user ? 'refused or already_exists' : 'refused';
    if (user) return 'already_exists';
    users.set(username, { role: role ?? 'member', password });
    return 'created';
  }
  if (op === 'update' && role !== undefined && hasNoRoles) return 'refused';
  if (!user) return 'not_found';
  if (ifMatch === 'stale') return 'refused';
  if (op === 'delete') {
    users.delete(username);
    return 'deleted';
  }
  const withRole = role === undefined ? user : { ...user, role };
  users.set(username, withRole);
  if (picky) return 'refused';
  if (asked.password !== undefined) users.set(username, { ...withRole, password });
  return 'updated';
};

/**
 * The status of each item, in order; `refused or already_exists` where both are true. `cancelled` only says that an earlier item stops
 * this one if it goes in a later call.
 */
export const predict = (vendor: VendorName, before: Users, items: readonly Asked[], stopOnError: boolean): string[] => {
  const users = new Map(before);
  let isStopped = false;
  return items.map((item) => {
    if (isStopped) return 'cancelled';
    const status = perform(vendor, users, item);
    isStopped = stopOnError && !DONE.has(status);
    return status;
  });
};
