/** The life of an item: what its record becomes with each call for it. */
import type { ItemOutcome, ItemRecord, ThingRecord } from './records.js';

/**
 * What a step of an item came to: its end, or the same step or the next one, to be sent (again) later. `untouched`: what was sent surely
 * changed nothing.
 */
export type StepOutcome =
  | ItemOutcome
  | { readonly status: 'again'; readonly untouched: boolean }
  /** `step` says which one, so that it is not counted twice. */
  | { readonly status: 'step_done'; readonly step: number };

export const isOutcome = (outcome: StepOutcome): outcome is ItemOutcome =>
  outcome.status !== 'again' && outcome.status !== 'step_done';

export const stepOf = ({ steps, stepsDone = 0 }: ItemRecord): string => steps[stepsDone] ?? '';

export const hasAnotherStep = ({ steps, stepsDone = 0 }: ItemRecord): boolean => stepsDone + 1 < steps.length;

/** Whether its thing has to be looked at before each send. */
export const hasConditions = ({ ifMatch, isConditional }: ItemRecord): boolean => ifMatch !== undefined || isConditional === true;

/** What is stored with a send. */
export interface Departure {
  /** Now, by our clock, in milliseconds since 1970: a store may take long to come to the change. */
  readonly at: () => number;
  /** Of an item that may have been sent without a trace: when that may have been first, and why nobody knows. */
  readonly traceless?: { readonly since: number; readonly doubt: NonNullable<ItemRecord['doubt']> };
  readonly baselineOf: (name: string, thing: ThingRecord | undefined, isOwn: boolean) => 'unread' | 'absent' | 'present';
  /** Which thing a baseline `present` is of. */
  readonly seenOf: (name: string) => string | undefined;
}

/** The record of an item that is about to be sent. */
export const beforeCall = (
  item: ItemRecord,
  thing: ThingRecord | undefined,
  isOwn: boolean,
  { at: now, traceless, baselineOf, seenOf }: Departure,
): ItemRecord => {
  const at = now();
  const { baseline: _, seen: __, ...rest } = item;
  const baseline = baselineOf(item.name, thing, isOwn);
  const seen = baseline === 'present' ? seenOf(item.name) : undefined;
  return {
    ...rest,
    sentAt: item.sentAt ?? new Date(traceless?.since ?? at).toISOString(),
    sends: (item.sends ?? 0) + 1,
    underWay: at,
    ...(traceless && { doubt: traceless.doubt }),
    ...(baseline !== 'unread' && { baseline }),
    ...(seen !== undefined && { seen }),
  };
};

/** The record without what belongs to a call that is over. */
const withoutCall = ({ underWay: _, job: __, doubt: ___, ...item }: ItemRecord): ItemRecord => item;

/** The record without what belongs to a step that is over. */
const withoutStep = ({ sentAt: _, sends: __, baseline: ___, seen: ____, ...item }: ItemRecord): ItemRecord => withoutCall(item);

/** The record as it was before anything was sent. What was decided for the first step is decided again. */
const unsent = (item: ItemRecord): ItemRecord => {
  const before = withoutStep(item);
  const { asked, ...rest } = before;
  return asked && !item.stepsDone ? { ...rest, steps: asked } : before;
};

/** The secret is not needed any more. What an unknown end may still be judged by is kept. */
const settled = ({ secret: _, ...item }: ItemRecord, outcome: ItemOutcome): ItemRecord => ({
  ...(outcome.status === 'unknown' ? item : withoutStep(item)),
  outcome,
});

export const afterCall = (item: ItemRecord, outcome: StepOutcome): ItemRecord => {
  if (isOutcome(outcome)) return settled(item, outcome);
  if (outcome.status === 'step_done') return { ...withoutStep(item), stepsDone: outcome.step + 1 };
  const sends = (item.sends ?? 1) - (outcome.untouched ? 1 : 0);
  return sends === 0 ? unsent(item) : { ...withoutCall(item), sends };
};

/** Whether what came of an item is stored already: the change that stores it may be made twice. */
export const isStored = (item: ItemRecord, outcome: StepOutcome): boolean => {
  if (item.outcome) return true;
  if (outcome.status === 'step_done') return (item.stepsDone ?? 0) > outcome.step;
  return outcome.status === 'again' && item.underWay === undefined;
};

/** Whether earlier calls for the present step may have had an effect. */
export const mayHaveHadEffect = ({ sends = 0, underWay }: ItemRecord): boolean => sends - (underWay === undefined ? 0 : 1) > 0;
