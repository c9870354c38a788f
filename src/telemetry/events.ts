/** What happens in the core, for those who log it, count it or show it. The core knows none of them. */
import { EventEmitter } from 'node:events';
import type { CallSeen } from '../vendor/client.js';
import type { Health } from '../vendor/health.js';
import type { Trace } from './trace.js';

/** A call to a vendor has ended. */
export interface VendorCalled extends CallSeen {
  readonly account: string;
  readonly vendor: string;
}

/** Calls of a cluster of an account, or of what concerns no cluster, are held back from now on; or are made again. */
export interface BreakerChanged {
  readonly account: string;
  readonly vendor: string;
  /** The vendor's id. */
  readonly cluster: string | undefined;
  readonly isDown: boolean;
  readonly health: Health;
}

/** An item of an operation has ended a step. */
export interface ItemSettled {
  readonly vendor: string;
  readonly step: string;
  readonly status: string;
  /** Since it was asked for. */
  readonly afterMs: number;
}

/** Rows of a list of a vendor name nobody, and were left out. */
export interface RowsOmitted {
  readonly vendor: string;
  readonly rows: number;
}

/** A request was answered, or given up. */
export interface RequestAnswered {
  /** The `operationId` of the document; `none` where the path is none of it. */
  readonly operation: string;
  readonly method: string;
  /** The path of the document that it fits. */
  readonly route: string | undefined;
  readonly trace: Trace | undefined;
  readonly status: number;
  readonly durationMs: number;
}

/** A list of users was asked for: from what was kept, or from the vendor. */
export interface ListAsked {
  readonly result: 'hit' | 'miss' | 'bypass' | 'shared';
}

interface EventMap {
  vendorCall: [VendorCalled];
  breaker: [BreakerChanged];
  item: [ItemSettled];
  omission: [RowsOmitted];
  request: [RequestAnswered];
  list: [ListAsked];
}

export type Events = EventEmitter<EventMap>;

export const createEvents = (): Events => new EventEmitter<EventMap>();
