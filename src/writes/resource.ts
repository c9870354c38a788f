/** What the engine asks of a kind of things on clusters, such as accounts of people. It knows nothing else of them. */
import type { Call, JobState, Receipt } from '../adapter.js';
import type { GatewayError } from '../errors.js';
import type { ClusterRef, ItemOutcome, ItemRecord } from '../journal/records.js';
import type { Secret } from '../secret.js';
import type { FinalVerdict, Nature, Reading, Word } from './verdict.js';

/** A thing on a cluster, as it was read. A resource adds its own fields. */
export interface Thing {
  /** By the cluster's clock, ISO 8601; null where the vendor does not return it. */
  readonly createdAt: string | null;
  /** The same for the same thing, and another for a later one of that name, as far as the vendor shows it. */
  readonly identity: string;
}

/** What a reading showed, by name. */
export interface Found {
  readonly found: ReadonlyMap<string, Thing | null>;
  /** Whether a name that is not found is not there. */
  readonly complete: boolean;
  /** Whether a name that is not found can only stand in a row that names nobody. */
  readonly isWhole: boolean;
}

/** Up to so many things are looked up one by one, where the vendor can; for more, a list is read. */
export const MAX_LOOK_UPS = 3;

export interface ReadOptions {
  /** Vendor pages to read at most; the first one is then read alone. */
  readonly maxPages?: number;
  /** To read no further than the first page where the list has more pages than that. */
  readonly wholeOrNothing?: boolean;
  /** Whether a thing counts whose name differs in upper and lower case alone, where there is one such, and none of the very name. */
  readonly anyCase?: boolean;
  /** Whether the thing was just made: vendors add to the end of a list. */
  readonly isNewest?: boolean;
  /** Whether a look-up that finds nothing will do, where look-ups of this cluster have found things before. */
  readonly trustLookUps?: boolean;
}

/** An item with its secret, opened; empty where it has none. */
export interface Parcel {
  readonly item: ItemRecord;
  readonly secret: Secret;
}

/** An item that is to be planned. */
export interface Asked {
  readonly item: ItemRecord;
  readonly isBatch: boolean;
  /** The vendor has said that there is one of this name: it is the one that was read, whatever the case of its name. */
  readonly isThere: boolean;
}

/** A final verdict, with what it is reported by. */
export interface Finding {
  readonly verdict: FinalVerdict;
  readonly reading: Reading;
  /** The thing as read back; null where it was not found or not read. */
  readonly found: Thing | null;
  /** The failure that led to the verdict; absent where the vendor confirmed the step. */
  readonly error?: GatewayError;
  /** The caller is to be shown the thing, and it could not be read. */
  readonly unread?: true;
}

export interface Steps {
  readonly status: 'planned';
  readonly steps: readonly string[];
}

/** It has to be read again. After a few readings, or when the operation has no patience left, it is `otherwise`, or a failure. */
export interface Unread {
  readonly status: 'unread';
  readonly error: GatewayError;
  readonly otherwise?: ItemOutcome | Steps;
}

/** What a step that only reads has decided: the end of the item, or the steps that follow. */
export type Planned = ItemOutcome | Steps | Unread;

/** One thing that is done to things: what it sends, what a reading shows of it, and how its end is worded. */
export interface Step {
  readonly name: string;
  readonly nature: Nature;
  /** Whether the caller of a single item is shown the thing as it is after this step. */
  readonly isShown: boolean;
  /** The sentence for an item that ended later than this step, which was done. */
  readonly wasDone: string;
  /** The sentence for an item that is given up after calls that may have done this step. */
  readonly mayBeDone: string;
  send(parcels: readonly Parcel[], call: Call): Promise<Receipt>;
  /**
   * Of a step that sends nothing: decides by what was read, for each item.
   * @param asked with whether the item is one of many, as far as the caller is concerned
   */
  plan?(asked: readonly Asked[], read: Found, call: Call): Promise<readonly Planned[]>;
  /** What a thing that was found shows. */
  readingOf(item: ItemRecord, found: Thing): Extract<Reading, 'present' | 'as_asked'>;
  outcome(item: ItemRecord, finding: Finding): ItemOutcome;
}

/** An account whose vendor does what is asked for by jobs. */
export interface JobSource {
  /** Of the account. */
  readonly name: string;
  readonly vendor: string;
  /** States of jobs, in the order asked for. Absent where the vendor has no jobs. */
  getJobs?(jobs: readonly string[], call: Call): Promise<readonly JobState[]>;
}

/** How much a cluster takes at once. */
export interface Limits {
  /** Calls that write. */
  readonly concurrency: number;
  /** Items of one call, by step; one where a step is not named. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** The things of one kind on one cluster. */
export interface Site {
  readonly clusterId: string;
  readonly cluster: ClusterRef;
  /** Identifies the cluster, in this process. */
  readonly key: string;
  readonly account: JobSource;
  /** Whether an answer may come before its effect, which a job brings. */
  readonly hasJobs: boolean;
  /** Hides secrets in what the vendor says from now on: an earlier process has sent them. */
  conceal?(secrets: readonly Secret[]): void;
  step(name: string): Step;
  limits(call: Call): Promise<Limits>;
  /** Things by name. */
  read(names: readonly string[], call: Call, options?: ReadOptions): Promise<Found>;
  /** A failure of a step in the words of the verdict table. May ask the vendor for the reason. */
  wordOf(failure: GatewayError, call: Call): Promise<{ readonly word: Word; readonly error: GatewayError }>;
  /**
   * `If-Match`, and conditions of the resource: what becomes of each item whose thing does not meet them; undefined where it does.
   * @throws vendor_bad_response where a thing cannot be read for sure, and what a reading throws
   */
  check(items: readonly ItemRecord[], call: Call): Promise<readonly (ItemOutcome | undefined)[]>;
}

/** A kind of things that can be written. */
export interface Resource {
  readonly name: string;
  /** The things of a cluster of work that began earlier. Asks no vendor. Undefined where that cluster is no longer served. */
  at(clusterId: string, cluster: ClusterRef): Site | undefined;
}
