/**
 * The operations in the store: every step of an item is written down before it is taken, and what came of it after. Each method is one
 * atomic change.
 */
import type { Decision, Member, Store, Value } from '../../store/store.js';
import {
  type InstanceRecord,
  type ItemOutcome,
  type ItemRecord,
  indexes,
  isFinal,
  type KeptAnswer,
  type KeyRecord,
  keyOf,
  type LoadedOperation,
  type OperationRecord,
  type Place,
  placesInLists,
  summarise,
  type UserRecord,
} from './records.js';

/** Longer than the clocks can be apart by which a user's age is judged. */
const MADE_KEPT_MS = 60_000;
const MOST_SWEPT = 500;
const DAY_MS = 24 * 60 * 60_000;

/** Somebody else works on the operation by now: whoever gets this lets go of it. */
export class OwnershipLost extends Error {
  override readonly name = 'OwnershipLost';
}

/** A request's idempotency key: where it is kept, and what its body was. */
export interface KeyReference {
  readonly id: string;
  readonly fingerprint: string;
  /** Set as soon as an operation was begun under it. */
  begun: boolean;
}

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
}

export interface Ledger {
  /**
   * Writes a new operation, unless its idempotency key is taken: then by what.
   * @throws store_unavailable, with nothing written, when the store does not come to it in time
   */
  begin(operation: LoadedOperation, key: KeyReference | undefined, withinMs: number): Promise<KeyRecord | null>;
  get(id: string): Promise<OperationRecord | undefined>;
  load(id: string): Promise<LoadedOperation | undefined>;
  /** Newest first. */
  list(filter: ListFilter): Promise<OperationPage>;
  /** Operations that are not final, oldest first. */
  open(): Promise<OperationRecord[]>;
  /** Makes `owner` the one who works on it, when it is `previous` until now and not final. */
  claim(id: string, owner: string, previous: string | null): Promise<boolean>;
  /** Lets go of it, so that anybody may go on. */
  release(id: string, owner: string): Promise<void>;
  /** Writes down that these items are about to be sent. Answers those that no other operation has on its way. */
  depart(operation: Work, items: readonly ItemRecord[], sentAt: string): Promise<ItemRecord[]>;
  /** Writes down which job does the items. */
  follow(operation: Work, items: readonly ItemRecord[], job: string): Promise<void>;
  /** Writes down what came of items; passwords of those that are settled are erased. */
  settle(operation: Work, outcomes: ReadonlyMap<number, StepOutcome>): Promise<void>;
  finish(operation: Work, state: OperationRecord['state']): Promise<void>;
  /** Asks for the operation to be stopped. */
  cancel(id: string): Promise<void>;
  /** Users that operations made lately, by items that are settled. */
  madeLately(place: Place, usernames: readonly string[]): Promise<ReadonlyMap<string, NonNullable<UserRecord['made']>>>;
  key(id: string): Promise<KeyRecord | undefined>;
  /** Keeps the answer of a request with a key. */
  answer(key: KeyReference, answer: KeptAnswer): Promise<void>;
  /** Forgets the key: the same request may be made anew. */
  forget(key: KeyReference): Promise<void>;
  /** Says that a process lives, for so long. */
  live(instance: string, forMs: number): Promise<void>;
  isAlive(instance: string): Promise<boolean>;
  /** Removes what is no longer to be kept. */
  sweep(): Promise<void>;
}

/** An operation that this process works on. */
export interface Work {
  readonly id: string;
  readonly owner: string;
  readonly place: Place;
}

type Puts = Record<string, Value | null>;

const expiring = (atMs: number, key: string): Member => [indexes.expiry, `${new Date(atMs).toISOString()} ${key}`];

/** The record of an item that is about to be sent. */
const beforeCall = (record: ItemRecord, sentAt: string, underWay: number): ItemRecord => ({
  ...record,
  sentAt: record.sentAt ?? sentAt,
  sends: (record.sends ?? 0) + 1,
  underWay,
});

/** The record without what belongs to a call that is over. */
const withoutCall = ({ underWay: _, job: __, ...item }: ItemRecord): ItemRecord => item;

/** The record without what belongs to a step that is over. */
const withoutStep = ({ sentAt: _, sends: __, ...item }: ItemRecord): ItemRecord => withoutCall(item);

const settled = ({ password: _, ...item }: ItemRecord, outcome: ItemOutcome): ItemRecord => ({ ...withoutStep(item), outcome });

export const afterStep = (item: ItemRecord, outcome: StepOutcome): ItemRecord => {
  if (isOutcome(outcome)) return settled(item, outcome);
  if (outcome.status === 'role_is_set') return { ...withoutStep(item), roleIsSet: true };
  const sends = (item.sends ?? 1) - (outcome.untouched ? 1 : 0);
  return sends === 0 ? withoutStep(item) : { ...withoutCall(item), sends };
};

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

export const createLedger = (store: Store, { operationMs, keyMs }: Lifetimes, nowMs: () => number = Date.now): Ledger => {
  const now = (): string => new Date(nowMs()).toISOString();

  const keyRecord = ({ fingerprint }: KeyReference, operationId: string | null, answer: KeptAnswer | null): KeyRecord => ({
    fingerprint,
    operationId,
    answer,
    until: nowMs() + keyMs,
  });

  const itemKeys = ({ id, total }: OperationRecord): string[] =>
    Array.from({ length: total }, (_, index) => keyOf.item(id, index));

  /** Changes the operation and some of its items together with the records of their users. */
  const changeItems = <Result>(
    { id, owner, place }: Work,
    items: readonly Pick<ItemRecord, 'index' | 'username'>[],
    decide: (
      operation: OperationRecord,
      items: readonly ItemRecord[],
      users: readonly (UserRecord | undefined)[],
      userKeys: readonly string[],
    ) => Decision<Result>,
  ): Promise<Result> => {
    const userKeys = items.map(({ username }) => keyOf.user(place, username));
    const keys = [keyOf.operation(id), ...items.map(({ index }) => keyOf.item(id, index)), ...userKeys];
    return store.change<Value, Result>(keys, ([operation, ...values]) => {
      if ((operation as OperationRecord | undefined)?.owner !== owner) throw new OwnershipLost();
      const records = values.slice(0, items.length) as ItemRecord[];
      return decide(operation as OperationRecord, records, values.slice(items.length) as (UserRecord | undefined)[], userKeys);
    });
  };

  const get = async (id: string): Promise<OperationRecord | undefined> =>
    (await store.read<OperationRecord>([keyOf.operation(id)]))[0];

  const load = async (id: string): Promise<LoadedOperation | undefined> => {
    const record = await get(id);
    if (!record) return undefined;
    const items = await store.read<ItemRecord>(itemKeys(record));
    // Removed meanwhile.
    if (items.includes(undefined)) return undefined;
    return { ...record, items: items as ItemRecord[] };
  };

  const getAll = async (ids: readonly string[]): Promise<OperationRecord[]> =>
    (await store.read<OperationRecord>(ids.map(keyOf.operation))).filter((record) => record !== undefined);

  const removeOperation = async (id: string): Promise<void> => {
    const record = await get(id);
    if (!record) return;
    await store.change([], () => ({
      result: undefined,
      put: Object.fromEntries([keyOf.operation(id), ...itemKeys(record)].map((key) => [key, null])),
      drop: placesInLists(record),
    }));
  };

  const isOver = (key: string, value: Value): boolean => {
    if (!key.startsWith('user:')) return (value as KeyRecord | InstanceRecord).until <= nowMs();
    const { holder, made } = value as UserRecord;
    return holder === null && (made === null || made.at + MADE_KEPT_MS <= nowMs());
  };

  const remove = (key: string): Promise<void> => {
    if (key.startsWith(keyOf.operation(''))) return removeOperation(key.slice(keyOf.operation('').length));
    return store.change<Value, undefined>([key], ([value]) => {
      // In use again: whoever uses it has seen to its end.
      return { result: undefined, ...(value && isOver(key, value) && { put: { [key]: null } }) };
    });
  };

  return {
    begin: (operation, key, withinMs) => {
      const { items, ...record } = operation;
      const { id } = record;
      const keys = [keyOf.operation(id), ...(key ? [keyOf.idempotency(key.id)] : [])];
      const decide = ([begun, known]: readonly (Value | undefined)[]): Decision<KeyRecord | null> => {
        if (begun) return { result: null };
        const taken = known as KeyRecord | undefined;
        if (taken && taken.until > nowMs()) return { result: taken };
        const put: Puts = { [keyOf.operation(id)]: record };
        for (const item of items) put[keyOf.item(id, item.index)] = item;
        if (key) put[keyOf.idempotency(key.id)] = keyRecord(key, id, null);
        return {
          result: null,
          put,
          add: [
            ...placesInLists(record),
            [indexes.open, id],
            ...(key ? [expiring(nowMs() + keyMs, keyOf.idempotency(key.id))] : []),
          ],
        };
      };
      return store.change(keys, decide, withinMs);
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

    open: async () => getAll(await store.members(indexes.open, { order: 'ascending', limit: 10_000 })),

    claim: (id, owner, previous) =>
      store.change<OperationRecord, boolean>([keyOf.operation(id)], ([record]) => {
        if (!record || isFinal(record)) return { result: false };
        if (record.owner === owner) return { result: true };
        if (record.owner !== previous) return { result: false };
        return { result: true, ...moved(record, { ...record, owner, state: 'running', updatedAt: now() }) };
      }),

    release: (id, owner) =>
      store.change<OperationRecord, undefined>([keyOf.operation(id)], ([record]) =>
        record?.owner === owner
          ? { result: undefined, put: { [keyOf.operation(id)]: { ...record, owner: null } } }
          : { result: undefined },
      ),

    depart: (work, items, sentAt) =>
      changeItems(work, items, (operation, records, users, userKeys) => {
        const put: Puts = { [keyOf.operation(work.id)]: { ...operation, updatedAt: now() } };
        const departed: ItemRecord[] = [];
        records.forEach((record, at) => {
          const user = users[at];
          if (user?.holder != null && user.holder !== work.id) return;
          // Written down by this very change before, which was sent twice.
          const item = record.underWay === undefined ? beforeCall(record, sentAt, nowMs()) : record;
          departed.push(item);
          put[keyOf.item(work.id, item.index)] = item;
          put[userKeys[at] as string] = { made: user?.made ?? null, holder: work.id };
        });
        return { result: departed, ...(departed.length > 0 && { put }) };
      }),

    follow: (work, items, job) =>
      changeItems(work, items, (_, records) => ({
        result: undefined,
        put: Object.fromEntries(records.map((record) => [keyOf.item(work.id, record.index), { ...record, job }])),
      })),

    settle: async (work, outcomes) => {
      const indexesOf = [...outcomes.keys()];
      const known = await store.read<ItemRecord>(indexesOf.map((index) => keyOf.item(work.id, index)));
      const items = known.filter((item) => item !== undefined);
      await changeItems(work, items, (operation, records, users, userKeys) => {
        const put: Puts = {};
        const add: Member[] = [];
        const fresh: ItemOutcome[] = [];
        records.forEach((record, at) => {
          const outcome = outcomes.get(record.index) as StepOutcome;
          if (record.underWay === undefined && !isOutcome(outcome)) return;
          if (record.outcome) return;
          put[keyOf.item(work.id, record.index)] = afterStep(record, outcome);
          if (!isOutcome(outcome)) return;
          fresh.push(outcome);
          const user = users[at];
          if (user?.holder != null && user.holder !== work.id) return;
          const key = userKeys[at] as string;
          const made =
            outcome.status === 'created'
              ? { at: nowMs(), createdAt: outcome.user?.createdAt ?? null }
              : outcome.status === 'deleted'
                ? null
                : (user?.made ?? null);
          put[key] = made ? { holder: null, made } : null;
          if (made) add.push(expiring(nowMs() + MADE_KEPT_MS, key));
        });
        put[keyOf.operation(work.id)] = { ...operation, summary: summarise(fresh, operation.summary), updatedAt: now() };
        return { result: undefined, put, add };
      });
    },

    finish: ({ id, owner }, state) =>
      store.change<OperationRecord, undefined>([keyOf.operation(id)], ([record]) => {
        if (record?.owner !== owner) throw new OwnershipLost();
        if (isFinal(record)) return { result: undefined };
        const { put, drop, add } = moved(record, { ...record, state, updatedAt: now(), finishedAt: now() });
        return {
          result: undefined,
          put,
          drop: [...drop, [indexes.open, id]],
          add: [...add, expiring(nowMs() + operationMs, keyOf.operation(id))],
        };
      }),

    cancel: (id) =>
      store.change<OperationRecord, undefined>([keyOf.operation(id)], ([record]) =>
        !record || isFinal(record) || record.cancelling
          ? { result: undefined }
          : { result: undefined, put: { [keyOf.operation(id)]: { ...record, cancelling: true, updatedAt: now() } } },
      ),

    madeLately: async (place, usernames) => {
      const records = await store.read<UserRecord>(usernames.map((username) => keyOf.user(place, username)));
      const made = new Map<string, NonNullable<UserRecord['made']>>();
      records.forEach((record, at) => {
        if (record?.made && record.made.at + MADE_KEPT_MS > nowMs()) made.set(usernames[at] as string, record.made);
      });
      return made;
    },

    key: async (id) => {
      const [record] = await store.read<KeyRecord>([keyOf.idempotency(id)]);
      return record && record.until > nowMs() ? record : undefined;
    },

    answer: (key, answer) =>
      store.change<KeyRecord, undefined>([keyOf.idempotency(key.id)], ([known]) => {
        const record = known && known.until > nowMs() ? known : undefined;
        if (record?.answer) return { result: undefined };
        return {
          result: undefined,
          put: { [keyOf.idempotency(key.id)]: { ...(record ?? keyRecord(key, null, null)), answer } },
          ...(!record && { add: [expiring(nowMs() + keyMs, keyOf.idempotency(key.id))] }),
        };
      }),

    forget: ({ id }) => store.change([], () => ({ result: undefined, put: { [keyOf.idempotency(id)]: null } })),

    live: (instance, forMs) => {
      const key = keyOf.instance(instance);
      const record: InstanceRecord = { until: nowMs() + forMs };
      // By the day, so that a process that lives long has few of them.
      const removal = (Math.ceil(record.until / DAY_MS) + 1) * DAY_MS;
      return store.change([], () => ({ result: undefined, put: { [key]: record }, add: [expiring(removal, key)] }));
    },

    isAlive: async (instance) => {
      const [record] = await store.read<InstanceRecord>([keyOf.instance(instance)]);
      return record !== undefined && record.until > nowMs();
    },

    sweep: async () => {
      const due = now();
      for (;;) {
        const members = await store.members(indexes.expiry, { order: 'ascending', limit: MOST_SWEPT });
        const over = members.filter((member) => member.slice(0, due.length) <= due);
        for (const member of over) {
          await remove(member.slice(due.length + 1));
          await store.change([], () => ({ result: undefined, drop: [[indexes.expiry, member]] }));
        }
        if (over.length < MOST_SWEPT) return;
      }
    },
  };
};
