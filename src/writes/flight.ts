/** One call to the vendor: what is about to be sent is stored first, and what the vendor said is turned into a word. */
import type { Receipt } from '../adapter.js';
import { asGatewayError, type GatewayError } from '../errors.js';
import { stepOf } from '../journal/item.js';
import type { ItemOutcome, ItemRecord } from '../journal/records.js';
import { fenced } from '../vendor/fence.js';
import { boundedCall, CALL_MS, type Context, mayGoOn, secretOf, thingKey } from './context.js';
import { checkPrecondition, recheckPrecondition } from './precondition.js';
import type { Parcel, Step } from './resource.js';
import type { Job, Word } from './verdict.js';

/** A call, and what is known of its end. */
export interface Flight {
  readonly step: Step;
  readonly items: readonly ItemRecord[];
  /** By our clock, in milliseconds since 1970. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly word: Word;
  readonly job: Job;
  readonly jobId?: string;
  readonly error?: GatewayError;
  /** Another process sent it, or may have. */
  readonly recovered?: true;
  /** False when nothing is sent again, nor followed further. */
  readonly goesOn?: boolean;
  /** It ended long ago: others may have been there since. */
  readonly isOver?: true;
  /** All that went in the same vendor call, this one included, where several operations shared it. */
  readonly together?: readonly Participation[];
}

/** The part of an operation in a vendor call. */
export interface Participation {
  readonly context: Context;
  readonly flight: Flight;
}

export type Sent =
  | Flight
  /** Nothing was sent: it is to stop, or to wait for the vendor, or an operation of an earlier process is at these things. */
  | 'nothing'
  /** Nothing was sent: another operation is at this thing. */
  | { readonly turn: string }
  /** Nothing was sent: too much time has passed since the thing was read for `If-Match`. */
  | 'stale'
  /** Nothing was sent, since the thing is not as the caller saw it. */
  | { readonly refused: ReadonlyMap<number, ItemOutcome> };

const wordFor = (context: Context, failure: GatewayError) => context.site.wordOf(failure, boundedCall(context, CALL_MS));

/** Secrets are opened as late as can be; one that cannot be opened was not sent. */
const parcelsOf = (context: Context, items: readonly ItemRecord[]): Parcel[] => {
  try {
    return items.map((item) => ({ item, secret: secretOf(context, item) }));
  } catch (thrown) {
    throw asGatewayError(thrown).withEffect('none');
  }
};

/** The items at whose things no other operation is. Where order counts, only those before the first other one. */
const takeThings = (context: Context, group: readonly ItemRecord[]): readonly ItemRecord[] => {
  const { things, work, inOrder } = context;
  const isOurs = (item: ItemRecord): boolean => things.take(work.id, [thingKey(context, item)]).size > 0;
  if (!inOrder) return group.filter(isOurs);
  const end = group.findIndex((item) => !isOurs(item));
  return end === -1 ? group : group.slice(0, end);
};

/** A check of `If-Match` counts for so long. */
const CHECK_FRESH_MS = 1_000;
const CHECK_IN_TURN_MS = 2_000;
/** Then others have their turn. */
const MAX_CHECKS = 5;

interface Prepared {
  readonly context: Context;
  readonly items: readonly ItemRecord[];
  readonly parcels: readonly Parcel[];
}

/** The check again, when the turn has come: others wait, so only for a moment. */
const checkInTurn = async (context: Context, item: ItemRecord): Promise<Exclude<Sent, Flight> | undefined> => {
  const { things, work } = context;
  const checked = await recheckPrecondition(context, item, CHECK_IN_TURN_MS);
  if (checked === 'unread') return 'stale';
  if (!checked) return undefined;
  things.release(work.id, [thingKey(context, item)]);
  return { refused: new Map([[item.index, checked]]) };
};

/** All that comes before the call: the items are stored as sent. @throws OwnershipLost */
const prepare = async ({ context, items: asked, checkedAt }: Group): Promise<Sent | Prepared> => {
  const { pace, things, work, clock } = context;
  const [first] = asked;
  if (!first || pace.quietMs() > 0 || !(await mayGoOn(context)) || context.call.signal.aborted) return 'nothing';
  const group = takeThings(context, asked);
  if (group.length === 0) return { turn: thingKey(context, first) };
  if (checkedAt !== undefined && clock.now() - checkedAt > CHECK_FRESH_MS) {
    const stop = await checkInTurn(context, first);
    if (stop) return stop;
  }
  const prepared = await depart(context, group).catch((thrown: unknown) => {
    things.release(
      work.id,
      group.map((item) => thingKey(context, item)),
    );
    throw thrown;
  });
  const items = typeof prepared === 'object' && 'items' in prepared ? prepared.items : [];
  const left = group.filter(({ index }) => !items.some((item) => item.index === index));
  things.release(
    work.id,
    left.map((item) => thingKey(context, item)),
  );
  return prepared;
};

const depart = async (context: Context, group: readonly ItemRecord[]): Promise<Sent | Prepared> => {
  const { journal, work, site, progress, baselines, offsets, clock, inOrder } = context;
  const departure = { at: clock.now, baselineOf: baselines.of, seenOf: baselines.seen };
  const items = await journal.depart(work, group, departure, inOrder);
  progress.update(items);
  if (items.length === 0) return 'nothing';
  for (const { name } of items) offsets.forget(site.key, name);
  try {
    return { context, items, parcels: parcelsOf(context, items) };
  } catch (thrown) {
    const error = asGatewayError(thrown);
    const at = clock.now();
    const step = site.step(stepOf(items[0] as ItemRecord));
    return { step, items, sentAt: at, endedAt: at, job: 'unknown', ...(await wordFor(context, error)) };
  }
};

type Answer = Pick<Flight, 'sentAt' | 'endedAt' | 'word' | 'job' | 'jobId' | 'error'>;

/** What the vendor said, and when. */
interface Called {
  readonly sentAt: number;
  readonly endedAt: number;
  readonly receipt: PromiseSettledResult<Receipt>;
}

const callVendor = async (context: Context, step: Step, parcels: readonly Parcel[]): Promise<Called> => {
  const { holding, clock, callMs } = context;
  const sentAt = clock.now();
  const bounded = boundedCall(context, callMs);
  const [receipt] = await Promise.allSettled([
    fenced(
      () => holding?.mayWrite() ?? false,
      async () => step.send(parcels, bounded),
    ),
  ]);
  return { sentAt, endedAt: clock.now(), receipt };
};

/** What that means. May have to read the state of the cluster. */
const answerOf = async (context: Context, { sentAt, endedAt, receipt }: Called): Promise<Answer> => {
  if (receipt.status === 'fulfilled') {
    if (receipt.value.state === 'applied') return { sentAt, endedAt, job: 'unknown', word: 'applied' };
    return { sentAt, endedAt, word: 'taken', job: 'running', jobId: receipt.value.job };
  }
  return { sentAt, endedAt, job: 'unknown', ...(await wordFor(context, asGatewayError(receipt.reason))) };
};

/** Items of an operation that are to be sent. */
export interface Group {
  readonly context: Context;
  readonly items: readonly ItemRecord[];
  /** When the thing was read for `If-Match`, by our clock. */
  readonly checkedAt?: number;
}

/**
 * Sends items by a call that may have to wait for its turn. The precondition is part of each send: nobody else is at the thing, which is read
 * alone, before the wait, so that a reading that hangs holds up nobody else, and again where the wait was long.
 */
export const sendInTurn = async (
  { context, items }: Group,
  call: (group: Group) => Promise<Sent>,
): Promise<Exclude<Sent, 'stale'>> => {
  const { things, work, clock, pace } = context;
  const [item] = items.filter(({ ifMatch }) => ifMatch !== undefined);
  if (!item) return (await call({ context, items })) as Exclude<Sent, 'stale'>;
  if (pace.quietMs() > 0 || !(await mayGoOn(context))) return 'nothing';
  if (takeThings(context, items).length === 0) return { turn: thingKey(context, item) };
  for (let tries = 1; tries <= MAX_CHECKS; tries++) {
    const checkedAt = clock.now();
    const refusal = await checkPrecondition(context, item);
    if (refusal) {
      things.release(work.id, [thingKey(context, item)]);
      return { refused: new Map([[item.index, refusal]]) };
    }
    const sent = await call({ context, items, checkedAt });
    if (sent !== 'stale') return sent;
  }
  things.release(work.id, [thingKey(context, item)]);
  return 'nothing';
};

/** What became of each group. */
export type Ended = () => Promise<readonly PromiseSettledResult<Sent>[]>;

/**
 * Sends groups of the same step on one cluster, each of another operation, in one call. One that fails before it, such as with
 * OwnershipLost, keeps none of the others from it.
 */
export const send = async (groups: readonly Group[]): Promise<Ended> => {
  const all = await Promise.allSettled(groups.map(prepare));
  const ready = all.flatMap((each) =>
    each.status === 'fulfilled' && typeof each.value === 'object' && 'parcels' in each.value ? [each.value] : [],
  );
  const [lead] = ready;
  if (!lead) return async () => all as readonly PromiseSettledResult<Sent>[];
  const step = lead.context.site.step(stepOf(lead.items[0] as ItemRecord));
  const called = await callVendor(
    lead.context,
    step,
    ready.flatMap(({ parcels }) => parcels),
  );
  return async () => {
    const answer = await answerOf(lead.context, called);
    const together: Participation[] = [];
    for (const { context, items } of ready) {
      const flight: Flight = { ...answer, step, items, ...(ready.length > 1 && { together }) };
      together.push({ context, flight });
    }
    return all.map((each): PromiseSettledResult<Sent> => {
      if (each.status === 'rejected' || typeof each.value !== 'object' || !('parcels' in each.value))
        return each as PromiseSettledResult<Sent>;
      return { status: 'fulfilled', value: (together[ready.indexOf(each.value)] as Participation).flight };
    });
  };
};

/** Follows the job of a call to its end, or for as long as jobs are followed. */
export const follow = async (context: Context, flight: Flight): Promise<Flight> => {
  const { journal, work, jobs, site, call, clock, jobMs } = context;
  const { jobId, items } = flight;
  if (jobId === undefined) return flight;
  if (items.some(({ job }) => job !== jobId)) await journal.attachJob(work, items, jobId);
  const { job, error } = await jobs.end(site.account, jobId, { ...call, until: flight.endedAt + jobMs });
  return { ...flight, job, endedAt: clock.now(), ...(error && { error }) };
};
