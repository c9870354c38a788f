/** What it takes that a user exists, with a role: decided by a reading of the cluster right before. */
import type { NewUser, VendorUser } from '../adapter.js';
import { GatewayError } from '../errors.js';
import type { BatchItem, Role } from '../model.js';
import type { Requirement } from './admission.js';
import { checkNewUser, checkPassword, checkRole, checkUsername } from './rules.js';

export interface Wanted {
  readonly username: string;
  readonly role?: Role;
  readonly password?: string;
  readonly directoryMode?: string;
}

export type Plan =
  | { readonly kind: 'create'; readonly user: NewUser }
  | { readonly kind: 'setRole'; readonly role: Role }
  | { readonly kind: 'unchanged'; readonly user: VendorUser | undefined }
  /** They would have to be created, and a password is missing. */
  | { readonly kind: 'needs_password' };

/** What is known of a user; null where there is none. `user` is missing where an item before makes or changes them. */
export type Known = { readonly role: Role; readonly user?: VendorUser } | null;

export const planOf = ({ username, role, password, directoryMode }: Wanted, known: Known): Plan => {
  if (known) {
    const isAsWanted = role === undefined || known.role === role;
    return isAsWanted ? { kind: 'unchanged', user: known.user } : { kind: 'setRole', role };
  }
  if (password === undefined) return { kind: 'needs_password' };
  return {
    kind: 'create',
    user: { username, password, role: role ?? 'member', ...(directoryMode !== undefined && { directoryMode }) },
  };
};

/** Whatever the plan: what is given has to fit. */
export const wantedRequirement = ({ username, role, password }: Wanted): Requirement => ({
  features: [],
  check: (capabilities) => {
    checkUsername(username);
    if (role !== undefined) checkRole(role, capabilities);
    if (password !== undefined) checkPassword(password, capabilities);
  },
});

const passwordMissing = (): never => {
  const message = 'There is no such user, and creating one needs a password.';
  throw new GatewayError('invalid_user', message, { errors: [{ pointer: '/password', message }] });
};

/** What the plan asks of the cluster. */
export const plannedRequirement = (plan: Plan): Requirement => {
  switch (plan.kind) {
    case 'create':
      return { features: ['create'], check: (capabilities) => checkNewUser(plan.user, capabilities) };
    case 'setRole':
      return { features: ['setRole'], check: () => undefined };
    case 'needs_password':
      return { features: [], check: passwordMissing };
    case 'unchanged':
      return { features: [], check: () => undefined };
  }
};

/** What is known of the user after the item, if all goes well. */
export const after = (item: BatchItem, known: Known): Known => {
  switch (item.op) {
    case 'delete':
      return null;
    case 'create':
      return known ?? { role: item.role ?? 'member' };
    case 'update':
      return known && item.role !== undefined ? { role: item.role } : known;
    case 'ensure': {
      if (known) return item.role === undefined || item.role === known.role ? known : { role: item.role };
      return item.password === undefined ? null : { role: item.role ?? 'member' };
    }
  }
};
