/** Who sends a request. */
import type { Call } from '../adapter.js';
import { ALL_RIGHTS, mayOn, type Rights } from './rights.js';

export interface CallerLimits {
  /** Undefined: unlimited. */
  readonly requestsPerCallerPerMinute?: number | undefined;
  readonly maxRequestsInFlight?: number | undefined;
}

export interface Caller {
  /**
   * The id of an API key's caller, `ISSUER#SUBJECT` of a token, `proxy:USER` of a user whom a proxy names: none can be mistaken for another
   * kind. Null where nobody asks who callers are.
   */
  readonly id: string | null;
  readonly rights: Rights;
  readonly limits: CallerLimits;
}

/** Every caller of a gateway without `auth`, which listens on its own machine only. */
export const ANYBODY: Caller = { id: null, rights: ALL_RIGHTS, limits: {} };

/** A call of a caller's: what it may show depends on their rights. */
export interface CallerCall extends Call {
  readonly caller: Caller;
  /** Where the request came from. */
  readonly address: string;
  /** What was read before, for others, will not do. */
  readonly isFresh?: boolean;
  /** Aborts when the caller of a read leaves, and with no deadline. */
  left?(): AbortSignal;
}

/** Whether the caller may know that there is such a cluster. */
export const sees = ({ caller }: Pick<CallerCall, 'caller'>, clusterId: string): boolean =>
  mayOn(caller.rights, ['read'], clusterId);
