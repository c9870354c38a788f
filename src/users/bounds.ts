/** What the roles of a caller's rights allow: whom they may make, and whom they may change and delete. */
import type { CallerCall } from '../callers/caller.js';
import { highestRole, isHigher } from '../callers/rights.js';
import { GatewayError } from '../errors.js';
import type { BatchItem, Role } from '../model.js';
import type { NewItem } from '../writes/new-operation.js';
import { contentOf, type StepName, type UserContent } from './steps/step.js';

/** The highest role; undefined where the caller may not grant any. */
export type Bound = Role | undefined;

/** With this one there is nobody whom the caller may not change. */
export const HIGHEST: Role = 'owner';

export const boundOf = (clusterId: string, { caller }: CallerCall): Bound => highestRole(caller.rights, clusterId);

const mayTouch = (bound: Bound, role: Role): boolean => bound !== undefined && !isHigher(role, bound);

/** Why the caller may not ask for an item, whatever its user; undefined where they may. */
export const roleRefusal = (
  { op, role }: { readonly op: BatchItem['op']; readonly role?: Role },
  bound: Bound,
): GatewayError | undefined => {
  if (bound === undefined)
    return new GatewayError('forbidden', 'The rights of the caller name no role whose users they may change.');
  const asked = role ?? (op === 'create' ? 'member' : undefined);
  if (asked === undefined || mayTouch(bound, asked)) return undefined;
  return new GatewayError('forbidden', `The caller may grant the role ${bound} at most, not ${asked}.`);
};

const BOUNDED: readonly StepName[] = ['bounded'];

/** The item, which then reads its user first, and again before each send: one of a higher role is not touched. Nothing is read for callers who may change everybody. */
export const withBound = (item: NewItem, bound: Bound): NewItem => {
  if (bound === undefined || bound === HIGHEST || item.op === 'create' || item.outcome) return item;
  const content: UserContent = { ...contentOf(item), atMost: bound };
  return { ...item, content, isConditional: true, ...(item.op !== 'ensure' && { steps: BOUNDED }) };
};
