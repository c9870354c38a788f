import { COMMON_FAULT_KINDS, type Fault, type FaultKind, isPageFault } from '../kit/index.js';
import { CODE_OF_STATUS } from './errors.js';
import type { EhpcCall } from './urls.js';
import { WRITES } from './writes.js';

export const FAULTS: readonly FaultKind[] = [...COMMON_FAULT_KINDS, 'echo', 'half_batch', 'listing_never_ends'];

const CLUSTER_LISTS = ['ListClusters', 'ListClustersMeta'];

/** `hasRows` says whether the call is answered with a page of users; a list of clusters must be named as `action`. */
export const canShow = (fault: Fault, call: EhpcCall, hasRows: (call: EhpcCall) => boolean): boolean => {
  if (isPageFault(fault)) return hasRows(call) || (fault.action !== undefined && CLUSTER_LISTS.includes(call.action));
  if (fault.kind === 'listing_never_ends') return call.action === 'ListUsersAsync';
  if (fault.kind === 'half_batch' || fault.kind === 'late_effect') return Object.hasOwn(WRITES, call.action);
  return true;
};

/** How long a client is to wait: official code reads the second header as milliseconds (section 12). */
export const retryHeaders = (fault: Fault): Record<string, string> => {
  const { retryAfter, retryAfterSeconds: seconds, retryAfterHeader: header = 'both' } = fault;
  const standard = retryAfter ?? (seconds === undefined ? undefined : String(seconds));
  if (standard === undefined) return {};
  const own = retryAfter ?? String(Number(seconds) * 1000);
  return {
    ...(header === 'vendor' ? {} : { 'retry-after': standard }),
    ...(header === 'standard' ? {} : { 'x-acs-retry-after': own }),
  };
};

/** The code of the answer; empty where a bare status has no body. */
export const faultCode = (fault: Fault): string => {
  if (fault.code !== undefined) return fault.code;
  return fault.kind === 'throttle' ? 'Throttling.User' : (CODE_OF_STATUS[fault.status ?? 0] ?? '');
};
