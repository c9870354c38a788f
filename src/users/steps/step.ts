import type { Adapter, Call, Receipt, VendorUser } from '../../adapter.js';
import type { Target } from '../../clusters/registry.js';
import { GatewayError, type StoredError } from '../../errors.js';
import type { ItemStatus, Role, User, UserFeature } from '../../model.js';
import type { FinalVerdict, Nature, Reading } from '../../writes/verdict.js';

export type StepName = Extract<UserFeature, 'create' | 'setRole' | 'setPassword' | 'delete'>;

/** What a step needs to know of an item. */
export interface StepItem {
  readonly username: string;
  readonly role?: Role;
  readonly directoryMode?: string;
  /** The role was changed by an earlier step of the same item. */
  readonly roleIsSet?: true;
}

/** An item with its password in the clear. */
export interface Parcel {
  readonly item: StepItem;
  readonly password: string;
}

/** What became of an item. */
export interface StepResult {
  readonly status: ItemStatus;
  readonly user?: User;
  readonly error?: StoredError;
}

/** A final verdict, with what it is reported by. */
export interface Finding {
  readonly verdict: FinalVerdict;
  readonly reading: Reading;
  /** The user as read back; null where they were not found or not read. */
  readonly found: VendorUser | null;
  /** The failure that led to the verdict; absent where the vendor confirmed the step. */
  readonly error?: GatewayError;
}

/** One thing that is done to users: what it sends, what a user that was read back shows of it, and how its end is worded. */
export interface Step {
  readonly name: StepName;
  readonly nature: Nature;
  send(target: Target, parcels: readonly Parcel[], call: Call): Promise<Receipt>;
  /** What a user who was found shows. */
  readingOf(item: StepItem, found: VendorUser): Extract<Reading, 'present' | 'as_asked'>;
  result(target: Target, item: StepItem, finding: Finding): StepResult;
}

/** The adapter's method; admission has made sure that there is one. */
export const methodOf = <Name extends 'createUsers' | 'setRoles' | 'setPasswords' | 'deleteUsers'>(
  { account }: Target,
  name: Name,
): NonNullable<Adapter[Name]> => {
  const method = account.adapter[name];
  if (!method) throw new GatewayError('not_supported', `${account.module.title} has no ${name}.`);
  return method;
};
