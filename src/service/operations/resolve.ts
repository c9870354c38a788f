/** What came of one call, for each of its items. */
import type { Receipt } from '../../adapter.js';
import { pollDelay } from '../../deadline.js';
import { asGatewayError, GatewayError } from '../../errors.js';
import { findUser } from '../find.js';
import { isOutcome, type StepOutcome } from './item.js';
import { readBack } from './read-back.js';
import type { ItemRecord } from './records.js';
import { failedWith, notFound, refusedWith, rulesOf, type Step, told } from './steps.js';
import { forAll, noteFault, PATIENCE_MS, type Turn } from './turn.js';

/** Quotas may be counted by the hour. */
const QUOTA_PATIENCE_MS = 90 * 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Refusals of the account or the cluster: what comes after would be refused the same way. */
const REFUSES_ALL: ReadonlySet<string> = new Set([
  'cluster_not_found',
  'cluster_not_ready',
  'not_supported',
  'vendor_credentials_rejected',
  'vendor_account_problem',
  'vendor_clock_skew',
]);

/** Refusals of a user. */
const REFUSES_ONE: ReadonlySet<string> = new Set(['invalid_user', 'user_already_exists', 'user_not_found']);

/** The outcomes that are known, and the items that are to be sent again. */
export interface Resolution {
  readonly outcomes: ReadonlyMap<number, StepOutcome>;
  readonly left: readonly ItemRecord[];
  /** How those left are sent again. */
  readonly how: 'whole' | 'halves';
  /** To wait before anything more is sent. */
  readonly waitMs?: number;
}

const settledBy = (outcomes: ReadonlyMap<number, StepOutcome>): Resolution => ({ outcomes, left: [], how: 'whole' });

const again = (left: readonly ItemRecord[], how: Resolution['how'], waitMs?: number): Resolution => ({
  outcomes: new Map(),
  left,
  how,
  ...(waitMs !== undefined && { waitMs }),
});

const leftOf = (group: readonly ItemRecord[], outcomes: ReadonlyMap<number, StepOutcome>): ItemRecord[] =>
  group.filter(({ index }) => !outcomes.has(index));

/** The outcome with the user as it is now, where the caller waits for it: that it cannot be read does not undo the write. */
const asWritten = async ({ target, call, isBatch }: Turn, step: Step, item: ItemRecord): Promise<StepOutcome> => {
  const { success } = rulesOf(step);
  if (isBatch || step === 'delete' || step === 'setPassword') return success(item, null, target);
  const { username, role = 'member' } = item;
  const read = await findUser(target, username, call).catch(() => null);
  if (read) return success(item, read, target);
  const unknown = { group: null, uid: null, gid: null, mountPoint: null, createdAt: null, updatedAt: null, userId: null };
  const outcome = success(item, { username, role, ...unknown, attributes: {} }, target);
  return isOutcome(outcome) ? { ...outcome, unread: true } : outcome;
};

const succeed = async (turn: Turn, step: Step, group: readonly ItemRecord[]): Promise<Resolution> => {
  const outcomes = new Map<number, StepOutcome>();
  for (const item of group) outcomes.set(item.index, await asWritten(turn, step, item));
  return settledBy(outcomes);
};

interface Judgement {
  /** Whether the cluster could be read. */
  readonly readable: boolean;
  readonly outcomes: ReadonlyMap<number, StepOutcome>;
  /** Items that are not as asked for, and what a caller is told of them. */
  readonly notDone: ReadonlyMap<number, GatewayError>;
}

/**
 * What reading back proves about the items of a call.
 * @param until in milliseconds since 1970: when the effect has to be there, and when an answer
 */
export const judge = async (
  { ledger, work, target, call }: Turn,
  step: Step,
  group: readonly ItemRecord[],
  failure: GatewayError,
  until: { readonly settled: number; readonly readable: number },
): Promise<Judgement> => {
  const rules = rulesOf(step);
  const names = group.map(({ username }) => username);
  const isDone = (found: Parameters<Parameters<typeof readBack>[2]>[0]): boolean =>
    group.every((item) => rules.isDone(item, found.get(item.username) ?? null));
  const read = await readBack(target, names, isDone, until, call);
  const outcomes = new Map<number, StepOutcome>();
  const notDone = new Map<number, GatewayError>();
  if (!read.ok) return { readable: false, outcomes, notDone };
  const made = await ledger.madeLately(work.place, names);
  for (const item of group) {
    const verdict = rules.judge({
      target,
      item,
      found: read.found.get(item.username) ?? null,
      failure: group.length === 1 ? failure : failure.withoutWords(),
      made: made.get(item.username) ?? null,
      sentBefore: (item.sends ?? 0) > 1,
      alone: group.length === 1,
    });
    if ('outcome' in verdict) outcomes.set(item.index, verdict.outcome);
    else notDone.set(item.index, verdict.notDone);
  }
  return { readable: true, outcomes, notDone };
};

/** A refusal of a user, where the call was for that user alone. */
const resolveRefusalOfOne = async (turn: Turn, step: Step, item: ItemRecord, failure: GatewayError): Promise<Resolution> => {
  const { target, settleMs } = turn;
  const refused = settledBy(forAll([item], () => refusedWith(target, item, failure)));
  const isOfValue = failure.code === 'invalid_user';
  // A value that is refused for a user who is not there is no matter of the value. A name that is taken may have been taken by this item.
  const isPlain = isOfValue ? step === 'create' : (item.sends ?? 1) === 1;
  if (isPlain) return refused;
  const asked = isOfValue ? notFound(target, item.username, failure) : failure;
  const { outcomes } = await judge(turn, step, [item], asked, { settled: 0, readable: Date.now() + settleMs });
  return outcomes.size > 0 ? settledBy(outcomes) : refused;
};

/** A refusal of some user of a call for many: reading back may tell which; else halves do. */
const resolveRefusalOfSome = async (
  turn: Turn,
  step: Step,
  group: readonly ItemRecord[],
  failure: GatewayError,
): Promise<Resolution> => {
  if (failure.code === 'invalid_user') return again(group, 'halves');
  const { outcomes } = await judge(turn, step, group, failure, { settled: 0, readable: Date.now() + turn.settleMs });
  return { outcomes, left: leftOf(group, outcomes), how: outcomes.size > 0 ? 'whole' : 'halves' };
};

/** Whether a refusal may pass if it is waited for. A cluster may be said not to be ready while another operation runs on it. */
const mayPass = async ({ clusters, target, call }: Turn, failure: GatewayError): Promise<boolean> => {
  if (failure.code !== 'cluster_not_ready') return failure.retryable;
  return clusters.freshFacts(target, call).then(
    ({ state }) => state === 'ready' || state === 'unknown',
    () => true,
  );
};

/** A refusal without effect. */
const resolveRefusal = async (
  turn: Turn,
  step: Step,
  group: readonly ItemRecord[],
  failure: GatewayError,
): Promise<Resolution> => {
  const { target, progress, isBatch } = turn;
  const [first] = group;
  if (REFUSES_ONE.has(failure.code)) {
    if (first && group.length === 1) return resolveRefusalOfOne(turn, step, first, failure);
    return resolveRefusalOfSome(turn, step, group, failure);
  }
  const patience = failure.code === 'vendor_rate_limited' ? QUOTA_PATIENCE_MS : PATIENCE_MS;
  if (isBatch && progress.idleMs() < patience && (await mayPass(turn, failure)))
    return again(group, 'whole', failure.retryAfterMs ?? pollDelay(progress.refusals(), FIRST_RETRY_MS, LONGEST_RETRY_MS));
  if (REFUSES_ALL.has(failure.code)) progress.fatal = failure;
  noteFault(turn, failure);
  return settledBy(forAll(group, (item) => refusedWith(target, item, failure)));
};

/** No word, or a bad one, of how the call ended: the cluster is read back. */
const resolveDoubt = async (turn: Turn, step: Step, group: readonly ItemRecord[], failure: GatewayError): Promise<Resolution> => {
  const { progress, isBatch, settleMs } = turn;
  noteFault(turn, failure);
  const now = Date.now();
  const times = { settled: failure.effect === 'open' ? now + settleMs : now, readable: now + settleMs };
  const { readable, outcomes, notDone } = await judge(turn, step, group, failure, times);
  if (!readable) return settledBy(forAll(group, () => unreadable(step, failure)));
  if (isBatch && progress.idleMs() > PATIENCE_MS)
    progress.fatal = told(failure, 'Nothing has gone well for ten minutes, so nothing more was sent.');
  if (group.length > 1) return { outcomes, left: leftOf(group, outcomes), how: 'halves' };
  const status = step === 'setPassword' ? 'unknown' : 'failed';
  return settledBy(new Map([...outcomes, ...[...notDone].map(([index, error]) => [index, failedWith(error, status)] as const)]));
};

/** What nobody can tell any more. */
export const unreadable = (step: Step, failure: GatewayError): StepOutcome =>
  failedWith(told(failure, `Whether ${rulesOf(step).question} could not be read back.`, 'open'), 'unknown');

export const resolveFailure = (
  turn: Turn,
  step: Step,
  group: readonly ItemRecord[],
  failure: GatewayError,
): Promise<Resolution> =>
  failure.effect === 'none' ? resolveRefusal(turn, step, group, failure) : resolveDoubt(turn, step, group, failure);

/** A job that is still running when it is no longer waited for may do it yet, whatever reading back shows now. */
const resolveUnfinished = async (turn: Turn, step: Step, group: readonly ItemRecord[]): Promise<Resolution> => {
  const { jobMs, settleMs } = turn;
  const failure = new GatewayError('vendor_timeout', `The vendor's job has not ended in ${Math.round(jobMs / 1000)} s.`);
  const { outcomes } = await judge(turn, step, group, failure, { settled: 0, readable: Date.now() + settleMs });
  return settledBy(new Map([...forAll(group, () => failedWith(failure, 'unknown')), ...outcomes]));
};

/** Follows what the vendor took to its end. */
export const resolveReceipt = async (
  turn: Turn,
  step: Step,
  group: readonly ItemRecord[],
  receipt: Receipt,
): Promise<Resolution> => {
  const { jobs, target, call, jobMs } = turn;
  try {
    const end = await jobs.completed(target.account, receipt, { ...call, until: Date.now() + jobMs });
    return end === 'done' ? await succeed(turn, step, group) : await resolveUnfinished(turn, step, group);
  } catch (thrown) {
    return resolveFailure(turn, step, group, asGatewayError(thrown));
  }
};
