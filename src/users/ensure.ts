/** What it takes that a user exists, with a role: decided by a reading of the cluster, when all items before at this user have ended. */
import { GatewayError } from '../errors.js';
import type { BatchItem, Role } from '../model.js';
import type { Secret, WithSecret } from '../secret.js';
import type { Requirement } from './admission.js';
import { checkNewUser, checkPassword, checkRole, checkUsername } from './rules.js';

export interface Wanted {
  readonly username: string;
  readonly role?: Role;
  readonly password?: Secret;
  readonly directoryMode?: string;
}

export type Plan = 'create' | 'setRole' | 'unchanged';

/** What matters of a user; null where there is none. */
export type Known = { readonly role: Role; readonly isRoleUnknown?: true } | null;

export const planOf = ({ role }: Pick<Wanted, 'role'>, known: Known): Plan => {
  if (!known) return 'create';
  return role === undefined || known.role === role ? 'unchanged' : 'setRole';
};

/** Whatever the plan. Role and `directoryMode` are checked where they are to be set. */
export const wantedRequirement = ({ username, password }: Wanted): Requirement => ({
  features: [],
  check: (capabilities) => {
    checkUsername(username);
    if (password !== undefined) checkPassword(password, capabilities);
  },
});

const passwordMissing = (): GatewayError => {
  const message = 'There is no such user, and creating one needs a password.';
  return new GatewayError('invalid_user', message, { errors: [{ pointer: '/password', message }] });
};

/** What the plan asks of the cluster. The password was checked before. */
export const plannedRequirement = (
  plan: Plan,
  { username, role = 'member', directoryMode }: Omit<Wanted, 'password'>,
  hasPassword: boolean,
): Requirement => {
  switch (plan) {
    case 'create':
      return {
        features: ['create'],
        check: (capabilities) => {
          if (!hasPassword) throw passwordMissing();
          checkNewUser({ username, role, ...(directoryMode !== undefined && { directoryMode }) }, capabilities);
        },
      };
    case 'setRole':
      return { features: ['setRole'], check: (capabilities) => checkRole(role, capabilities) };
    case 'unchanged':
      return { features: [], check: () => undefined };
  }
};

/** What is known of the user after the item, if all goes well. */
export const after = (item: WithSecret<BatchItem>, known: Known): Known => {
  switch (item.op) {
    case 'delete':
      return null;
    case 'create':
      return known ?? { role: item.role ?? 'member' };
    case 'update':
      return known && item.role !== undefined ? { role: item.role } : known;
    case 'ensure':
      return { role: item.role ?? known?.role ?? 'member' };
  }
};
