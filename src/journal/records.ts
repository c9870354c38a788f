/** What is kept of operations, and under which keys. */
import { hash as digest } from 'node:crypto';
import type { StoredError } from '../errors.js';
import type { ItemStatus, OperationState, ResultSummary } from '../model.js';
import type { OwnKey, Sealed } from '../store/encryptor.js';
import { SECRETS } from '../store/secret-records.js';
import type { Member } from '../store/store.js';

/** A cluster as its vendor knows it. */
export interface ClusterRef {
  readonly account: string;
  readonly vendorClusterId: string;
  /** The same for the same cluster, whichever account shows it. */
  readonly key: string;
}

/** An open operation, as the index of its domain has it. */
export interface OpenRef {
  readonly id: string;
  /** The same for all operations on one cluster. */
  readonly lane: string;
}

/** An operation without its items. Times are ISO 8601 in UTC. */
export interface OperationRecord {
  readonly id: string;
  /** Higher for each operation of its domain; what was accepted first at a thing is done first. */
  readonly order: number;
  /** The kind of things that it writes. */
  readonly resource: string;
  /** What was asked for, in the words of the API. */
  readonly kind: string;
  /** A batch is patient with the vendor; for a single item a caller waits. */
  readonly isBatch: boolean;
  readonly clusterId: string;
  /** That cluster when the operation began. */
  readonly cluster: ClusterRef;
  readonly state: OperationState;
  readonly total: number;
  readonly summary: ResultSummary;
  readonly stopOnError: boolean;
  /** Somebody asked for it to be stopped. */
  readonly cancelling: boolean;
  /** The write domain whose holder works on it; nobody else may write to it. */
  readonly domain: string;
  /** The process that was asked for it, and may wait for its end. */
  readonly process: string;
  /** Who asked for it, and from where; null where nobody asks who callers are. */
  readonly caller: string | null;
  readonly address: string | null;
  /** Of the cluster. */
  readonly vendor: string;
  /** Identifies repetitions of the request that began it, as long as the operation is open. */
  readonly request?: string;
  /** The request that began it, and its path. */
  readonly requestId: string;
  readonly path: string;
  /** Calls to the vendor: as far as they are known, and about how many it will have been. Absent in earlier records. */
  readonly calls?: { readonly made: number; readonly expected: number };
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly finishedAt: string | null;
}

/** What became of an item. */
export interface ItemOutcome {
  readonly status: ItemStatus;
  /** The thing, as the caller is shown it. */
  readonly value?: object;
  /** It could not be read after the write: it is shown as it was asked for. */
  readonly unread?: true;
  readonly error?: StoredError;
}

/** What is to be done to one thing. */
export interface ItemRecord {
  readonly index: number;
  readonly op: 'create' | 'ensure' | 'update' | 'delete';
  /** The thing's, unique on its cluster. */
  readonly name: string;
  /** How it is to be, but for the secret. */
  readonly content?: object;
  /** Until the item is settled. Its own key is a record of its own. */
  readonly secret?: Sealed;
  /** What is done to it, one after the other. */
  readonly steps: readonly string[];
  /** What was asked for, where the steps were decided right before they were sent. */
  readonly asked?: readonly string[];
  /** How many of them are done. */
  readonly stepsDone?: number;
  /** The thing has to be as one of these entity tags says. */
  readonly ifMatch?: string;
  /** The thing is looked at before each send, also without `ifMatch`: the resource has conditions of its own. */
  readonly isConditional?: true;
  /** The first time that the present step was sent, by our clock. What was made since may be its work. */
  readonly sentAt?: string;
  /** What a complete reading showed of the thing between the intent and the last send. */
  readonly baseline?: 'absent' | 'present';
  /** Which thing that was: another one of the same name is not the same. */
  readonly seen?: string;
  /** How often the present step was sent with an effect that was not ruled out. */
  readonly sends?: number;
  /** A call for it is under way since then, by our clock. Left behind by a process that died, and where the end is not known. */
  readonly underWay?: number;
  /** `traceless`: the store may have lost what was done for it. `rival`: what was done for another item at its thing, too. */
  readonly doubt?: 'traceless' | 'rival';
  /** The vendor's job that does it. */
  readonly job?: string;
  readonly outcome?: ItemOutcome;
}

/** Who may change the operations of a write domain. */
export interface DomainRecord {
  /** Higher for each holder. */
  readonly epoch: number;
  /** The holder. */
  readonly process: string;
}

/** The last number that an operation of a domain has got. */
export interface OrderRecord {
  readonly last: number;
}

/** The store's own history. */
export interface GenerationRecord {
  readonly identity: string;
  /** Since when it has it, by the clock of the process that noticed; 0 where it never had another one. Confirmed changes from before may be lost. */
  readonly since: number;
}

/** An operation and its items. */
export interface LoadedOperation extends OperationRecord {
  readonly items: readonly ItemRecord[];
  /** Own keys of secrets by the index of their items, where it is begun or worked on: each is removed when its item is settled. */
  readonly ownKeys?: Map<number, OwnKey>;
}

/** What an idempotency key was used for. */
export interface KeyRecord {
  /** Of the body that came with it. */
  readonly fingerprint: string;
  readonly operationId: string;
  /** In milliseconds since 1970. */
  readonly until: number;
}

/** The open operation of a request; removed in the change that ends the operation. */
export interface RequestRecord {
  readonly operationId: string;
}

/** One thing on one cluster, as far as writes that meet there have to know of each other. */
export interface ThingRecord {
  /** The operation whose item is on its way. */
  readonly holder: string | null;
  /** Made by an item that is settled, lately; `createdAt` by the vendor, where it was read. */
  readonly made: { readonly at: number; readonly createdAt: string | null } | null;
  /** When an item that is settled deleted them, lately. In milliseconds since 1970. */
  readonly goneAt?: number;
  /** When a create or delete was settled whose end is not proven. */
  readonly touchedAt?: number;
  /** Which item that was, as `ID INDEX`. */
  readonly touchedBy?: string;
  /** The process by whose clock these are. */
  readonly by?: string;
}

const hash = (parts: readonly string[]): string => digest('sha256', JSON.stringify(parts), 'base64url');

export const keyOf = {
  domain: (name: string) => `domain:${name}`,
  order: (domain: string) => `order:${domain}`,
  generation: 'generation',
  operation: (id: string) => `operation:${id}`,
  item: (id: string, index: number) => `item:${id}:${index}`,
  /** The own key of an item's secret. */
  secret: (id: string, index: number) => `${SECRETS}${id}:${index}`,
  idempotency: (id: string) => `idempotency:${id}`,
  request: (id: string) => `request:${id}`,
  /** What changes with every end of a write to the cluster. */
  revision: (resource: string, { key }: Pick<ClusterRef, 'key'>) => `revision:${hash([resource, key])}`,
  thing: (resource: string, { key }: ClusterRef, name: string) => `thing:${hash([resource, key, name])}`,
};

/** Ids of operations sort by time, and so do these indexes of them. */
export const indexes = {
  /** All operations, those on a cluster, those in a state, and those of both. */
  operations: (clusterId?: string, state?: string) => `operations ${JSON.stringify([clusterId ?? null, state ?? null])}`,
  /** Those of a caller, and those about a thing of this name, on whatever cluster. */
  ofCaller: (caller: string) => `caller ${hash([caller])}`,
  ofName: (name: string) => `name ${hash([name])}`,
  /** `ID LANE`: not final, of a domain. */
  open: (domain: string) => `open ${domain}`,
  /** Domains that ever had an operation. */
  domains: 'domains',
  /** `TIME KEY`: what may be removed from then on. */
  expiry: 'expiry',
};

/** How long it is kept what operations did to a thing: longer than readings before a send count, and than an unknown end is looked into. */
export const LATELY_MS = 2 * 60 * 60_000;

export const lastTouched = ({ made, goneAt = 0, touchedAt = 0 }: Omit<ThingRecord, 'holder'>): number =>
  Math.max(made?.at ?? 0, goneAt, touchedAt);

export const itemKeysOf = ({ id, total }: OperationRecord): string[] =>
  Array.from({ length: total }, (_, index) => keyOf.item(id, index));

export const secretKeysOf = ({ id, total }: OperationRecord): string[] =>
  Array.from({ length: total }, (_, index) => keyOf.secret(id, index));

/** How a record names an item. */
export const itemRefOf = (id: string, { index }: Pick<ItemRecord, 'index'>): string => `${id} ${index}`;

export const refOf = ({ id, cluster }: Pick<OperationRecord, 'id' | 'cluster'>): OpenRef => ({
  id,
  lane: hash([cluster.key]).slice(0, 12),
});

/** That the operation is open. */
export const openMark = (record: Pick<OperationRecord, 'id' | 'cluster' | 'domain'>): Member => {
  const { id, lane } = refOf(record);
  return [indexes.open(record.domain), `${id} ${lane}`];
};

/** Lets a sweep come by. */
export const expiring = (atMs: number, key: string): Member => [indexes.expiry, `${new Date(atMs).toISOString()} ${key}`];

/** Where a list of operations may have to find this one. */
export const placesInLists = ({ id, clusterId, state, caller }: OperationRecord): Member[] => [
  ...(caller === null ? [] : ([[indexes.ofCaller(caller), id]] as const)),
  [indexes.operations(), id],
  [indexes.operations(clusterId), id],
  [indexes.operations(undefined, state), id],
  [indexes.operations(clusterId, state), id],
];

/** The same by its things, which it never leaves. */
export const placesByName = ({ id }: OperationRecord, items: readonly Pick<ItemRecord, 'name'>[]): Member[] =>
  [...new Set(items.map(({ name }) => name))].map((name) => [indexes.ofName(name), id]);

/** Where the ids of operations that are accepted at that time begin. */
export const idsFrom = (ms: number): string => `op_${Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0')}`;

const FINAL: ReadonlySet<OperationState> = new Set(['succeeded', 'partially_succeeded', 'unknown', 'failed', 'cancelled']);

export const isFinal = ({ state }: { readonly state: OperationState }): boolean => FINAL.has(state);

export const EMPTY_SUMMARY: ResultSummary = {
  created: 0,
  updated: 0,
  unchanged: 0,
  deleted: 0,
  already_exists: 0,
  not_found: 0,
  refused: 0,
  failed: 0,
  unknown: 0,
  cancelled: 0,
};

export const summarise = (outcomes: readonly ItemOutcome[], before: ResultSummary = EMPTY_SUMMARY): ResultSummary => {
  const summary = { ...before };
  for (const { status } of outcomes) summary[status]++;
  return summary;
};

/** How many items are settled, well or not. */
export const settledOf = (summary: ResultSummary): number => Object.values(summary).reduce((sum, count) => sum + count, 0);

const DONE: ReadonlySet<ItemStatus> = new Set(['created', 'updated', 'unchanged', 'deleted']);

/** Whether what was asked for is done. */
export const isDone = ({ status }: ItemOutcome): boolean => DONE.has(status);
