/**
 * What operations are kept in: records by key, and indexes, which are sorted sets of short ASCII texts. Three kinds are told apart by the
 * configuration alone; all keep these promises.
 */

import { GatewayError } from '../errors.js';

/** A JSON object. */
export type Value = object;

/** A member of an index. */
export type Member = readonly [index: string, member: string];

/** What to write, all of it or none. */
export interface Decision<Result> {
  readonly result: Result;
  /** Values by key; null removes. */
  readonly put?: Readonly<Record<string, Value | null>>;
  readonly add?: readonly Member[];
  readonly drop?: readonly Member[];
}

export interface Window {
  readonly order: 'ascending' | 'descending';
  readonly limit: number;
  /** Only members that come later in the order than this one. */
  readonly after?: string;
}

export interface Store {
  /** Whether what was written outlives the process. */
  readonly durable: boolean;
  /** One value per key; undefined where there is none. */
  read<T extends Value>(keys: readonly string[]): Promise<(T | undefined)[]>;
  /**
   * Writes what `decide` makes of the present values of the keys, as if nobody else wrote meanwhile, other processes included. Resolves
   * when it is on disk, as far as the kind has one.
   * @param decide without effects of its own, and indifferent to being run again after its own decision: it may be
   * @param withinMs to write nothing when it comes to that only later; without it, a store that is away is waited for
   * @throws store_unavailable when it came to nothing in time
   */
  change<T extends Value, Result>(
    keys: readonly string[],
    decide: (values: readonly (T | undefined)[]) => Decision<Result>,
    withinMs?: number,
  ): Promise<Result>;
  /** Members of an index in their order. */
  members(index: string, window: Window): Promise<string[]>;
  /** @throws store_unavailable */
  check(): Promise<void>;
  close(): Promise<void>;
}

export const storeUnavailable = (): GatewayError =>
  new GatewayError('store_unavailable', 'The store of the gateway does not answer.');
