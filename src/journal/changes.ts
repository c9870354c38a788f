/** The changes of those who work on operations. Each names its domain and epoch, and is refused when another process has the domain. */
import { randomUUID } from 'node:crypto';
import type { SecretRecord } from '../store/secret-records.js';
import type { Decision, Member, Value } from '../store/store.js';
import { createTurns } from '../store/turns.js';
import { type Claim, type ItemRef, requireEpoch, type Stored } from './claim.js';
import { isoOf, type JournalDeps } from './deps.js';
import { type Settled, settledEvents } from './events.js';
import { OwnershipLost } from './holding.js';
import { afterCall, beforeCall, isOutcome, isStored, type StepOutcome } from './item.js';
import type { Journal } from './journal.js';
import { backlog, ending, moved, type Puts } from './moves.js';
import {
  expiring,
  type ItemRecord,
  indexes,
  isFinal,
  itemRefOf,
  keyOf,
  LATELY_MS,
  lastTouched,
  type OperationRecord,
  type OrderRecord,
  openMark,
  placesInLists,
  type RequestRecord,
  settledOf,
  summarise,
  type ThingRecord,
} from './records.js';
import { raised } from './revisions.js';

interface Present {
  readonly operation: OperationRecord;
  readonly items: readonly ItemRecord[];
  readonly things: readonly (ThingRecord | undefined)[];
  readonly thingKeys: readonly string[];
  /** The end of the chain of the domain. */
  readonly head: Value | undefined;
  /** Whose clock a time that is stored now is from. */
  readonly self: string;
}

/** What is known after this of what operations did to the thing lately. */
const latelyBy = (
  id: string,
  item: ItemRecord,
  { status, ...outcome }: StepOutcome,
  thing: ThingRecord | undefined,
  by: string,
  at: number,
): Omit<ThingRecord, 'holder'> | null => {
  const { op, sends = 0 } = item;
  const { holder: _, ...known } = thing ?? { holder: null, made: null };
  const createdAt = 'value' in outcome ? ((outcome.value as { createdAt?: string | null }).createdAt ?? null) : null;
  if (status === 'created') return { by, made: { at, createdAt } };
  if (op === 'delete' && (status === 'deleted' || status === 'not_found')) return { by, made: null, goneAt: at };
  // A create or delete whose end is not proven may take effect yet: what was seen of the thing before is void.
  const isOpen = op !== 'update' && sends > 0 && (status === 'unknown' || status === 'failed');
  const lately = isOpen
    ? { ...known, by, made: op === 'delete' ? null : known.made, touchedAt: at, touchedBy: itemRefOf(id, item) }
    : known;
  return lately.made || lately.goneAt !== undefined || lately.touchedAt !== undefined ? lately : null;
};

/** The record with the steps that were decided for it. */
const withSteps = (record: ItemRecord, { steps }: ItemRecord = record): ItemRecord => {
  const isDecided = steps.join() !== record.steps.join();
  return isDecided ? { ...record, steps, asked: record.asked ?? record.steps } : record;
};

/** Another process may have counted more. */
const withCalls = (operation: OperationRecord, made: number): OperationRecord =>
  operation.calls ? { ...operation, calls: { ...operation.calls, made: Math.max(operation.calls.made, made) } } : operation;

type Changes = Pick<Journal, 'markSent' | 'attachJob' | 'settle' | 'finish' | 'restore'>;

export const createChanges = (deps: JournalDeps): Changes => {
  const { store, nowMs, ownership, trail } = deps;
  const { isCurrent, reclaim } = ownership;
  /** Changes of one operation all write its record: one after the other they do not have to be tried again. */
  const inTurn = createTurns();
  const now = (): string => isoOf(nowMs());

  /** Changes the operation and some of its items together with the records of their things. */
  const changeItems = <Result>(
    claim: Claim,
    items: readonly ItemRef[],
    decide: (present: Present) => Decision<Result>,
    records: 'recorded' | 'unrecorded' = 'unrecorded',
  ): Promise<Result> => {
    const { id, domain, resource, cluster } = claim;
    const thingKeys = items.map(({ name }) => keyOf.thing(resource, cluster, name));
    const chain = records === 'recorded' ? trail.settled(domain) : undefined;
    const keys = [
      keyOf.domain(domain),
      keyOf.operation(id),
      ...items.map(({ index }) => keyOf.item(id, index)),
      ...thingKeys,
      ...(chain === undefined ? [] : [trail.headKey(chain)]),
    ];
    const decideAll = ([holder, operation, ...values]: readonly (Value | undefined)[]): Decision<Result> => {
      // It may have waited for a store that is another one now.
      if (!isCurrent(domain)) throw new OwnershipLost();
      const self = requireEpoch(claim, holder);
      if (!operation) throw new OwnershipLost();
      const things = values.slice(items.length, items.length * 2) as (ThingRecord | undefined)[];
      return decide({
        operation: operation as OperationRecord,
        items: values.slice(0, items.length) as ItemRecord[],
        things,
        thingKeys,
        head: values[items.length * 2],
        self,
      });
    };
    const change = (): Promise<Result> => store.change(keys, decideAll);
    const attempt = (): Promise<Result> => (chain === undefined ? change() : trail.inTurn(chain, change));
    return inTurn(id, async () => {
      if (!isCurrent(domain) && !(await reclaim(domain))) throw new OwnershipLost();
      return attempt().catch(async (thrown: unknown) => {
        if (!(thrown instanceof OwnershipLost) || !(await reclaim(domain))) throw thrown;
        return attempt();
      });
    });
  };

  return {
    markSent: (claim, items, departure, inOrder) =>
      changeItems<Stored>(claim, items, ({ operation, items: records, things, thingKeys, self }) => {
        const departed: ItemRecord[] = [];
        const put: Puts = {};
        const { cancelling: isCancelling } = operation;
        // That something may have been sent is stored all the same.
        const isOver = isFinal(operation) || (isCancelling && !departure.traceless);
        if (isOver) return { result: { items: departed, isCancelling: true } };
        const isHeld = (at: number): boolean => things[at]?.holder != null && things[at]?.holder !== claim.id;
        const firstHeld = records.findIndex((_, at) => isHeld(at));
        records.forEach((record, at) => {
          const thing = things[at];
          if (record.outcome || isHeld(at) || (inOrder && firstHeld !== -1 && at > firstHeld)) return;
          // Written down by this very change before, which was made twice.
          const item =
            record.underWay === undefined
              ? beforeCall(withSteps(record, items[at]), thing, thing?.by === self, departure)
              : { ...record, underWay: departure.at() };
          departed.push(item);
          put[keyOf.item(claim.id, item.index)] = item;
          put[thingKeys[at] as string] = { ...(thing ?? { made: null }), holder: claim.id };
        });
        const result = { items: departed, isCancelling };
        if (departed.length === 0) return { result };
        const begun = moved(operation, { ...operation, state: 'running', updatedAt: now() });
        return { result, ...begun, put: { ...put, ...begun.put } };
      }),

    attachJob: (claim, items, job) =>
      changeItems(claim, items, ({ operation, items: records }) => {
        const changed = records.map((record) => ({ ...record, job }));
        return {
          result: { items: changed, isCancelling: operation.cancelling },
          put: Object.fromEntries(changed.map((record) => [keyOf.item(claim.id, record.index), record])),
        };
      }),

    settle: (claim, refs, outcomes, requestIds, calls = 0) => {
      const revision = randomUUID();
      return changeItems(
        claim,
        refs,
        ({ operation: known, items: records, things, thingKeys, head, self }) => {
          const operation = withCalls(known, calls);
          const put: Puts = {};
          const add: Member[] = [];
          const fresh: Settled[] = [];
          const items = records.map((record, at) => {
            const outcome = outcomes.get(record.index) as StepOutcome;
            if (isStored(record, outcome)) return record;
            const item = afterCall(record, outcome);
            put[keyOf.item(claim.id, item.index)] = item;
            if (isOutcome(outcome)) fresh.push({ name: item.name, outcome, vendorRequestIds: requestIds?.get(item.index) ?? [] });
            if (isOutcome(outcome) && record.secret !== undefined) put[keyOf.secret(claim.id, item.index)] = null;
            const thing = things[at];
            if (thing?.holder != null && thing.holder !== claim.id) return item;
            const key = thingKeys[at] as string;
            const lately = latelyBy(claim.id, record, outcome, thing, self, nowMs());
            put[key] = lately && { holder: null, ...lately };
            if (lately) add.push(expiring(lastTouched(lately) + LATELY_MS, key));
            return item;
          });
          const audit = trail.append(trail.settled(claim.domain), head, settledEvents(operation, fresh));
          Object.assign(put, audit.put);
          add.push(...audit.add);
          if (fresh.length > 0) Object.assign(put, raised(claim.resource, claim.cluster, revision));
          const summary = summarise(
            fresh.map(({ outcome }) => outcome),
            operation.summary,
          );
          const isOver = settledOf(summary) === operation.total;
          const result = { items, isOver, isCancelling: operation.cancelling };
          const count = backlog(deps, operation, -fresh.length);
          if (isOver && !isFinal(operation)) {
            const end = ending(deps, operation, summary);
            return { result, put: { ...put, ...end.put }, add: [...add, ...end.add], drop: end.drop, count };
          }
          if (fresh.length > 0) put[keyOf.operation(claim.id)] = { ...operation, summary, updatedAt: now() };
          return { result, put, add, count };
        },
        'recorded',
      );
    },

    finish: (claim) =>
      changeItems(claim, [], ({ operation }) =>
        isFinal(operation) ? { result: undefined } : { result: undefined, ...ending(deps, operation, operation.summary) },
      ),

    restore: (claim, { items, ownKeys, ...known }) => {
      const { id, domain, resource, cluster } = claim;
      const revision = randomUUID();
      const names = [...new Set(items.map(({ name }) => name))];
      const onItsWay = new Map(
        items.filter(({ underWay, outcome }) => underWay !== undefined && !outcome).map((item) => [item.name, item]),
      );
      const thingKeys = names.map((name) => keyOf.thing(resource, cluster, name));
      return store.change<Value, void>(
        [keyOf.domain(domain), keyOf.order(domain), keyOf.operation(id), ...thingKeys],
        ([holder, order, operation, ...things]) => {
          requireEpoch(claim, holder);
          const before = operation as OperationRecord | undefined;
          const cancelling = known.cancelling || before?.cancelling === true;
          const outcomes = items.flatMap(({ outcome }) => outcome ?? []);
          const record: OperationRecord = {
            ...known,
            state: 'running',
            cancelling,
            summary: summarise(outcomes),
            updatedAt: now(),
          };
          const last = Math.max((order as OrderRecord | undefined)?.last ?? 0, known.order);
          const put: Puts = { [keyOf.operation(id)]: record, [keyOf.order(domain)]: { last } satisfies OrderRecord };
          for (const item of items) {
            put[keyOf.item(id, item.index)] = item;
            const bytes = ownKeys?.get(item.index);
            // The store may have the own key of an item that is settled.
            if (item.outcome) put[keyOf.secret(id, item.index)] = null;
            else if (bytes !== undefined) put[keyOf.secret(id, item.index)] = { bytes } satisfies SecretRecord;
          }
          // What was seen of its things before is void: the present record may lack what was done since.
          names.forEach((name, at) => {
            const { touchedBy: _, ...thing } = (things[at] as ThingRecord | undefined) ?? { holder: null, made: null };
            // What another operation has on its way stays its own.
            const other = thing.holder === id ? null : (thing.holder ?? null);
            const own = onItsWay.get(name);
            const touched = {
              ...thing,
              holder: own ? id : other,
              touchedAt: nowMs(),
              ...(own && { touchedBy: itemRefOf(id, own) }),
              by: claim.process,
            };
            put[thingKeys[at] as string] = touched satisfies ThingRecord;
          });
          Object.assign(put, raised(resource, cluster, revision));
          if (known.request !== undefined) put[keyOf.request(known.request)] = { operationId: id } satisfies RequestRecord;
          const add = [...placesInLists(record), openMark(record), [indexes.domains, domain]] as const;
          const drop = before ? moved(before, record).drop : [];
          // As many as are open now; no limit refuses what was accepted.
          const openBefore = before ? before.total - settledOf(before.summary) : 0;
          const { operationMs, keyMs } = deps.lifetimes;
          const count = backlog({ lifetimes: { operationMs, keyMs } }, record, items.length - outcomes.length - openBefore);
          return { result: undefined, put, add, drop, count };
        },
      );
    },
  };
};
