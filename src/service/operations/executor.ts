/** Works off one operation: groups its items into the vendor's batches, sends them, and finds out what became of each. */
import { setMaxListeners } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Call, Receipt } from '../../adapter.js';
import { pollDelay } from '../../deadline.js';
import { asGatewayError, GatewayError, type Report } from '../../errors.js';
import type { Capabilities } from '../../model.js';
import type { Target } from '../../registry.js';
import type { Vault } from '../../store/vault.js';
import { type Clusters, capabilitiesOf } from '../clusters.js';
import { findUser } from '../find.js';
import type { Gate } from '../gate.js';
import { entityTag, matches, toUser } from '../user.js';
import type { Jobs } from './jobs.js';
import { afterStep, isOutcome, type Ledger, type StepOutcome, type Work } from './ledger.js';
import { readBack } from './read-back.js';
import { type ItemRecord, isDone, isFinal, keyOf, type LoadedOperation, placeOf } from './records.js';
import { failedWith, notFound, refusedWith, rulesOf, type Step, stepOf, told } from './steps.js';

/** How long a batch puts up with a vendor that refuses to work now, from the last thing that went well. */
const PATIENCE_MS = 10 * 60_000;
/** Quotas may be counted by the hour. */
const QUOTA_PATIENCE_MS = 90 * 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const LOCATE_MS = 30_000;

/** Jobs of a vendor's that one operation has open at once: as many as one look at them tells of. */
const MOST_OPEN_JOBS = 100;
/** Between two looks at whether a user that another operation is at has become free, and at whether to stop. */
const LOOK_AGAIN_MS = 100;

/** Refusals of the account or the cluster: what comes after would be refused the same way. */
const REFUSES_ALL: ReadonlySet<string> = new Set([
  'cluster_not_found',
  'cluster_not_ready',
  'not_supported',
  'vendor_credentials_rejected',
  'vendor_account_problem',
  'vendor_clock_skew',
]);

const REFUSES_ONE: ReadonlySet<string> = new Set(['invalid_user', 'user_already_exists', 'user_not_found']);

export interface ExecutorDeps {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly clusters: Clusters;
  readonly gate: Gate;
  readonly jobs: Jobs;
  readonly report: Report;
  /** How long to read back for what a lost answer may still bring about. */
  readonly settleMs: number;
  readonly jobMs: number;
}

export interface Signals {
  /** Begin nothing more; what is under way comes to its end. */
  readonly pause: AbortSignal;
  /** Let go of everything. */
  readonly abandon: AbortSignal;
}

/** @throws OwnershipLost */
export type Executor = (operation: LoadedOperation, owner: string, signals: Signals) => Promise<void>;

/** What came of one call: the outcomes that are known, and the items that are to be sent again. */
interface Resolution {
  readonly outcomes: Map<number, StepOutcome>;
  readonly left: readonly ItemRecord[];
  /** How those left are sent again. */
  readonly how: 'whole' | 'halves';
  /** To wait before anything more is sent. */
  readonly waitMs?: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const createExecutor = (deps: ExecutorDeps): Executor => {
  const { ledger, vault, clusters, gate, jobs, report, settleMs, jobMs } = deps;
  /** Calls of batches to one cluster, of all operations together. */
  const limits = new Map<string, LimitFunction>();
  const limitFor = ({ account, vendorClusterId }: Target, concurrency: number): LimitFunction => {
    const key = JSON.stringify([account.name, vendorClusterId]);
    const limit = limits.get(key) ?? pLimit(concurrency);
    limits.set(key, limit);
    return limit;
  };

  return async (operation, owner, signals) => {
    const { id, kind, requestId, stopOnError } = operation;
    /** Of this operation alone, so that nothing that listens outlives it. */
    const giving = new AbortController();
    const onAbandon = (): void => giving.abort();
    const call: Call = { requestId, signal: giving.signal };
    const isBatch = kind === 'batchUsers';
    const items = new Map(operation.items.map((item) => [item.index, item]));
    const busy = new Set<number>();
    /** An error after which nothing more is sent. */
    let fatal: GatewayError | undefined;
    let quietUntil = 0;
    let refusals = 0;
    let wentWellAt = Date.now();

    const noteFault = (error: GatewayError): void => {
      if (error.code === 'internal_error') report(error, requestId);
    };

    const unsettled = (): ItemRecord[] => [...items.values()].filter(({ outcome }) => outcome === undefined);

    const apply = async (outcomes: ReadonlyMap<number, StepOutcome>): Promise<void> => {
      if (outcomes.size === 0) return;
      await ledger.settle(work, outcomes);
      for (const [index, outcome] of outcomes) {
        items.set(index, afterStep(items.get(index) as ItemRecord, outcome));
        if (!isOutcome(outcome) || !isDone(outcome)) continue;
        wentWellAt = Date.now();
        refusals = 0;
      }
    };

    const isCancelled = async (): Promise<boolean> => (await ledger.get(id))?.cancelling ?? true;

    /** The first item, in order, that is not done as asked, where that stops all after it. */
    const stopsAt = (): number => {
      if (!stopOnError) return Number.POSITIVE_INFINITY;
      for (const { index, outcome } of items.values()) if (outcome && !isDone(outcome)) return index;
      return Number.POSITIVE_INFINITY;
    };

    const mayGoOn = async (): Promise<boolean> => !fatal && !signals.pause.aborted && !(await isCancelled());

    /** Waits for a vendor that asked for it, and looks now and then whether it still makes sense to. */
    const whenQuietIsOver = async (): Promise<boolean> => {
      while (await mayGoOn()) {
        const left = quietUntil - Date.now();
        if (left <= 0) return true;
        await sleep(Math.min(left, LOOK_AGAIN_MS * 5));
      }
      return false;
    };

    const work: Work = { id, owner, place: operation.place };

    const passwordOf = ({ index, password }: ItemRecord): string =>
      password === undefined ? '' : vault.open(password, keyOf.item(id, index));

    /** The outcome with the user as it is now, where the caller waits for it: that it cannot be read does not undo the write. */
    const asWritten = async (target: Target, step: Step, item: ItemRecord): Promise<StepOutcome> => {
      const { success } = rulesOf(step);
      if (isBatch || step === 'delete' || step === 'setPassword') return success(item, null, target);
      const { username, role = 'member' } = item;
      const read = await findUser(target, username, call).catch(() => null);
      if (read) return success(item, read, target);
      const unknown = { group: null, uid: null, gid: null, mountPoint: null, createdAt: null, updatedAt: null, userId: null };
      const outcome = success(item, { username, role, ...unknown, attributes: {} }, target);
      return isOutcome(outcome) ? { ...outcome, unread: true } : outcome;
    };

    const succeed = async (target: Target, step: Step, group: readonly ItemRecord[]): Promise<Resolution> => {
      const outcomes = new Map<number, StepOutcome>();
      for (const item of group) outcomes.set(item.index, await asWritten(target, step, item));
      return { outcomes, left: [], how: 'whole' };
    };

    /** What reading back proves about the items of a call; those of which it proves nothing good are left. */
    const judgeAll = async (
      target: Target,
      step: Step,
      group: readonly ItemRecord[],
      failure: GatewayError,
      until: { readonly settled: number; readonly readable: number },
    ): Promise<{ readable: boolean; outcomes: Map<number, StepOutcome>; notDone: Map<number, GatewayError> }> => {
      const rules = rulesOf(step);
      const names = group.map(({ username }) => username);
      const read = await readBack(
        target,
        names,
        (found) => group.every((item) => rules.isDone(item, found.get(item.username) ?? null)),
        until,
        call,
      );
      const outcomes = new Map<number, StepOutcome>();
      const notDone = new Map<number, GatewayError>();
      if (!read.ok) return { readable: false, outcomes, notDone };
      const made = await ledger.madeLately(work.place, names);
      for (const item of group) {
        const verdict = rules.judge({
          target,
          item,
          found: read.found.get(item.username) ?? null,
          failure,
          made: made.get(item.username) ?? null,
          sentBefore: (item.sends ?? 0) > 1,
          alone: group.length === 1,
        });
        if ('outcome' in verdict) outcomes.set(item.index, verdict.outcome);
        else notDone.set(item.index, verdict.notDone);
      }
      return { readable: true, outcomes, notDone };
    };

    const all = (group: readonly ItemRecord[], outcome: (item: ItemRecord) => StepOutcome): Map<number, StepOutcome> =>
      new Map(group.map((item) => [item.index, outcome(item)]));

    const leftOf = (group: readonly ItemRecord[], outcomes: ReadonlyMap<number, StepOutcome>): ItemRecord[] =>
      group.filter(({ index }) => !outcomes.has(index));

    /** Whether a cluster that refused as not ready is so only for a moment, as far as can be told. */
    const mayBeReady = (target: Target): Promise<boolean> =>
      clusters.freshFacts(target, call).then(
        ({ state }) => state === 'ready' || state === 'unknown',
        () => true,
      );

    /** A refusal without effect: which item it is about, if any, and whether to try again. */
    const resolveRefusal = async (
      target: Target,
      step: Step,
      group: readonly ItemRecord[],
      failure: GatewayError,
    ): Promise<Resolution> => {
      const [first] = group;
      const alone = group.length === 1 ? first : undefined;
      const once = { settled: 0, readable: Date.now() + settleMs };

      if (REFUSES_ONE.has(failure.code)) {
        const direct = failure.code === 'invalid_user' ? step === 'create' : (first?.sends ?? 1) === 1;
        if (alone && direct)
          return { outcomes: all(group, (item) => refusedWith(target, item, failure)), left: [], how: 'whole' };
        if (failure.code === 'invalid_user' && !alone) return { outcomes: new Map(), left: group, how: 'halves' };
        if (alone && failure.code === 'invalid_user') {
          // A value that the vendor refuses for a user who is not there is no matter of the value: the user is not there.
          const { outcomes } = await judgeAll(target, step, group, notFound(target, alone.username, failure), once);
          const outcome = outcomes.get(alone.index) ?? refusedWith(target, alone, failure);
          return { outcomes: new Map([[alone.index, outcome]]), left: [], how: 'whole' };
        }
        const judged = await judgeAll(target, step, group, failure, once);
        const left = leftOf(group, judged.outcomes);
        if (alone && left.length > 0)
          return { outcomes: all(group, (item) => refusedWith(target, item, failure)), left: [], how: 'whole' };
        return { outcomes: judged.outcomes, left, how: judged.outcomes.size > 0 ? 'whole' : 'halves' };
      }

      const passes = failure.retryable && (failure.code !== 'cluster_not_ready' || (await mayBeReady(target)));
      const patience = failure.code === 'vendor_rate_limited' ? QUOTA_PATIENCE_MS : PATIENCE_MS;
      if (isBatch && passes && Date.now() - wentWellAt < patience) {
        const waitMs = failure.retryAfterMs ?? pollDelay(refusals++, FIRST_RETRY_MS, LONGEST_RETRY_MS);
        return { outcomes: new Map(), left: group, how: 'whole', waitMs };
      }
      if (REFUSES_ALL.has(failure.code)) fatal = failure;
      noteFault(failure);
      return { outcomes: all(group, (item) => refusedWith(target, item, failure)), left: [], how: 'whole' };
    };

    /** No word, or a bad one, of how the call ended: the cluster is read back. */
    const resolveDoubt = async (
      target: Target,
      step: Step,
      group: readonly ItemRecord[],
      failure: GatewayError,
    ): Promise<Resolution> => {
      noteFault(failure);
      const now = Date.now();
      const times = { settled: failure.effect === 'open' ? now + settleMs : now, readable: now + settleMs };
      const { readable, outcomes, notDone } = await judgeAll(target, step, group, failure, times);
      if (isBatch && Date.now() - wentWellAt > PATIENCE_MS)
        fatal = told(failure, 'Nothing has gone well for ten minutes, so nothing more was sent.');
      if (!readable) {
        const error = told(failure, `Whether ${rulesOf(step).question} could not be read back.`, 'open');
        return { outcomes: all(group, () => failedWith(error, 'unknown')), left: [], how: 'whole' };
      }
      if (group.length > 1) return { outcomes, left: leftOf(group, outcomes), how: 'halves' };
      for (const [index, error] of notDone) outcomes.set(index, failedWith(error, step === 'setPassword' ? 'unknown' : 'failed'));
      return { outcomes, left: [], how: 'whole' };
    };

    const resolveFailure = async (
      target: Target,
      step: Step,
      group: readonly ItemRecord[],
      failure: GatewayError,
    ): Promise<Resolution> => {
      if (failure.effect === 'none') return resolveRefusal(target, step, group, failure);
      return resolveDoubt(target, step, group, failure);
    };

    /** A job that is still running when it is no longer waited for may do it yet, whatever reading back shows now. */
    const resolveUnfinished = async (target: Target, step: Step, group: readonly ItemRecord[]): Promise<Resolution> => {
      const failure = new GatewayError('vendor_timeout', `The vendor's job has not ended in ${Math.round(jobMs / 1000)} s.`);
      const { outcomes } = await judgeAll(target, step, group, failure, { settled: 0, readable: Date.now() + settleMs });
      for (const { index } of leftOf(group, outcomes)) outcomes.set(index, failedWith(failure, 'unknown'));
      return { outcomes, left: [], how: 'whole' };
    };

    /** Follows what the vendor took to its end. */
    const complete = async (target: Target, step: Step, group: readonly ItemRecord[], receipt: Receipt): Promise<Resolution> => {
      try {
        const end = await jobs.completed(target.account, receipt, { ...call, until: Date.now() + jobMs });
        return end === 'done' ? await succeed(target, step, group) : await resolveUnfinished(target, step, group);
      } catch (thrown) {
        return resolveFailure(target, step, group, asGatewayError(thrown));
      }
    };

    /** 412 where the user is not as the caller saw it. */
    const checkPrecondition = async (target: Target, { username, ifMatch }: ItemRecord): Promise<void> => {
      if (ifMatch === undefined) return;
      const found = await findUser(target, username, call).catch((thrown: unknown) => {
        throw asGatewayError(thrown).withEffect('none');
      });
      if (!found) throw notFound(target, username, new GatewayError('user_not_found', ''));
      const user = toUser(target, found);
      if (matches(ifMatch, user)) return;
      throw new GatewayError(
        'precondition_failed',
        `The user ${username} is not as If-Match says: its entity tag is ${entityTag(user)} now. Read it again before changing it.`,
      );
    };

    type Dispatch = { readonly departed: readonly ItemRecord[]; readonly receipt?: Receipt; readonly failure?: GatewayError };

    /** Writes down what is about to be sent, and sends it. */
    const dispatch = async (target: Target, step: Step, group: readonly ItemRecord[]): Promise<Dispatch> => {
      if (!(await whenQuietIsOver())) return { departed: [] };
      const departed = await ledger.depart(work, group, target.account.vendorNow().toISOString());
      for (const item of departed) items.set(item.index, item);
      if (departed.length === 0) return { departed };
      try {
        for (const item of departed) await checkPrecondition(target, item);
        const parcels = departed.map((item) => ({ item, password: passwordOf(item) }));
        return { departed, receipt: await gate.explainDenial(target, call, rulesOf(step).send(target, parcels, call)) };
      } catch (thrown) {
        return { departed, failure: asGatewayError(thrown) };
      }
    };

    /** Sends a group, and again what is left of it, until each item is settled or nothing more is to be sent. */
    const runGroup = async (target: Target, limit: LimitFunction | undefined, group: readonly ItemRecord[]): Promise<void> => {
      const [first] = group;
      if (!first || first.index >= stopsAt()) return;
      const step = stepOf(first);
      const sending = () => dispatch(target, step, group);
      const { departed, receipt, failure } = await (limit ? limit(sending) : sending());
      if (departed.length === 0) {
        // Another operation is at these users, or nothing more is to be sent.
        await sleep(LOOK_AGAIN_MS);
        return;
      }
      if (receipt?.state === 'accepted') await ledger.follow(work, departed, receipt.job);
      const { outcomes, left, how, waitMs } = receipt
        ? await complete(target, step, departed, receipt)
        : await resolveFailure(target, step, departed, failure as GatewayError);
      // What was given up may still come about: it stays as it is for whoever goes on.
      if (call.signal.aborted) return;
      const untouched = failure?.effect === 'none';
      await apply(new Map([...outcomes, ...all(left, () => ({ status: 'again', untouched }))]));
      if (left.length === 0) return;
      if (waitMs !== undefined) quietUntil = Math.max(quietUntil, Date.now() + waitMs);
      const again = left.filter(({ index }) => index < stopsAt()).map(({ index }) => items.get(index) as ItemRecord);
      if (how === 'whole') return runGroup(target, limit, again);
      const middle = Math.ceil(again.length / 2);
      await runGroup(target, limit, again.slice(0, middle));
      await runGroup(target, limit, again.slice(middle));
    };

    /** Items that a process left behind when it died: sent, or just about to be. */
    const recover = async (target: Target): Promise<void> => {
      const behind = unsettled().filter(({ underWay }) => underWay !== undefined);
      const idempotent = (item: ItemRecord): boolean => rulesOf(stepOf(item)).idempotent;
      await apply(all(behind.filter(idempotent), () => ({ status: 'again', untouched: false })));
      const followed = behind.filter((item) => !idempotent(item) && item.job !== undefined);
      const doubtful = behind.filter((item) => !idempotent(item) && item.job === undefined);
      const ended = followed.map(async (item) => {
        const receipt: Receipt = { state: 'accepted', job: item.job as string };
        const { outcomes, left } = await complete(target, stepOf(item), [item], receipt);
        if (!call.signal.aborted)
          await apply(new Map([...outcomes, ...all(left, () => ({ status: 'again', untouched: false }))]));
      });
      for (const step of ['create', 'delete'] as const) {
        const group = doubtful.filter((item) => stepOf(item) === step);
        if (group.length > 0) await recoverDoubtful(target, step, group);
      }
      await Promise.all(ended);
    };

    const recoverDoubtful = async (target: Target, step: Step, group: readonly ItemRecord[]): Promise<void> => {
      const died = new GatewayError('vendor_timeout', 'The gateway stopped before the vendor answered.');
      const settled = Math.max(...group.map(({ underWay = 0 }) => underWay)) + settleMs;
      const readable = Math.max(settled, Date.now() + PATIENCE_MS);
      const judged = await judgeAll(target, step, group, died, { settled, readable });
      if (call.signal.aborted) return;
      const error = told(died, `Whether ${rulesOf(step).question} could not be read back.`, 'open');
      const rest = judged.readable
        ? all(leftOf(group, judged.outcomes), () => ({ status: 'again', untouched: false }))
        : all(group, () => failedWith(error, 'unknown'));
      await apply(new Map([...judged.outcomes, ...rest]));
    };

    /** Items that may be sent now: nobody is at them, and what comes before for the same user is settled. */
    const ready = (): ItemRecord[] => {
      const taken = new Set<string>();
      return unsettled().filter(({ index, username }) => {
        const free = !taken.has(username);
        taken.add(username);
        return free && !busy.has(index);
      });
    };

    /** The next group of each step to send, in the vendor's batch sizes. */
    const groupsOf = (candidates: readonly ItemRecord[], { batch }: Capabilities): ItemRecord[][] => {
      const byStep = new Map<Step, ItemRecord[]>();
      for (const item of candidates) byStep.set(stepOf(item), [...(byStep.get(stepOf(item)) ?? []), item]);
      return [...byStep].flatMap(([step, group]) => {
        const size = batch[step] ?? 1;
        return Array.from({ length: Math.ceil(group.length / size) }, (_, at) => group.slice(at * size, (at + 1) * size));
      });
    };

    /** Where order counts: what stands first, and what follows it that is of the same kind. */
    const firstGroup = (candidates: readonly ItemRecord[], { batch }: Capabilities): ItemRecord[][] => {
      const [first] = unsettled();
      if (!first || busy.size > 0 || first.index >= stopsAt()) return [];
      const step = stepOf(first);
      const group: ItemRecord[] = [];
      for (const item of unsettled()) {
        if (group.length >= (batch[step] ?? 1) || stepOf(item) !== step || !candidates.includes(item)) break;
        if (item.index >= stopsAt()) break;
        group.push(item);
      }
      return [group];
    };

    const workOff = async (target: Target): Promise<void> => {
      const capabilities = capabilitiesOf(target, await clusters.facts(target, call).catch(() => undefined));
      const { concurrency } = capabilities.batch;
      const limit = isBatch ? limitFor(target, concurrency) : undefined;
      const most = capabilities.writes === 'job' ? MOST_OPEN_JOBS : concurrency;
      const running = new Set<Promise<void>>();
      let failure: unknown;
      const start = (group: readonly ItemRecord[]): void => {
        for (const { index } of group) busy.add(index);
        const run: Promise<void> = runGroup(target, limit, group)
          .catch((thrown: unknown) => {
            failure ??= thrown;
          })
          .finally(() => {
            for (const { index } of group) busy.delete(index);
            running.delete(run);
          });
        running.add(run);
      };
      while (failure === undefined && (await mayGoOn())) {
        const candidates = ready();
        const groups = stopOnError ? firstGroup(candidates, capabilities) : groupsOf(candidates, capabilities);
        if (groups.length === 0 && running.size === 0) break;
        for (const group of groups) if (running.size < most) start(group);
        await Promise.race(running);
      }
      await Promise.all(running);
      if (failure !== undefined) throw failure;
    };

    /** The last word on what was never sent, and on the whole. */
    const conclude = async (): Promise<void> => {
      if (fatal) {
        const error = fatal;
        await apply(all(unsettled(), () => failedWith(error)));
      }
      const rest = unsettled();
      const stopped = stopsAt() !== Number.POSITIVE_INFINITY;
      if (rest.length > 0 && !stopped && !(await isCancelled())) return;
      await apply(all(rest, () => ({ status: 'cancelled' })));
      const state = fatal || stopped ? 'failed' : rest.length === 0 ? 'succeeded' : 'cancelled';
      await ledger.finish(work, state);
    };

    /** Nobody can ask the cluster any more, nor what became of what was sent to it. */
    const giveUp = async (error: GatewayError): Promise<void> => {
      const outcomeOf = ({ sends = 0 }: ItemRecord) =>
        sends === 0 ? failedWith(error) : failedWith(told(error, 'What was sent before cannot be read back.', 'open'), 'unknown');
      await apply(all(unsettled(), outcomeOf));
      await ledger.finish(work, 'failed');
    };

    /** The cluster, where it still stands. One that is not served any more ends the operation; a vendor that cannot be asked about it does not. */
    const locate = async (): Promise<Target | undefined> => {
      for (let attempt = 0; !signals.pause.aborted; attempt++) {
        try {
          const target = await clusters.resolve(operation.clusterId, { requestId, signal: AbortSignal.timeout(LOCATE_MS) });
          const { account, vendorClusterId } = placeOf(target);
          if (account === operation.place.account && vendorClusterId === operation.place.vendorClusterId) return target;
          throw new GatewayError(
            'cluster_not_found',
            `The cluster ${operation.clusterId} stands elsewhere than when this was begun.`,
          );
        } catch (thrown) {
          const error = asGatewayError(thrown);
          if (error.code === 'cluster_not_found' || Date.now() - wentWellAt > PATIENCE_MS) {
            await giveUp(error);
            return undefined;
          }
          await sleep(pollDelay(attempt, LOOK_AGAIN_MS, LONGEST_RETRY_MS));
        }
      }
      return undefined;
    };

    if (isFinal(operation) || signals.abandon.aborted) return;
    signals.abandon.addEventListener('abort', onAbandon, { once: true });
    setMaxListeners(0, giving.signal);
    try {
      const target = await locate();
      if (!target) return;
      await recover(target);
      if (!call.signal.aborted) await workOff(target);
      if (!call.signal.aborted) await conclude();
    } finally {
      signals.abandon.removeEventListener('abort', onAbandon);
    }
  };
};
