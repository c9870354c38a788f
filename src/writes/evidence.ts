/** What is not known about an item after its call, and how reading back settles it. */
import { GatewayError } from '../errors.js';
import { hasAnotherStep, type StepOutcome } from '../journal/item.js';
import { type ItemRecord, itemRefOf, LATELY_MS, type ThingRecord } from '../journal/records.js';
import type { Desk } from './desk.js';
import { MAX_UNCERTAINTY_MS } from './offsets.js';
import { troubleOf } from './pace.js';
import { readBack, type Times } from './read-back.js';
import type { Finding, Found, Step, Thing } from './resource.js';
import type { VendorCall } from './vendor-call.js';
import {
  type Age,
  type Baseline,
  type Company,
  type Evidence,
  type History,
  isFinalVerdict,
  isRepeatable,
  type Reading,
  type Verdict,
  verdict,
} from './verdict.js';
import { type Entry, mayGoOn } from './work.js';

/** An item whose call has ended without settling it. */
export interface Doubt {
  readonly entry: Entry;
  readonly call: VendorCall;
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
const isOf = (desk: Desk, made: Made, { createdAt }: Thing): boolean | undefined => {
  if (made.createdAt !== null && createdAt !== null) return made.createdAt === createdAt;
  const cluster = desk.site.key;
  if (!desk.offsets.isKnown(cluster)) return undefined;
  // Two things of one name that were made within so short a time are taken for one.
  return desk.offsets.age(cluster, createdAt, made.at + 2 * MAX_UNCERTAINTY_MS) === 'before';
};

type Origin = Pick<Evidence, 'age' | 'baseline'>;

/** Until when a call for the item can have had an effect, by our clock. */
const endOf = ({ callMs, settleMs, jobMs }: Desk, { underWay = 0, job }: ItemRecord): number =>
  underWay + callMs + (job === undefined ? 0 : jobMs) + settleMs;

const ageOf = (desk: Desk, { entry: { item, isUncertain }, call }: Doubt, found: Thing, rivalAt: number): Age => {
  const { createdAt } = found;
  const { offsets, site, clock } = desk;
  const cluster = site.key;
  // What is stored is the time before it was stored.
  const isOnlySend = !call.isRecovered && item.sends === 1;
  const sentAt = isOnlySend ? call.sentAt : Date.parse(item.sentAt ?? '');
  if (Number.isNaN(sentAt)) return 'uncertain';
  if (call.step.nature === 'remove') {
    const isAnother = item.seen !== undefined && found.identity !== item.seen;
    return isAnother || offsets.isSurelyAfter(cluster, createdAt, sentAt) ? 'after' : 'uncertain';
  }
  if (rivalAt >= sentAt) return 'uncertain';
  // What was made when the last call was long over is of somebody else; so may be what is there when nobody remembers any more.
  const isForgotten = call.isOver === true && clock.now() >= (item.underWay ?? 0) + LATELY_MS;
  if (isForgotten || offsets.isSurelyAfter(cluster, createdAt, endOf(desk, item))) return 'uncertain';
  const age = offsets.age(cluster, createdAt, sentAt);
  // That it was sent at all is not known, or what another item of ours did: what may be that one's is not claimed.
  const isDisputed = isUncertain || rivalAt + 2 * MAX_UNCERTAINTY_MS >= sentAt;
  return isDisputed && age === 'after' && !offsets.isSurelyAfter(cluster, createdAt, sentAt) ? 'uncertain' : age;
};

/** Where the thing that was found comes from. One that another item of ours made since, and that is still the same, was before us. */
const originOf = (desk: Desk, doubt: Doubt, found: Thing | null, lately: ThingRecord | undefined): Origin => {
  const { entry, call } = doubt;
  const { item } = entry;
  const { made = null, goneAt = 0, touchedAt = 0, touchedBy } = lately ?? {};
  // By another item, whose end is not known either.
  const rivalAt = touchedBy === itemRefOf(entry.work.id, item) ? 0 : touchedAt;
  // What another item did after this one was over proves nothing of the time before.
  if (call.isOver === true && Math.max(made?.at ?? 0, goneAt, rivalAt) >= Date.parse(item.sentAt ?? ''))
    return { age: 'uncertain', baseline: 'unread' };
  // Long after the send, what was there before it proves nothing about an add.
  const isOver = call.isOver === true && call.step.nature === 'add';
  const isStale = isOver && desk.clock.now() > endOf(desk, item) + STALE_MS;
  const baseline: Baseline = isStale ? 'unread' : (item.baseline ?? 'unread');
  if (!found) return { age: 'uncertain', baseline };
  // It may be that one's work.
  if (entry.hasRival) return { age: 'uncertain', baseline: 'unread' };
  const age = ageOf(desk, doubt, found, rivalAt);
  // Nobody else of ours was at the thing between that look and the send.
  if (!made || (baseline === 'absent' && !isOver)) return { age, baseline };
  const isTheirs = isOf(desk, made, found);
  // The vendor says that somebody was there, and we know of somebody.
  if (isTheirs || (isTheirs === undefined && call.word === 'exists')) return { age: 'before', baseline: 'unread' };
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

const companyOf = ({ entries }: VendorCall): Company => (entries.length > 1 ? 'among' : 'alone');

/** Whether waiting and sending again, or following the job further, is still worth it. */
const hasPatience = ({ entry: { work, item }, call }: Doubt): boolean => {
  const { job, word, tired } = call;
  const { sends = 1 } = item;
  if (work.fatal || tired?.has(work) || job === 'running' || job === 'unlisted') return false;
  if (companyOf(call) !== 'alone') return true;
  // The vendor's own word about this very item is believed, in a batch at the second time.
  if (word === 'failed') return work.isBatch && sends < MAX_FAILED_SENDS;
  // A vendor that says it is busy is waited for by time. Any other answer is taken a few times only.
  return word === 'busy' || word === 'busy_free' || (word !== 'taken' && sends < MAX_SENDS);
};

const historyOf = ({ item: { sends = 1 }, isUncertain }: Entry, { isRecovered }: VendorCall): History => {
  if (isUncertain) return 'store_lost';
  if (sends > 1) return 'again';
  return isRecovered ? 'owner_changed' : 'first';
};

const evidenceOf = (doubt: Doubt, { reading, age, baseline, company }: Seen): Evidence => {
  const { call } = doubt;
  return {
    word: call.word,
    job: call.job,
    reading,
    age,
    baseline,
    company,
    history: historyOf(doubt.entry, call),
    patience: hasPatience(doubt) ? 'left' : 'over',
  };
};

/** What may have been done, and undone by a later item. */
const NOT_DONE: ReadonlySet<Verdict> = new Set(['again', 'again_apart', 'failed', 'was_missing']);

const decideBy = (doubt: Doubt, seen: Seen): Decision => {
  const {
    entry: { item, isSuperseded },
    call,
  } = doubt;
  const { step, word } = call;
  const judged = verdict(step.nature, evidenceOf(doubt, seen));
  const decided = isSuperseded && NOT_DONE.has(judged) ? 'unknown' : judged;
  if (isFinalVerdict(decided)) {
    // A vendor's own words may be about another item of the call.
    const error = call.error && (seen.company === 'alone' ? call.error : call.error.withoutVendorMessage());
    const finding: Finding = {
      verdict: decided,
      reading: seen.reading,
      found: seen.found,
      ...(error && { error }),
      ...(seen.unread && { unread: true }),
    };
    const outcome = step.outcome(item, finding);
    return {
      kind: 'settled',
      outcome: decided === 'done' && hasAnotherStep(item) ? { status: 'step_done', step: item.stepsDone ?? 0 } : outcome,
    };
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
export const decide = (doubt: Doubt, shown: Thing | null | 'unread' = null): Decision =>
  decideBy(doubt, {
    ...NOT_SEEN,
    baseline: doubt.entry.item.baseline ?? 'unread',
    found: shown === 'unread' ? null : shown,
    company: companyOf(doubt.call),
    ...(shown === 'unread' && { unread: true }),
  });

const statusOf = (decision: Decision): string => (decision.kind === 'settled' ? decision.outcome.status : decision.kind);

/**
 * Whether nothing explains why the vendor refused a call for many as `exists` or `missing`, but one of the items that would count as
 * done: what is not there cannot exist, and what is there cannot be missing.
 */
const isUnexplained = ({ word }: VendorCall, decisions: readonly Decision[]): boolean => {
  const statuses = decisions.map(statusOf);
  if (word === 'exists') return !statuses.includes('already_exists') && !statuses.includes('unknown');
  return word === 'missing' && !statuses.includes('not_found') && !statuses.includes('unknown');
};

const timesOf = ({ site, settleMs, singlePatienceMs, clock }: Desk, doubts: readonly Doubt[]): Times => {
  const settled = doubts.map(({ call: { step, word, job, endedAt } }) => {
    // Where jobs do the work, an answer that names none may come before its effect.
    const isAhead = site.hasJobs && !isRepeatable(step.nature) && job === 'unknown' && (word === 'busy' || word === 'failed');
    const isOpen = isAhead || (word === 'none' && job === 'unknown') || job === 'unlisted';
    return isOpen ? endedAt + settleMs : 0;
  });
  const patient = doubts.map(({ entry: { work } }) =>
    work.isBatch ? clock.now() + BATCH_READABLE_MS : work.startedAt + singlePatienceMs,
  );
  return {
    settled: Math.max(...settled),
    // Of a removal of nothing, only the end of its call is waited for.
    isLate: doubts.every(({ entry: { item }, call: { step } }) => step.nature === 'remove' && item.baseline === 'absent'),
    readable: Math.max(clock.now() + settleMs, ...patient),
  };
};

const isAsAsked = ({ entry: { item }, call: { step } }: Doubt, { found, complete }: Found): boolean => {
  const thing = found.get(item.name);
  // What was missing before, or by an earlier send, is missing whether this call is over or not: it could still hit the next of this name.
  if (step.nature === 'remove') return complete && !thing && item.baseline === 'present' && item.sends === 1;
  if (!thing) return false;
  return step.nature !== 'set-visible' || step.readingOf(item, thing) === 'as_asked';
};

/** Whether a cluster that cannot be read is likely down with the vendor, which is waited for. */
const isWorthWaiting = ({ entry: { work }, call }: Doubt): boolean => {
  const { error, word } = call;
  const isAway = error !== undefined && troubleOf(error) === 'unavailable' && word !== 'refused_all';
  return work.isBatch && isAway && mayGoOn(work) && work.endurance.isLeft('unavailable', 0);
};

/** The table always ends after a reading; should it not, nothing is claimed. */
const settledOr = (doubt: Doubt, seen: Seen): Decision => {
  const decision = decideBy(doubt, seen);
  if (decision.kind !== 'read') return decision;
  const { entry, call } = doubt;
  const { reading, found } = seen;
  const error = call.error ?? new GatewayError('internal_error', 'The end of this write could not be decided.');
  return { kind: 'settled', outcome: call.step.outcome(entry.item, { verdict: 'unknown', reading, found, error }) };
};

export interface Decided {
  readonly doubt: Doubt;
  readonly decision: Decision;
}

/**
 * Reads all things in doubt back at once, and decides. The items of one call have to be in it together: they explain each other.
 * @throws vendor_timeout when the work is abandoned
 */
export const reconcile = async (desk: Desk, doubts: readonly Doubt[]): Promise<readonly Decided[]> => {
  const { journal, clock, baselines } = desk;
  const [first] = doubts;
  if (!first) return [];
  const { work } = first.entry;
  const names = [...new Set(doubts.map(({ entry }) => entry.item.name))];
  const startedAt = clock.now();
  const allAreAsAsked = (found: Found): boolean => doubts.every((doubt) => isAsAsked(doubt, found));
  const read = await readBack(desk, work, names, allAreAsAsked, timesOf(desk, doubts));
  const shown = read.ok ? read : undefined;
  const lately = shown ? await journal.lately(work.claim, names) : new Map<string, ThingRecord>();
  const seenOf = (doubt: Doubt, company: Company): Seen => {
    const { entry, call } = doubt;
    const { item } = entry;
    const found = shown?.found.get(item.name) ?? null;
    return {
      ...originOf(desk, doubt, found, lately.get(item.name)),
      reading: readingOf(call.step, item, shown),
      found,
      company,
    };
  };
  const decideOn = (doubt: Doubt): Decision =>
    !shown && isWorthWaiting(doubt) ? { kind: 'read' } : settledOr(doubt, seenOf(doubt, companyOf(doubt.call)));
  const decided = new Map(doubts.map((doubt) => [doubt, decideOn(doubt)]));
  for (const call of new Set(doubts.map((doubt) => doubt.call))) {
    const own = doubts.filter((doubt) => doubt.call === call);
    const decisions = own.map((doubt) => decided.get(doubt) as Decision);
    if (!shown || companyOf(call) === 'alone' || !isUnexplained(call, decisions)) continue;
    for (const doubt of own) decided.set(doubt, settledOr(doubt, seenOf(doubt, 'suspect')));
  }
  return doubts.map((doubt) => {
    const decision = decided.get(doubt) as Decision;
    const { name } = doubt.entry.item;
    // The next send knows what was there before it.
    if (shown && decision.kind === 'again') {
      const thing = shown.found.get(name) ?? null;
      if (thing || shown.complete) baselines.note(name, thing, startedAt);
    }
    return { doubt, decision };
  });
};
