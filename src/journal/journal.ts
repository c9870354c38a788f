/**
 * The operations in the store: every step of an item is stored before it is taken, and its outcome after. Each method is one
 * atomic change.
 */

import type { AuditEvent } from '../audit/record.js';
import type { Store } from '../store/store.js';
import { createBeginning } from './beginning.js';
import { createChanges } from './changes.js';
import type { Claim, ItemRef, Stored } from './claim.js';
import type { JournalDeps, JournalTrail, Lifetimes } from './deps.js';
import type { DomainRecords, Ownership } from './domains.js';
import type { Departure, StepOutcome } from './item.js';
import { createReading } from './reading.js';
import {
  type DomainRecord,
  type GenerationRecord,
  type ItemOutcome,
  type ItemRecord,
  keyOf,
  type LoadedOperation,
  type OperationRecord,
  type ThingRecord,
} from './records.js';
import type { Known, RequestReference, Taken } from './requests.js';
import { createRevising } from './revising.js';

export interface ListFilter {
  readonly clusterId?: string | undefined;
  readonly state?: string | undefined;
  readonly kind?: string | undefined;
  readonly caller?: string | undefined;
  /** Of a thing that they are about. */
  readonly name?: string | undefined;
  /** When they were accepted, in milliseconds since 1970: from then, and before then. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Whether operations on a cluster may be shown. */
  readonly isSeen: (clusterId: string) => boolean;
  readonly limit: number;
  /** The id of the last one seen. */
  readonly after?: string | undefined;
}

export interface OperationPage {
  readonly operations: readonly OperationRecord[];
  /** Where the next window begins; null on the last one. There may be fewer operations than asked for in a window before it. */
  readonly next: string | null;
}

/** Of a journal whose changes are not recorded. */
const UNRECORDED: JournalTrail = {
  accepted: '',
  settled: () => '',
  headKey: () => 'unrecorded',
  append: () => ({ put: {}, add: [] }),
  inTurn: (_, change) => change(),
};

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
  /** The same for the process that works on it: with the own keys of its secrets. */
  loadForWork(id: string): Promise<LoadedOperation | undefined>;
  /** Newest first. */
  list(filter: ListFilter): Promise<OperationPage>;
  /**
   * Stores that these items are about to be sent, with their steps, which may have been decided only now. Returns those whose things no other operation has on its way.
   * @param inOrder to return only those before the first that cannot go
   */
  markSent(claim: Claim, items: readonly ItemRecord[], departure: Departure, inOrder: boolean): Promise<Stored>;
  /** Stores which job does the items. */
  attachJob(claim: Claim, items: readonly ItemRecord[], job: string): Promise<Stored>;
  /**
   * Stores what came of items; secrets of those that are settled are erased, and their own keys destroyed. The operation ends with its last item, then `isOver`.
   * @param requestIds the vendor's names of the requests that did them, by index @param calls that were made for the operation so far
   */
  settle(
    claim: Claim,
    items: readonly ItemRef[],
    outcomes: ReadonlyMap<number, StepOutcome>,
    requestIds?: ReadonlyMap<number, readonly string[]>,
    calls?: number,
  ): Promise<Stored & { readonly isOver: boolean }>;
  /** Ends an operation all of whose items were settled when it began. */
  finish(claim: Claim): Promise<void>;
  /** Stores again what this process knows of an operation, after the store may have lost changes. */
  restore(claim: Claim, operation: LoadedOperation): Promise<void>;
  /** Stores what a later look found out about items with status `unknown` of an operation that has ended. */
  revise(id: string, outcomes: ReadonlyMap<number, ItemOutcome>): Promise<void>;
  /** Asks for the operation to be stopped. */
  cancel(id: string, by: Pick<AuditEvent, 'caller' | 'address' | 'requestId'>): Promise<void>;
  /** What operations did to these things lately, by items that are settled. */
  lately(claim: Pick<Claim, 'resource' | 'cluster'>, names: readonly string[]): Promise<ReadonlyMap<string, ThingRecord>>;
}

const createDomainRecords = ({ store, nowMs }: JournalDeps): Pick<Journal, 'takeDomain' | 'noteGeneration'> => ({
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
});

export const createJournal = (
  store: Store,
  lifetimes: Lifetimes,
  nowMs: () => number = Date.now,
  ownership: Ownership = ALONE,
  trail: JournalTrail = UNRECORDED,
): Journal => {
  const deps: JournalDeps = { store, lifetimes, nowMs, ownership, trail };
  return {
    ...createBeginning(deps),
    ...createReading(deps),
    ...createChanges(deps),
    ...createRevising(deps),
    ...createDomainRecords(deps),
  };
};
