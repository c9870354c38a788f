import type { Ledger } from './ledger.js';

/** Works on an operation, as `owner`, until it is final or to be left to others. */
export type Runner = (id: string, owner: string) => Promise<void>;

export interface QueueTools {
  readonly ledger: Ledger;
  /** A process that has not been heard of for so long is taken for dead. */
  readonly leaseMs: number;
  readonly run: Runner;
  onFault(error: unknown): void;
}

/** Brings operations to whoever works on them: once, and again when that process dies. */
export interface Queue {
  add(id: string): Promise<void>;
  /** Resolves when this process works on nothing. */
  idle(): Promise<void>;
  /** Takes nothing more. */
  pause(): Promise<void>;
  close(): Promise<void>;
}
