/** What the parts of the journal share. */
import type { AuditEvent } from '../audit/record.js';
import type { Appended } from '../audit/trail.js';
import type { Store, Value } from '../store/store.js';
import type { Ownership } from './domains.js';

export interface Lifetimes {
  readonly operationMs: number;
  readonly keyMs: number;
  /** Open items of a write domain. */
  readonly maxOpenItems?: number;
}

export interface JournalDeps {
  readonly store: Store;
  readonly lifetimes: Lifetimes;
  /** In milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly ownership: Ownership;
  readonly trail: JournalTrail;
}

/** Where changes are recorded, as far as the journal has to know. */
export interface JournalTrail {
  /** The chain of what this process accepts, and that of what is settled in a domain. */
  readonly accepted: string;
  settled(domain: string): string;
  headKey(chain: string): string;
  append(chain: string, head: Value | undefined, events: readonly AuditEvent[]): Appended;
  inTurn<T>(chain: string, change: () => Promise<T>): Promise<T>;
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();
