/** What the parts of the journal share. */
import type { Store } from '../store/store.js';
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
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();
