/** The life of an item: what its record becomes with each call for it. */
import type { ItemOutcome, ItemRecord } from './records.js';

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

/**
 * The record of an item that is about to be sent.
 * @param sentAt by the vendor's clock
 * @param underWay by ours, in milliseconds since 1970
 */
export const beforeCall = (item: ItemRecord, sentAt: string, underWay: number): ItemRecord => ({
  ...item,
  sentAt: item.sentAt ?? sentAt,
  sends: (item.sends ?? 0) + 1,
  underWay,
});

/** The record without what belongs to a call that is over. */
const withoutCall = ({ underWay: _, job: __, ...item }: ItemRecord): ItemRecord => item;

/** The record without what belongs to a step that is over. */
const withoutStep = ({ sentAt: _, sends: __, ...item }: ItemRecord): ItemRecord => withoutCall(item);

/** The password is not needed any more. */
const settled = ({ password: _, ...item }: ItemRecord, outcome: ItemOutcome): ItemRecord => ({ ...withoutStep(item), outcome });

export const afterCall = (item: ItemRecord, outcome: StepOutcome): ItemRecord => {
  if (isOutcome(outcome)) return settled(item, outcome);
  if (outcome.status === 'role_is_set') return { ...withoutStep(item), roleIsSet: true };
  const sends = (item.sends ?? 1) - (outcome.untouched ? 1 : 0);
  return sends === 0 ? withoutStep(item) : { ...withoutCall(item), sends };
};
