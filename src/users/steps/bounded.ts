import type { VendorUser } from '../../adapter.js';
import { isHigher } from '../../callers/rights.js';
import type { Target } from '../../clusters/registry.js';
import { GatewayError } from '../../errors.js';
import type { ItemOutcome, ItemRecord } from '../../journal/records.js';
import type { Role } from '../../model.js';
import type { Asked, Found, Planned, Step } from '../../writes/resource.js';
import { incompleteList } from '../find.js';
import { checkUser } from '../precondition.js';
import { plannedStep } from './planned.js';
import { contentOf, type StepName, userOf } from './step.js';
import { failedWith, notFound } from './wording.js';

/** What decides whether a caller may touch a user. */
export type Bounded = Pick<VendorUser, 'username' | 'role' | 'isRoleUnknown'>;

export const isWithin = ({ role, isRoleUnknown }: Omit<Bounded, 'username'>, atMost: Role): boolean =>
  !isRoleUnknown && !isHigher(role, atMost);

/** A caller must not touch a user of a role that they may not grant: with a password of their choice, they would be that user. */
export const outOfBounds = ({ username, role, isRoleUnknown }: Bounded, atMost: Role): GatewayError =>
  new GatewayError(
    'forbidden',
    `The user ${username} has ${isRoleUnknown ? 'a role that the gateway does not know' : `the role ${role}`}; the caller may change and delete users of the role ${atMost} at most.`,
  );

/**
 * Whether the user may still be touched, right before a send: they may have got a higher role since they were read.
 * @returns what becomes of the item where not @throws vendor_bad_response where the list is incomplete, and the user is not in it
 */
export const checkBound = (target: Target, item: ItemRecord, { found, complete, isWhole }: Found): ItemOutcome | undefined => {
  const { atMost } = contentOf(item);
  if (atMost === undefined) return undefined;
  const user = userOf(found.get(item.name) ?? null);
  if (user) return isWithin(user, atMost) ? undefined : failedWith(outOfBounds(user, atMost), 'refused');
  if (complete) return undefined;
  const error = incompleteList(target, `the user ${item.name} is one whom the caller may change`);
  if (!isWhole) throw error;
  return failedWith(error, 'failed');
};

/** What the item does, once the user is known to be within the bounds of its caller. */
const stepsOf = ({ item }: Asked): StepName[] => {
  if (item.op === 'delete') return ['delete'];
  const { role } = contentOf(item);
  return [
    ...(role === undefined ? [] : (['setRole'] as const)),
    ...(item.secret === undefined ? [] : (['setPassword'] as const)),
  ];
};

/** Reads whether the user is one whom the caller may change or delete, and lets the item do what it is for. Sends nothing. */
export const boundedStep = (target: Target): Step => {
  const planOne = (asked: Asked, read: Found): Planned => {
    const { item } = asked;
    const { found, complete, isWhole } = read;
    const user = userOf(found.get(item.name) ?? null);
    const error = incompleteList(target, `the user ${item.name} is one whom the caller may change`);
    if (!user && !complete) return { status: 'unread', error, ...(isWhole && { otherwise: failedWith(error, 'failed') }) };
    if (!user) return failedWith(notFound(target, item.name, new GatewayError('user_not_found', '')));
    const { atMost } = contentOf(item);
    if (atMost !== undefined && !isWithin(user, atMost)) return failedWith(outOfBounds(user, atMost), 'refused');
    const refused: ItemOutcome | undefined = item.ifMatch === undefined ? undefined : checkUser(target, bounded, item, read);
    return refused ?? { status: 'planned', steps: stepsOf(asked) };
  };

  const plan: Step['plan'] = async (asked, read) => asked.map((each) => planOne(each, read));
  const bounded = plannedStep(target, 'bounded', plan, 'Whether the user was changed is not known');
  return bounded;
};
