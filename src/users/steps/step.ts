/** What the steps of users have in common. */
import type { Adapter, VendorUser } from '../../adapter.js';
import type { Target } from '../../clusters/registry.js';
import { GatewayError } from '../../errors.js';
import type { Role, UserFeature } from '../../model.js';
import type { Step, Thing } from '../../writes/resource.js';

export type StepName = Extract<UserFeature, 'create' | 'setRole' | 'setPassword' | 'delete'> | 'ensure' | 'bounded';

/** What is written of a user, but for the password. */
export interface UserContent {
  readonly role?: Role;
  readonly directoryMode?: string;
  /** Of a user to ensure: there must be none before. */
  readonly isNew?: true;
  /** The highest role that the caller may grant, or change and delete users of; absent where there is no bound. */
  readonly atMost?: Role;
}

/** A user that was read. */
export interface UserThing extends Thing {
  readonly user: VendorUser;
}

export const toThing = (user: VendorUser): UserThing => ({
  createdAt: user.createdAt,
  identity: JSON.stringify([user.createdAt, user.userId, user.uid]),
  user,
});

/** The user in what the engine was given by a reading of users. */
export const userOf = (found: Thing | null): VendorUser | null => (found as UserThing | null)?.user ?? null;

export const contentOf = ({ content = {} }: { readonly content?: object }): UserContent => content as UserContent;

/** A step of the users of one cluster. */
export type StepOf = (target: Target) => Step;

/** The adapter's method; admission has made sure that there is one. */
export const methodOf = <Name extends 'createUsers' | 'setRoles' | 'setPasswords' | 'deleteUsers'>(
  { account }: Target,
  name: Name,
): NonNullable<Adapter[Name]> => {
  const method = account.adapter[name];
  if (!method) throw new GatewayError('not_supported', `${account.module.title} has no ${name}.`);
  return method;
};
