/**
 * The operations in the store: every step of an item is stored before it is taken, and its outcome after. Each method is one
 * atomic change.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatewayError } from '../errors.js';
import type { ResultSummary } from '../model.js';
import { type Count, CounterFull, type Decision, type Member, type Store, type Value } from '../store/store.js';
import { type DomainRecords, type Ownership, OwnershipLost } from './domains.js';
import { afterCall, beforeCall, type Departure, isOutcome, type StepOutcome } from './item.js';
import { finalStateOf } from './operation-state.js';
import {
  type ClusterRef,
  type DomainRecord,
  expiring,
  type GenerationRecord,
  type ItemOutcome,
  type ItemRecord,
  indexes,
  isFinal,
  itemKeysOf,
  type KeyRecord,
  keyOf,
  LATELY_MS,
  type LoadedOperation,
  lastTouched,
  type OperationRecord,
  placesInLists,
  type RequestRecord,
  settledOf,
  summarise,
  type ThingRecord,
} from './records.js';
import type { Known, RequestReference, Taken } from './requests.js';
import { createTurns } from './turns.js';

export interface ListFilter {
  readonly clusterId?: string | undefined;
  readonly state?: string | undefined;
  readonly limit: number;
  /** The id of the last one seen. */
  readonly after?: string | undefined;
}

export interface OperationPage {
  readonly operations: readonly OperationRecord[];
  /** Where the next window begins; null on the last one. */
  readonly next: string | null;
}

export interface Lifetimes {
  readonly operationMs: number;
  readonly keyMs: number;
  /** Open items of a write domain. */
  readonly maxOpenItems?: number;
}

const ALONE: Ownership = { isCurrent: () => true, reclaim: async () => false };

export interface Journal extends DomainRecords {
  /**
   * Stores a new operation, unless its idempotency key is taken or the same request has an open operation: then returns that one. A key
   * that is free refers to the operation that is returned or begun. Repeated after a lost answer, it begins nothing a second time.
   */
  begin(operation: LoadedOperation, request: RequestReference | undefined): Promise<Taken | null>;
  /** What is known of a request: keys that have expired are not. */
  known(request: RequestReference): Promise<Known>;
  get(id: string): Promise<OperationRecord | undefined>;
  load(id: string): Promise<LoadedOperation | undefined>;
  /** Newest first. */
  list(filter: ListFilter): Promise<OperationPage>;
  /**
   * Stores that these items are about to be sent. Returns those whose things no other operation has on its way.
   * @param inOrder to return only those before the first that cannot go
   */
  markSent(claim: Claim, items: readonly ItemRecord[], departure: Departure, inOrder: boolean): Promise<Stored>;
  /** Stores which job does the items. */
  attachJob(claim: Claim, items: readonly ItemRecord[], job: string): Promise<Stored>;
  /**
   * Stores what came of items; secrets of those that are settled are erased. The operation ends with its last item, then `isOver`.
   */
  settle(
    claim: Claim,
    items: readonly ItemRef[],
    outcomes: ReadonlyMap<number, StepOutcome>,
  ): Promise<Stored & { readonly isOver: boolean }>;
  /** Ends an operation all of whose items were settled when it began. */
  finish(claim: Claim): Promise<void>;
  /** Stores again what this process knows of an operation, after the store may have lost changes. */
  restore(claim: Claim, operation: LoadedOperation): Promise<void>;
  /** Stores what a later look found out about items with status `unknown` of an operation that has ended. */
  revise(id: string, outcomes: ReadonlyMap<number, ItemOutcome>): Promise<void>;
  /** Asks for the operation to be stopped. */
  cancel(id: string): Promise<void>;
  /** What operations did to these things lately, by items that are settled. */
  lately(claim: Pick<Claim, 'resource' | 'cluster'>, names: readonly string[]): Promise<ReadonlyMap<string, ThingRecord>>;
}

/** What is in the journal after a change. */
export interface Stored {
  readonly items: readonly ItemRecord[];
  /** Somebody asked for the operation to be stopped. */
  readonly isCancelling: boolean;
}

/** An item, and what it is about. */
export type ItemRef = Pick<ItemRecord, 'index' | 'name'>;

/** The right to change an operation that this process works on. */
export interface Claim {
  readonly id: string;
  readonly domain: string;
  readonly epoch: number;
  /** A failover of the store may give an epoch twice. */
  readonly process: string;
  readonly resource: string;
  readonly cluster: ClusterRef;
}

/** Open operations that are read at once, and at most. */
const OPEN_SLICE = 200;
const MAX_OPEN = 10_000;

/** When a caller may try again where too much waits. */
const BACKLOG_RETRY_MS = 30_000;

const backlogFull = ({ clusterId }: OperationRecord): GatewayError =>
  new GatewayError(
    'backlog_full',
    `Too many writes to the account of the cluster ${clusterId}, or to the cluster itself, wait already. Nothing was begun.`,
    { retryAfterMs: BACKLOG_RETRY_MS },
  );

type Puts = Record<string, Value | null>;

/** What changes where an operation changes its state. */
const moved = (from: OperationRecord, to: OperationRecord) => {
  const places = new Set(placesInLists(to).map(String));
  const left = new Set(placesInLists(from).map(String));
  return {
    put: { [keyOf.operation(to.id)]: to },
    drop: placesInLists(from).filter((place) => !places.has(String(place))),
    add: placesInLists(to).filter((place) => !left.has(String(place))),
  };
};

export const createJournal = (
  store: Store,
  { operationMs, keyMs, maxOpenItems }: Lifetimes,
  nowMs: () => number = Date.now,
  { isCurrent, reclaim }: Ownership = ALONE,
): Journal => {
  /** Changes of one operation all write its record: one after the other they do not have to be tried again. */
  const inTurn = createTurns();
  const now = (): string => new Date(nowMs()).toISOString();
  /** @throws OwnershipLost where another process has taken the domain since */
  const requireEpoch = ({ epoch, process }: Claim, domain: Value | undefined): string => {
    const record = domain as DomainRecord | undefined;
    if (record?.epoch !== epoch || record.process !== process) throw new OwnershipLost();
    return process;
  };

  interface Present {
    readonly operation: OperationRecord;
    readonly items: readonly ItemRecord[];
    readonly things: readonly (ThingRecord | undefined)[];
    readonly thingKeys: readonly string[];
    /** Whose clock a time that is stored now is from. */
    readonly self: string;
  }

  /** Changes the operation and some of its items together with the records of their things. */
  const changeItems = <Result>(
    claim: Claim,
    items: readonly ItemRef[],
    decide: (present: Present) => Decision<Result>,
  ): Promise<Result> => {
    const { id, domain, resource, cluster } = claim;
    const thingKeys = items.map(({ name }) => keyOf.thing(resource, cluster, name));
    const keys = [keyOf.domain(domain), keyOf.operation(id), ...items.map(({ index }) => keyOf.item(id, index)), ...thingKeys];
    const decideAll = ([holder, operation, ...values]: readonly (Value | undefined)[]): Decision<Result> => {
      const self = requireEpoch(claim, holder);
      if (!operation) throw new OwnershipLost();
      const things = values.slice(items.length) as (ThingRecord | undefined)[];
      return decide({
        operation: operation as OperationRecord,
        items: values.slice(0, items.length) as ItemRecord[],
        things,
        thingKeys,
        self,
      });
    };
    const attempt = (): Promise<Result> => store.change(keys, decideAll);
    return inTurn(id, async () => {
      if (!isCurrent(domain) && !(await reclaim(domain))) throw new OwnershipLost();
      return attempt().catch(async (thrown: unknown) => {
        if (!(thrown instanceof OwnershipLost) || !(await reclaim(domain))) throw thrown;
        return attempt();
      });
    });
  };

  /** The change that ends an operation. */
  const ending = (record: OperationRecord, summary: ResultSummary) => {
    const ended = { ...record, summary, state: finalStateOf({ ...record, summary }), updatedAt: now(), finishedAt: now() };
    const { put, drop, add } = moved(record, ended);
    return {
      put: { ...put, ...(record.request !== undefined && { [keyOf.request(record.request)]: null }) },
      drop: [...drop, [indexes.open(record.domain), record.id] as const],
      add: [...add, expiring(nowMs() + operationMs, keyOf.operation(record.id))],
    };
  };

  /** Open items are counted for the domain and for the cluster, so that one cluster does not take all places. */
  const backlog = ({ domain, cluster }: OperationRecord, by: number): Count[] => {
    if (by === 0) return [];
    const ofDomain = `items ${domain}`;
    const ofCluster = `${ofDomain} ${cluster.key}`;
    if (maxOpenItems === undefined) return [ofDomain, ofCluster].map((counter) => ({ counter, by }));
    return [
      { counter: ofDomain, by, atMost: maxOpenItems },
      { counter: ofCluster, by, atMost: Math.ceil(maxOpenItems / 2) },
    ];
  };

  /** All members of an index, in slices. */
  const allOf = async (index: string): Promise<string[]> => {
    const all: string[] = [];
    while (all.length < MAX_OPEN) {
      const after = all.at(-1);
      const slice = await store.members(index, { order: 'ascending', limit: OPEN_SLICE, ...(after !== undefined && { after }) });
      all.push(...slice);
      if (slice.length < OPEN_SLICE) break;
      await nextTurn();
    }
    return all;
  };

  const get = async (id: string): Promise<OperationRecord | undefined> =>
    (await store.read<OperationRecord>([keyOf.operation(id)]))[0];

  const load = async (id: string): Promise<LoadedOperation | undefined> => {
    // Most operations have one item.
    const [operation, first] = await store.read<Value>([keyOf.operation(id), keyOf.item(id, 0)]);
    const record = operation as OperationRecord | undefined;
    if (!record) return undefined;
    const items = [first, ...(await store.read<Value>(itemKeysOf(record).slice(1)))].slice(0, record.total);
    // Removed meanwhile.
    if (items.includes(undefined)) return undefined;
    return { ...record, items: items as ItemRecord[] };
  };

  const getAll = async (ids: readonly string[]): Promise<OperationRecord[]> =>
    (await store.read<OperationRecord>(ids.map(keyOf.operation))).filter((record) => record !== undefined);

  /** What is known after this of what operations did to the thing lately. */
  const latelyBy = (
    { op, sends = 0 }: ItemRecord,
    { status, ...outcome }: StepOutcome,
    thing: ThingRecord | undefined,
    by: string,
  ): Omit<ThingRecord, 'holder'> | null => {
    const at = nowMs();
    const { holder: _, ...known } = thing ?? { holder: null, made: null };
    const createdAt = 'value' in outcome ? ((outcome.value as { createdAt?: string | null }).createdAt ?? null) : null;
    if (status === 'created') return { by, made: { at, createdAt } };
    if (op === 'delete' && (status === 'deleted' || status === 'not_found')) return { by, made: null, goneAt: at };
    // A create or delete whose end is not proven may take effect yet: what was seen of the thing before is void.
    const isOpen = op !== 'update' && sends > 0 && (status === 'unknown' || status === 'failed');
    const lately = isOpen ? { ...known, by, made: op === 'delete' ? null : known.made, touchedAt: at } : known;
    return lately.made || lately.goneAt !== undefined || lately.touchedAt !== undefined ? lately : null;
  };

  return {
    begin: (operation, request) => {
      const { items, ...record } = operation;
      const { id } = record;
      const key = request?.key;
      const isTaken = ({ operationId }: RequestRecord): boolean => !request?.replaceable.includes(operationId);
      const keys = [
        keyOf.operation(id),
        ...(request ? [keyOf.request(request.id)] : []),
        ...(key ? [keyOf.idempotency(key.id)] : []),
      ];
      /** What makes a key refer to an operation. */
      const referring = (operationId: string): { readonly put: Puts; readonly add: readonly Member[] } => {
        if (!key) return { put: {}, add: [] };
        const until = nowMs() + keyMs;
        const referred: KeyRecord = { fingerprint: key.fingerprint, operationId, until };
        return { put: { [keyOf.idempotency(key.id)]: referred }, add: [expiring(until, keyOf.idempotency(key.id))] };
      };
      const decide = ([begun, running, known]: readonly (Value | undefined)[]): Decision<Taken | null> => {
        if (begun) return { result: null };
        const used = known as KeyRecord | undefined;
        if (used && used.until > nowMs()) {
          const { operationId, fingerprint } = used;
          if (fingerprint !== key?.fingerprint) return { result: { operationId, byAnother: true } };
          if (isTaken(used)) return { result: { operationId } };
        }
        const open = running as RequestRecord | undefined;
        if (open && isTaken(open)) return { result: { operationId: open.operationId }, ...referring(open.operationId) };
        const { put: reference, add } = referring(id);
        const put: Puts = { [keyOf.operation(id)]: record, ...reference };
        for (const item of items) put[keyOf.item(id, item.index)] = item;
        if (request) put[keyOf.request(request.id)] = { operationId: id } satisfies RequestRecord;
        return {
          result: null,
          put,
          count: backlog(record, items.filter(({ outcome }) => !outcome).length),
          add: [...placesInLists(record), [indexes.open(record.domain), id], [indexes.domains, record.domain], ...add],
        };
      };
      return store.change(keys, decide).catch((thrown: unknown) => {
        throw thrown instanceof CounterFull ? backlogFull(record) : thrown;
      });
    },

    known: async ({ id, key }) => {
      const keys = [keyOf.request(id), ...(key ? [keyOf.idempotency(key.id)] : [])];
      const [request, record] = await store.read<RequestRecord | KeyRecord>(keys);
      const known = record as KeyRecord | undefined;
      return { request, key: known && known.until > nowMs() ? known : undefined };
    },

    get,
    load,

    list: async ({ clusterId, state, limit, after }) => {
      const window = { order: 'descending', limit: limit + 1, ...(after !== undefined && { after }) } as const;
      const ids = await store.members(indexes.operations(clusterId, state), window);
      const shown = ids.slice(0, limit);
      // One may have moved on, or be gone, since the index was read.
      const operations = (await getAll(shown)).filter((record) => state === undefined || record.state === state);
      return { operations, next: ids.length > limit ? (shown.at(-1) ?? null) : null };
    },

    openIn: (domain) => allOf(indexes.open(domain)),

    domains: () => allOf(indexes.domains),

    takeDomain: (domain, process, above = 0) =>
      store.change<DomainRecord, number>([keyOf.domain(domain)], ([record]) => {
        const epoch = Math.max(record?.epoch ?? 0, above) + 1;
        return { result: epoch, put: { [keyOf.domain(domain)]: { epoch, process } satisfies DomainRecord } };
      }),

    noteGeneration: (identity, isChange) =>
      store.change<GenerationRecord, number>([keyOf.generation], ([record]) => {
        if (record?.identity === identity) return { result: record.since };
        const since = record || isChange ? nowMs() : 0;
        return { result: since, put: { [keyOf.generation]: { identity, since } satisfies GenerationRecord } };
      }),

    markSent: (claim, items, departure, inOrder) =>
      changeItems<Stored>(claim, items, ({ operation, items: records, things, thingKeys, self }) => {
        const departed: ItemRecord[] = [];
        const put: Puts = {};
        const { cancelling: isCancelling } = operation;
        if (isCancelling || isFinal(operation)) return { result: { items: departed, isCancelling: true } };
        const isHeld = (at: number): boolean => things[at]?.holder != null && things[at]?.holder !== claim.id;
        const firstHeld = records.findIndex((_, at) => isHeld(at));
        records.forEach((record, at) => {
          const thing = things[at];
          if (record.outcome || isHeld(at) || (inOrder && firstHeld !== -1 && at > firstHeld)) return;
          // Written down by this very change before, which was made twice.
          const item =
            record.underWay === undefined
              ? beforeCall(record, thing, thing?.by === self, departure)
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

    settle: (claim, refs, outcomes) =>
      changeItems(claim, refs, ({ operation, items: records, things, thingKeys, self }) => {
        const put: Puts = {};
        const add: Member[] = [];
        const fresh: ItemOutcome[] = [];
        const items = records.map((record, at) => {
          const outcome = outcomes.get(record.index) as StepOutcome;
          if (record.outcome || (record.underWay === undefined && !isOutcome(outcome))) return record;
          const item = afterCall(record, outcome);
          put[keyOf.item(claim.id, item.index)] = item;
          if (isOutcome(outcome)) fresh.push(outcome);
          const thing = things[at];
          if (thing?.holder != null && thing.holder !== claim.id) return item;
          const key = thingKeys[at] as string;
          const lately = latelyBy(record, outcome, thing, self);
          put[key] = lately && { holder: null, ...lately };
          if (lately) add.push(expiring(lastTouched(lately) + LATELY_MS, key));
          return item;
        });
        const summary = summarise(fresh, operation.summary);
        const isOver = settledOf(summary) === operation.total;
        const result = { items, isOver, isCancelling: operation.cancelling };
        const count = backlog(operation, -fresh.length);
        if (isOver && !isFinal(operation)) {
          const end = ending(operation, summary);
          return { result, put: { ...put, ...end.put }, add: [...add, ...end.add], drop: end.drop, count };
        }
        if (fresh.length > 0) put[keyOf.operation(claim.id)] = { ...operation, summary, updatedAt: now() };
        return { result, put, add, count };
      }),

    finish: (claim) => {
      const keys = [keyOf.domain(claim.domain), keyOf.operation(claim.id)];
      return store.change<Value, undefined>(keys, ([holder, operation]) => {
        requireEpoch(claim, holder);
        const record = operation as OperationRecord;
        return isFinal(record) ? { result: undefined } : { result: undefined, ...ending(record, record.summary) };
      });
    },

    restore: (claim, { items, ...known }) => {
      const { id, domain, resource, cluster } = claim;
      const names = [...new Set(items.map(({ name }) => name))];
      const isOnItsWay = new Set(
        items.flatMap(({ name, underWay, outcome }) => (underWay !== undefined && !outcome ? [name] : [])),
      );
      const thingKeys = names.map((name) => keyOf.thing(resource, cluster, name));
      return store.change<Value, void>(
        [keyOf.domain(domain), keyOf.operation(id), ...thingKeys],
        ([holder, operation, ...things]) => {
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
          const put: Puts = { [keyOf.operation(id)]: record };
          for (const { isTraceless: _, ...item } of items) put[keyOf.item(id, item.index)] = item;
          // What was seen of its things before is void: the present record may lack what was done since.
          names.forEach((name, at) => {
            const thing = (things[at] as ThingRecord | undefined) ?? { made: null };
            const touched = { ...thing, holder: isOnItsWay.has(name) ? id : null, touchedAt: nowMs(), by: claim.process };
            put[thingKeys[at] as string] = touched satisfies ThingRecord;
          });
          if (known.request !== undefined) put[keyOf.request(known.request)] = { operationId: id } satisfies RequestRecord;
          const add = [...placesInLists(record), [indexes.open(domain), id], [indexes.domains, domain]] as const;
          const drop = before ? moved(before, record).drop : [];
          const count = before ? [] : backlog(record, items.length - outcomes.length);
          return { result: undefined, put, add, drop, count };
        },
      );
    },

    revise: (id, outcomes) => {
      const keys = [keyOf.operation(id), ...[...outcomes.keys()].map((index) => keyOf.item(id, index))];
      return store.change<Value, undefined>(keys, ([operation, ...items]) => {
        const record = operation as OperationRecord | undefined;
        const revised = (items as (ItemRecord | undefined)[]).flatMap((item) => {
          const outcome = item && outcomes.get(item.index);
          return outcome && item.outcome?.status === 'unknown' && outcome.status !== 'unknown' ? [{ ...item, outcome }] : [];
        });
        if (!record || !isFinal(record) || revised.length === 0) return { result: undefined };
        const { unknown, ...counted } = summarise(
          revised.map(({ outcome }) => outcome),
          record.summary,
        );
        const summary = { ...counted, unknown: unknown - revised.length };
        const { put, drop, add } = moved(record, {
          ...record,
          summary,
          state: finalStateOf({ ...record, summary }),
          updatedAt: now(),
        });
        const settled = Object.fromEntries(revised.map((item) => [keyOf.item(id, item.index), item]));
        return { result: undefined, put: { ...put, ...settled }, drop, add };
      });
    },

    cancel: (id) =>
      store.change<OperationRecord, undefined>([keyOf.operation(id)], ([record]) =>
        !record || isFinal(record) || record.cancelling
          ? { result: undefined }
          : { result: undefined, put: { [keyOf.operation(id)]: { ...record, cancelling: true, updatedAt: now() } } },
      ),

    lately: async ({ resource, cluster }, names) => {
      const records = await store.read<ThingRecord>(names.map((name) => keyOf.thing(resource, cluster, name)));
      const known = new Map<string, ThingRecord>();
      records.forEach((record, at) => {
        if (record && lastTouched(record) + LATELY_MS > nowMs()) known.set(names[at] as string, record);
      });
      return known;
    },
  };
};
