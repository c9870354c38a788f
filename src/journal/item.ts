/** The life of an item: what its record becomes with each call for it. */
import { GatewayError, restoreError } from '../errors.js';
import type { StepName } from '../users/steps/step.js';
import { failedWith, withDetail } from '../users/steps/wording.js';
import type { Baseline } from '../writes/verdict.js';
import { type ItemOutcome, type ItemRecord, isDone, type UserRecord } from './records.js';

/**
 * What a step of an item came to: its end, or the same step or the next one, to be sent (again) later. `untouched`: what was sent surely
 * changed nothing.
 */
export type StepOutcome =
  | ItemOutcome
  | { readonly status: 'again'; readonly untouched: boolean }
  | { readonly status: 'role_is_set' };

export const isOutcome = (outcome: StepOutcome): outcome is ItemOutcome =>
  outcome.status !== 'again' && outcome.status !== 'role_is_set';

export const stepOf = (item: ItemRecord): StepName => {
  if (item.op !== 'update') return item.op;
  return item.role !== undefined && !item.roleIsSet ? 'setRole' : 'setPassword';
};

/** Of an update of both role and password the role comes first. */
export const hasAnotherStep = (item: ItemRecord): boolean => stepOf(item) === 'setRole' && item.password !== undefined;

/** What is stored with a send. */
export interface Departure {
  /** Now, by our clock, in milliseconds since 1970: a store may take long to come to the change. */
  readonly at: () => number;
  readonly baselineOf: (username: string, user: UserRecord | undefined, isOwn: boolean) => Baseline;
  /** Which user a baseline `present` is of. */
  readonly seenOf: (username: string) => string | undefined;
}

/** The record of an item that is about to be sent. */
export const beforeCall = (
  item: ItemRecord,
  user: UserRecord | undefined,
  isOwn: boolean,
  { at: now, baselineOf, seenOf }: Departure,
): ItemRecord => {
  const at = now();
  const { baseline: _, seen: __, ...rest } = item;
  const baseline = baselineOf(item.username, user, isOwn);
  const seen = baseline === 'present' ? seenOf(item.username) : undefined;
  return {
    ...rest,
    sentAt: item.sentAt ?? new Date(at).toISOString(),
    sends: (item.sends ?? 0) + 1,
    underWay: at,
    ...(baseline !== 'unread' && { baseline }),
    ...(seen !== undefined && { seen }),
  };
};

/** The record without what belongs to a call that is over. */
const withoutCall = ({ underWay: _, job: __, ...item }: ItemRecord): ItemRecord => item;

/** The record without what belongs to a step that is over. */
const withoutStep = ({ sentAt: _, sends: __, baseline: ___, seen: ____, ...item }: ItemRecord): ItemRecord => withoutCall(item);

/** The password is not needed any more. What an unknown end may still be judged by is kept. */
const settled = ({ password: _, ...item }: ItemRecord, outcome: ItemOutcome): ItemRecord => ({
  ...(outcome.status === 'unknown' ? item : withoutStep(item)),
  outcome,
});

export const afterCall = (item: ItemRecord, outcome: StepOutcome): ItemRecord => {
  if (isOutcome(outcome)) return settled(item, outcome);
  if (outcome.status === 'role_is_set') return { ...withoutStep(item), roleIsSet: true };
  const sends = (item.sends ?? 1) - (outcome.untouched ? 1 : 0);
  return sends === 0 ? withoutStep(item) : { ...withoutCall(item), sends };
};

/** The steps before this one, or earlier calls for it, may have changed something: no end hides that. */
export const inViewOf = (item: ItemRecord, outcome: ItemOutcome): ItemOutcome => {
  if (isDone(outcome) || outcome.status === 'unknown') return outcome;
  const error = outcome.error
    ? restoreError(outcome.error)
    : new GatewayError('operation_cancelled', 'The operation was cancelled.');
  const earlier = (item.sends ?? 0) - (item.underWay === undefined ? 0 : 1);
  const role = item.roleIsSet ? ' The role was changed.' : '';
  if (earlier > 0 && outcome.status !== 'not_found') {
    const step = stepOf(item);
    if (step === 'setPassword')
      return failedWith(withDetail(error, `Whether the password was set cannot be read back.${role}`, 'open'), 'unknown');
    // Reading back, and nothing else, shows that a role was not changed.
    if (step === 'setRole' && error.effect !== 'none')
      return failedWith(withDetail(error, 'Whether the role was changed is not known.', 'open'), 'unknown');
  }
  if (!item.roleIsSet) return outcome;
  return failedWith(withDetail(error, role.trim(), 'open'), outcome.status === 'cancelled' ? 'failed' : outcome.status);
};
