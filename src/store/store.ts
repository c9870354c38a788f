/**
 * What operations are kept in: records by key, and indexes, which are sorted sets of short ASCII texts. Three kinds are distinguished by
 * the configuration alone; all keep these promises. Nothing waits for a store that is unavailable longer than `WAIT_MS`, and what was
 * refused is not written later. Records of `secret-records.ts` are kept so that they can be destroyed.
 */
import { type Effect, GatewayError } from '../errors.js';

/** A JSON object. */
export type Value = object;

/** A member of an index. */
export type Member = readonly [index: string, member: string];

/** Adds to a counter. Counters are no records: changes of the same counter do not conflict. */
export interface Count {
  readonly counter: string;
  readonly by: number;
  /** The whole change is refused where the counter would be higher. */
  readonly atMost?: number;
}

/** A change was refused, since a counter would have become too high. Nothing was written. */
export class CounterFull extends Error {
  override readonly name = 'CounterFull';
}

/** A record `{ last }` whose number only rises: the change is refused where it is not lower. Other changes of it do not conflict. */
export interface Rise {
  /** One of the keys of the change. */
  readonly key: string;
  readonly to: number;
}

/** What to write, all of it or none. */
export interface Decision<Result> {
  readonly result: Result;
  /** Values by key; null removes. */
  readonly put?: Readonly<Record<string, Value | null>>;
  readonly add?: readonly Member[];
  readonly drop?: readonly Member[];
  /** Only together with something else to write. */
  readonly count?: readonly Count[];
  readonly rise?: Rise;
}

export interface Window {
  readonly order: 'ascending' | 'descending';
  readonly limit: number;
  /** Only members that come later in the order than this one. */
  readonly after?: string;
}

/** What processes that share a store need of each other. Times are by the store's clock. */
export interface Shared {
  /** Takes a name for so long, or holds it longer. False where another holder has it. @throws store_unavailable */
  hold(name: string, holder: string, ms: number): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
  /** Sends a text to the holder of the name. Nothing is sent where nobody holds it. */
  notifyHolder(name: string, text: string): Promise<void>;
  notify(holder: string, text: string): Promise<void>;
  /**
   * Asks for a name of the server and its history: with another name, changes that it confirmed before may be lost. It is asked for after
   * each connection too, before anything else.
   */
  identity(): Promise<string>;
  /** The last answer; '' before the first. */
  readonly lastIdentity: string;
  /** Receives what is sent to this holder. A text may be lost. */
  listen(holder: string, onText: (text: string) => void): void;
}

export interface Store {
  /** Whether what was written outlives the process. */
  readonly durable: boolean;
  /** Undefined for a store that one process has to itself. */
  readonly shared: Shared | undefined;
  /** One value per key; undefined where there is none. @throws store_unavailable */
  read<T extends Value>(keys: readonly string[]): Promise<(T | undefined)[]>;
  /**
   * Writes what `decide` makes of the present values of the keys, as if nobody else wrote meanwhile, other processes included. Resolves
   * when it is on disk, as far as the kind has one.
   * @param decide must be pure: it may run more than once, also after its own decision was written
   * @throws store_unavailable; with the effect `none` nothing was written. CounterFull
   */
  change<T extends Value, Result>(
    keys: readonly string[],
    decide: (values: readonly (T | undefined)[]) => Decision<Result>,
  ): Promise<Result>;
  /** Members of an index in their order. @throws store_unavailable */
  members(index: string, window: Window): Promise<string[]>;
  /** Whether it can be read and written now. @throws store_unavailable with the reason */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Called once when the store becomes unavailable, and once when it is available again. */
export interface StoreEvents {
  unavailable(reason: string): void;
  available(): void;
  /** What an operator should know, once. Nothing waits for it. */
  note?(text: string): void;
}

export const SILENT: StoreEvents = { unavailable: () => undefined, available: () => undefined };

/** How long a read or a change waits for a store that is unavailable. */
export const WAIT_MS = 5_000;

/** @param effect `none` where surely nothing was written */
export const storeUnavailable = (reason = 'does not answer', effect: Effect = 'none'): GatewayError =>
  new GatewayError('store_unavailable', `The store of the gateway ${reason}.`, { effect });
