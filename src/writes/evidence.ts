/** What is not known about an item after its call, and how reading back settles it. */
import { GatewayError } from '../errors.js';
import { hasAnotherStep, type StepOutcome } from '../journal/item.js';
import { type ItemRecord, LATELY_MS, type ThingRecord } from '../journal/records.js';
import type { Context } from './context.js';
import type { Flight } from './flight.js';
import { MAX_UNCERTAINTY_MS } from './offsets.js';
import { troubleOf } from './pace.js';
import { readBack, type Times } from './read-back.js';
import type { Finding, Found, Step, Thing } from './resource.js';
import {
  type Age,
  type Baseline,
  type Company,
  type Evidence,
  isFinalVerdict,
  isRepeatable,
  type Reading,
  verdict,
} from './verdict.js';

/** An item whose call has ended without settling it. */
export interface Doubt {
  readonly item: ItemRecord;
  readonly flight: Flight;
}

/** What is to be done with an item. */
export type Decision =
  | { readonly kind: 'settled'; readonly outcome: StepOutcome }
  | { readonly kind: 'again'; readonly apart: boolean; readonly untouched: boolean; readonly wasRead: boolean }
  | { readonly kind: 'read' };

/** So long after a call can have had an effect, a thing that is there may as well be of somebody else. */
const STALE_MS = 60_000;

/** A batch waits at least so long for a cluster that cannot be read. */
const BATCH_READABLE_MS = 12_000;

/** An item that was sent so often, at last alone, is given up, whatever the vendor says; and one that failed alone so often. */
const MAX_SENDS = 4;
const MAX_FAILED_SENDS = 3;

type Made = NonNullable<ThingRecord['made']>;

/** Whether the thing that was found is the one that another item made. Undefined where nobody can say. */
const isOf = (context: Context, made: Made, { createdAt }: Thing): boolean | undefined => {
  if (made.createdAt !== null && createdAt !== null) return made.createdAt === createdAt;
  const cluster = context.site.key;
  if (!context.offsets.isKnown(cluster)) return undefined;
  // Two things of one name that were made within so short a time are taken for one.
  return context.offsets.age(cluster, createdAt, made.at + 2 * MAX_UNCERTAINTY_MS) === 'before';
};

type Origin = Pick<Evidence, 'age' | 'baseline'>;

/** Until when a call for the item can have had an effect, by our clock. */
const endOf = ({ callMs, settleMs, jobMs }: Context, { underWay = 0, job }: ItemRecord): number =>
  underWay + callMs + (job === undefined ? 0 : jobMs) + settleMs;

const ageOf = (context: Context, { item, flight }: Doubt, found: Thing): Age => {
  const { createdAt } = found;
  const { offsets, site, clock } = context;
  const cluster = site.key;
  // What is stored is the time before it was stored.
  const isOnlySend = !flight.recovered && item.sends === 1;
  const sentAt = isOnlySend ? flight.sentAt : Date.parse(item.sentAt ?? '');
  if (Number.isNaN(sentAt)) return 'uncertain';
  if (flight.step.nature === 'remove') {
    const isAnother = item.seen !== undefined && found.identity !== item.seen;
    return isAnother || offsets.isSurelyAfter(cluster, createdAt, sentAt) ? 'after' : 'uncertain';
  }
  // What was made when the last call was long over is of somebody else; so may be what is there when nobody remembers any more.
  const isForgotten = flight.isOver === true && clock.now() >= (item.underWay ?? 0) + LATELY_MS;
  if (isForgotten || offsets.isSurelyAfter(cluster, createdAt, endOf(context, item))) return 'uncertain';
  return offsets.age(cluster, createdAt, sentAt);
};

/** Where the thing that was found comes from. One that another item of ours made since, and that is still the same, was before us. */
const originOf = (context: Context, doubt: Doubt, found: Thing | null, lately: ThingRecord | undefined): Origin => {
  const { item, flight } = doubt;
  const { made = null, goneAt = 0 } = lately ?? {};
  // What another item did after this one was over proves nothing of the time before.
  if (flight.isOver === true && Math.max(made?.at ?? 0, goneAt) >= Date.parse(item.sentAt ?? ''))
    return { age: 'uncertain', baseline: 'unread' };
  // Long after the send, what was there before it proves nothing about an add.
  const isOver = flight.isOver === true && flight.step.nature === 'add';
  const isStale = isOver && context.clock.now() > endOf(context, item) + STALE_MS;
  const baseline: Baseline = isStale ? 'unread' : (item.baseline ?? 'unread');
  if (!found) return { age: 'uncertain', baseline };
  const age = ageOf(context, doubt, found);
  // Nobody else of ours was at the thing between that look and the send.
  if (!made || (baseline === 'absent' && !isOver)) return { age, baseline };
  const isTheirs = isOf(context, made, found);
  // The vendor says that somebody was there, and we know of somebody.
  if (isTheirs || (isTheirs === undefined && flight.word === 'exists')) return { age: 'before', baseline: 'unread' };
  if (isTheirs === undefined) return { age: 'uncertain', baseline: isOver ? 'unread' : baseline };
  return { age, baseline: baseline === 'present' ? 'unread' : baseline };
};

const readingOf = (step: Step, item: ItemRecord, read: Found | undefined): Reading => {
  if (!read) return 'unreadable';
  const found = read.found.get(item.name);
  if (found) return step.readingOf(item, found);
  return read.complete ? 'absent' : 'incomplete';
};

interface Seen extends Origin {
  readonly reading: Reading;
  readonly found: Thing | null;
  readonly company: Company;
  readonly unread?: true;
}

const NOT_SEEN = { reading: 'none', age: 'uncertain' } as const;

const companyOf = ({ items, together }: Flight): Company => (items.length > 1 || together ? 'among' : 'alone');

/** Whether waiting and sending again, or following the job further, is still worth it. */
const hasPatience = ({ progress, isBatch }: Context, { item, flight }: Doubt): boolean => {
  const { job, word, goesOn = true } = flight;
  const { sends = 1 } = item;
  if (progress.fatal || !goesOn || job === 'running' || job === 'unlisted') return false;
  if (companyOf(flight) !== 'alone') return true;
  // The vendor's own word about this very item is believed, in a batch at the second time.
  if (word === 'failed') return isBatch && sends < MAX_FAILED_SENDS;
  // A vendor that says it is busy is waited for by time. Any other answer is taken a few times only.
  return word === 'busy' || word === 'busy_free' || (word !== 'taken' && sends < MAX_SENDS);
};

const evidenceOf = (context: Context, doubt: Doubt, { reading, age, baseline, company }: Seen): Evidence => {
  const { item, flight } = doubt;
  return {
    word: flight.word,
    job: flight.job,
    reading,
    age,
    baseline,
    company,
    history: (item.sends ?? 1) > 1 ? 'again' : flight.recovered ? 'owner_changed' : 'first',
    patience: hasPatience(context, doubt) ? 'left' : 'over',
  };
};

const decideBy = (context: Context, doubt: Doubt, seen: Seen): Decision => {
  const { item, flight } = doubt;
  const { step, word } = flight;
  const decided = verdict(step.nature, evidenceOf(context, doubt, seen));
  if (isFinalVerdict(decided)) {
    // A vendor's own words may be about another item of the call.
    const error = flight.error && (seen.company === 'alone' ? flight.error : flight.error.withoutVendorMessage());
    const finding: Finding = {
      verdict: decided,
      reading: seen.reading,
      found: seen.found,
      ...(error && { error }),
      ...(seen.unread && { unread: true }),
    };
    const outcome = step.outcome(item, finding);
    return { kind: 'settled', outcome: decided === 'done' && hasAnotherStep(item) ? { status: 'step_done' } : outcome };
  }
  // A job that runs is followed before anybody decides.
  if (decided === 'read' || decided === 'follow') return { kind: 'read' };
  return {
    kind: 'again',
    apart: decided === 'again_apart',
    untouched: word === 'busy_free' || word === 'refused_all',
    wasRead: seen.reading !== 'none',
  };
};

/** What the vendor's word alone decides. @param shown the thing as read after the call, where it was; `unread` where it could not be */
export const decide = (context: Context, doubt: Doubt, shown: Thing | null | 'unread' = null): Decision =>
  decideBy(context, doubt, {
    ...NOT_SEEN,
    baseline: doubt.item.baseline ?? 'unread',
    found: shown === 'unread' ? null : shown,
    company: companyOf(doubt.flight),
    ...(shown === 'unread' && { unread: true }),
  });

const statusOf = (decision: Decision): string => (decision.kind === 'settled' ? decision.outcome.status : decision.kind);

/**
 * Whether nothing explains why the vendor refused a call for many as `exists` or `missing`, but one of the items that would count as
 * done: what is not there cannot exist, and what is there cannot be missing.
 */
const isUnexplained = ({ word }: Flight, decisions: readonly Decision[]): boolean => {
  const statuses = decisions.map(statusOf);
  if (word === 'exists') return !statuses.includes('already_exists') && !statuses.includes('unknown');
  return word === 'missing' && !statuses.includes('not_found') && !statuses.includes('unknown');
};

const timesOf = ({ site, settleMs, isBatch, singlePatienceMs, startedAt, clock }: Context, doubts: readonly Doubt[]): Times => {
  const settled = doubts.map(({ flight: { step, word, job, endedAt } }) => {
    // Where jobs do the work, an answer that names none may come before its effect.
    const isAhead = site.hasJobs && !isRepeatable(step.nature) && job === 'unknown' && (word === 'busy' || word === 'failed');
    const isOpen = isAhead || (word === 'none' && job === 'unknown') || job === 'unlisted';
    return isOpen ? endedAt + settleMs : 0;
  });
  return {
    settled: Math.max(...settled),
    // Of a delete of nobody, only the end of its call is waited for.
    isLate: doubts.every(({ item, flight: { step } }) => step.nature === 'remove' && item.baseline === 'absent'),
    readable: Math.max(clock.now() + settleMs, isBatch ? clock.now() + BATCH_READABLE_MS : startedAt + singlePatienceMs),
  };
};

const isAsAsked = ({ item, flight: { step } }: Doubt, { found, complete }: Found): boolean => {
  const thing = found.get(item.name);
  // What was missing before, or by an earlier send, is missing whether this call is over or not: it could still hit the next of this name.
  if (step.nature === 'remove') return complete && !thing && item.baseline === 'present' && item.sends === 1;
  if (!thing) return false;
  return step.nature !== 'set-visible' || step.readingOf(item, thing) === 'as_asked';
};

interface Asked {
  readonly context: Context;
  readonly doubt: Doubt;
}

/** The items of other operations that went in the same calls: what became of them may explain a refusal. */
const sharedWith = (own: readonly Asked[]): Asked[] =>
  own.flatMap(({ context, doubt }) =>
    (doubt.flight.word === 'exists' || doubt.flight.word === 'missing' ? (doubt.flight.together ?? []) : [])
      .filter((each) => each.context !== context)
      .flatMap(({ context: other, flight }) => flight.items.map((item): Asked => ({ context: other, doubt: { item, flight } }))),
  );

/**
 * Reads all things in doubt back at once, and decides.
 * @param goesOn whether a cluster that cannot be read may be read again later
 * @throws vendor_timeout when the work is abandoned
 */
export const reconcile = async (
  context: Context,
  doubts: readonly Doubt[],
  goesOn: boolean,
): Promise<readonly { readonly doubt: Doubt; readonly decision: Decision }[]> => {
  const { journal, work, clock, baselines } = context;
  const own = doubts.map((doubt): Asked => ({ context, doubt }));
  const asked = [...own, ...sharedWith(own)];
  const names = [...new Set(asked.map(({ doubt }) => doubt.item.name))];
  const startedAt = clock.now();
  const read = await readBack(
    context,
    names,
    (found) => doubts.every((doubt) => isAsAsked(doubt, found)),
    timesOf(context, doubts),
  );
  const shown = read.ok ? read : undefined;
  const lately = shown ? await journal.lately(work, names) : new Map<string, ThingRecord>();
  const seenOf = ({ context: of, doubt }: Asked, company: Company): Seen => {
    const { item, flight } = doubt;
    const found = shown?.found.get(item.name) ?? null;
    const known = lately.get(item.name);
    // What an operation of others did after the call does not explain it.
    const isLater = of !== context && Math.max(known?.made?.at ?? 0, known?.goneAt ?? 0) > flight.endedAt;
    const origin = originOf(of, doubt, found, isLater ? undefined : known);
    return { ...origin, reading: readingOf(flight.step, item, shown), found, company };
  };
  const decideOn = (each: Asked): Decision =>
    goesOn && !shown && isWorthWaiting(each.context, each.doubt)
      ? { kind: 'read' }
      : settledOr(each.context, each.doubt, seenOf(each, companyOf(each.doubt.flight)));
  const decided = new Map(asked.map((each) => [each.doubt, decideOn(each)]));
  for (const flight of new Set(doubts.map((doubt) => doubt.flight))) {
    // Of the same vendor call, whosever they are.
    const flights = new Set([flight, ...(flight.together ?? []).map((each) => each.flight)]);
    const decisions = asked.filter(({ doubt }) => flights.has(doubt.flight)).map(({ doubt }) => decided.get(doubt) as Decision);
    if (!shown || companyOf(flight) === 'alone' || !isUnexplained(flight, decisions)) continue;
    for (const each of own)
      if (each.doubt.flight === flight) decided.set(each.doubt, settledOr(context, each.doubt, seenOf(each, 'suspect')));
  }
  return doubts.map((doubt) => {
    const decision = decided.get(doubt) as Decision;
    const { item } = doubt;
    // The next send knows what was there before it.
    if (shown && decision.kind === 'again') {
      const thing = shown.found.get(item.name) ?? null;
      if (thing || shown.complete) baselines.note(item.name, thing, startedAt);
    }
    return { doubt, decision };
  });
};

/** Whether a cluster that cannot be read is likely down with the vendor, which is waited for. */
const isWorthWaiting = (context: Context, doubt: Doubt): boolean => {
  const { error } = doubt.flight;
  const isAway = error !== undefined && troubleOf(error) === 'unavailable' && doubt.flight.word !== 'refused_all';
  return context.isBatch && isAway && !context.progress.fatal && context.pace.hasPatience('unavailable');
};

/** The table always ends after a reading; should it not, nothing is claimed. */
const settledOr = (context: Context, doubt: Doubt, seen: Seen): Decision => {
  const decision = decideBy(context, doubt, seen);
  if (decision.kind !== 'read') return decision;
  const { item, flight } = doubt;
  const { reading, found } = seen;
  const error = flight.error ?? new GatewayError('internal_error', 'The end of this write could not be decided.');
  return { kind: 'settled', outcome: flight.step.outcome(item, { verdict: 'unknown', reading, found, error }) };
};
