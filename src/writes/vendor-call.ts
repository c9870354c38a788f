/** One call to the vendor: what is about to be sent is stored first, and what the vendor said is turned into a word. */
import type { Receipt } from '../adapter.js';
import { asGatewayError, type GatewayError } from '../errors.js';
import type { Departure } from '../journal/item.js';
import { createPresenter } from '../vendor/presentable.js';
import { boundedCall, type Desk, purposeOf, secretOf } from './desk.js';
import type { Parcel, Step } from './resource.js';
import type { Job, Word } from './verdict.js';
import { type Entry, stepNow, stepsOf, type Work } from './work.js';

/** A call, and what is known of its end. */
export interface VendorCall {
  readonly step: Step;
  /** Perhaps of several operations. */
  readonly entries: readonly Entry[];
  /** By our clock, in milliseconds since 1970. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly word: Word;
  readonly job: Job;
  readonly jobId?: string;
  /** The vendor's name of the request. */
  readonly requestId?: string | undefined;
  readonly error?: GatewayError;
  /** Another process sent it, or may have. */
  readonly isRecovered?: true;
  /** Operations that wait no longer, nor send again. */
  readonly tired?: ReadonlySet<Work>;
  /** It ended long ago: others may have been there since. */
  readonly isOver?: true;
}

export const isShared = ({ entries }: VendorCall): boolean => new Set(entries.map(({ work }) => work)).size > 1;

/** The items of a call by their operation. */
export const byWork = (entries: Iterable<Entry>): Map<Work, Entry[]> => {
  const groups = new Map<Work, Entry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.work) ?? [];
    group.push(entry);
    groups.set(entry.work, group);
  }
  return groups;
};

/** Secrets are opened as late as can be; one that cannot be opened was not sent. */
const parcelsOf = (desk: Desk, entries: readonly Entry[]): Parcel[] => {
  try {
    return entries.map((entry) => ({ item: entry.item, secret: secretOf(desk, entry) }));
  } catch (thrown) {
    throw asGatewayError(thrown).withEffect('none');
  }
};

/** The vendor may repeat what an earlier process has sent it. One that cannot be opened is not known here. */
export const concealSent = (desk: Desk, entry: Entry): void => {
  try {
    entry.work.site.conceal?.([secretOf(desk, entry)]);
  } catch {
    // Its own key is gone; what is to be done with the item finds that out by itself.
  }
};

/** Stores items as about to be sent. @returns those that may go */
export const markSent = (desk: Desk, work: Work, entries: readonly Entry[]): Promise<Entry[]> => {
  const { baselines, clock } = desk;
  return storeSent(desk, work, entries, { at: clock.now, baselineOf: baselines.of, seenOf: baselines.seen });
};

/** When an item of the operation may have been sent without a trace at the latest. */
export const tracelessAt = ({ holding }: Desk, { askedAt }: Work): number => Math.max(holding?.traceless ?? 0, askedAt);

/** Stores an item as sent that may have been sent without a trace. @returns whether it is */
export const markTraceless = async (desk: Desk, entry: Entry): Promise<boolean> => {
  const { work } = entry;
  const at = tracelessAt(desk, work);
  const traceless = { since: work.askedAt, doubt: entry.hasRival ? 'rival' : 'traceless' } as const;
  const departure: Departure = { at: () => at, traceless, baselineOf: () => 'unread', seenOf: () => undefined };
  return (await storeSent(desk, work, [entry], departure)).length > 0;
};

const storeSent = async (desk: Desk, work: Work, entries: readonly Entry[], departure: Departure): Promise<Entry[]> => {
  const { journal, site, offsets } = desk;
  const stored = await journal.markSent(
    work.claim,
    entries.map((entry) => ({ ...entry.item, steps: stepsOf(entry) })),
    departure,
    work.inOrder,
  );
  work.update(stored);
  const gone = new Set(stored.items.map(({ index }) => index));
  for (const { name } of stored.items) offsets.forget(site.key, name);
  // It is stored; or somebody else is at the thing.
  for (const entry of entries) entry.plan = undefined;
  return entries.filter(({ item }) => gone.has(item.index));
};

/** What the vendor said, and when. */
export interface Called {
  readonly entries: readonly Entry[];
  readonly step: Step;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly receipt: PromiseSettledResult<Receipt>;
  /** It was held back, since the right to send was in doubt: nothing was sent. */
  readonly isHeldBack: boolean;
}

/** Sends items that are stored as sent, all of the same step. Never rejects. */
export const callVendor = async (desk: Desk, entries: readonly [Entry, ...Entry[]]): Promise<Called> => {
  const { holding, clock, callMs } = desk;
  const [first] = entries;
  const { work } = first;
  const step = stepNow(first);
  const sentAt = clock.now();
  let isHeldBack = false;
  const mayWrite = (): boolean => {
    const may = holding?.mayWrite() ?? false;
    isHeldBack ||= !may;
    return may;
  };
  const send = async (): Promise<Receipt> =>
    step.send(parcelsOf(desk, entries), { ...boundedCall(desk, work, callMs), mayLeave: mayWrite });
  const [receipt] = await Promise.allSettled([send()]);
  const nothingSent = receipt.status === 'rejected' && asGatewayError(receipt.reason).effect === 'none';
  return { entries, step, sentAt, endedAt: clock.now(), receipt, isHeldBack: isHeldBack && nothingSent };
};

/** What that means. May have to read the state of the cluster. */
export const answerOf = async (desk: Desk, { receipt, isHeldBack: _, ...called }: Called): Promise<VendorCall> => {
  if (receipt.status === 'fulfilled') {
    const requestId = receipt.value.requestId ?? undefined;
    if (receipt.value.state === 'applied') return { ...called, job: 'unknown', word: 'applied', requestId };
    return { ...called, word: 'taken', job: 'running', jobId: receipt.value.job, requestId };
  }
  const [{ work }] = called.entries as readonly [Entry];
  const said = await work.site.wordOf(asGatewayError(receipt.reason), boundedCall(desk, work));
  return { ...called, job: 'unknown', ...said, requestId: said.error.vendor?.requestId ?? undefined };
};

/** What the vendor says of a job may hold the secrets of the call that began it. */
const withoutSecrets = (desk: Desk, entries: readonly Entry[], error: GatewayError): GatewayError => {
  try {
    return createPresenter(parcelsOf(desk, entries).map(({ secret }) => secret)).failure(error);
  } catch {
    return error.withoutVendor();
  }
};

/** Follows the job of a call to its end, or for as long as jobs are followed. @throws vendor_timeout when the signal aborts */
export const follow = async (desk: Desk, call: VendorCall, signal: AbortSignal): Promise<VendorCall> => {
  const { journal, jobs, clock, jobMs } = desk;
  const { jobId, entries, endedAt } = call;
  const [first] = entries;
  if (jobId === undefined || !first) return call;
  for (const [work, group] of byWork(entries)) {
    const items = group.map(({ item }) => item).filter(({ job }) => job !== jobId);
    if (items.length > 0) work.update(await journal.attachJob(work.claim, items, jobId));
  }
  const { work } = first;
  const following = {
    requestId: work.requestId,
    purpose: purposeOf(work),
    owner: work.site.key,
    tally: work.tally,
    signal,
    until: endedAt + jobMs,
  };
  const { job, error } = await jobs.end(work.site.account, jobId, following);
  return { ...call, job, endedAt: clock.now(), ...(error && { error: withoutSecrets(desk, entries, error) }) };
};
