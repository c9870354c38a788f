/** What identifies a write in the store, so that a repetition finds the operation of the first request. */

import type { KeyRecord, RequestRecord } from './records.js';

/** A request's idempotency key, and what its body was; keyed hashes of both. */
export interface KeyReference {
  readonly id: string;
  readonly fingerprint: string;
}

/** A request that writes. */
export interface RequestReference {
  /** A keyed hash of caller, method, path, preconditions and content. */
  readonly id: string;
  readonly key?: KeyReference;
  /** Operations that a new one may replace under the key and the request: they have ended. */
  readonly replaceable: readonly string[];
}

/** The operation that a request or its key belongs to already. */
export interface Taken {
  readonly operationId: string;
  /** The key was used for a request with another body. */
  readonly byAnother?: true;
}

/** What the store has of a request. */
export interface Known {
  readonly key: KeyRecord | undefined;
  readonly request: RequestRecord | undefined;
}
