import { COMMON_FAULT_KINDS, type Fault, type FaultKind, isPageFault } from '../kit/index.js';
import type { ShanheCall } from './urls.js';

export const FAULTS: readonly FaultKind[] = [
  ...COMMON_FAULT_KINDS,
  ...(['echo', 'job_fails', 'job_fails_after', 'job_never_ends', 'job_slow', 'job_unlisted'] as const),
];

const JOB_ACTIONS = ['/user/addUser', '/user/deleteUser'];
const OTHER_LISTS = ['/cluster/list', '/operation'];

/** A list of clusters or jobs must be named as `action`. */
export const canShow = (fault: Fault, call: ShanheCall): boolean => {
  if (isPageFault(fault)) return call.action === '/user' || (fault.action !== undefined && OTHER_LISTS.includes(call.action));
  if (fault.kind.startsWith('job_')) return JOB_ACTIONS.includes(call.action);
  return fault.kind !== 'late_effect' || call.method === 'POST';
};

export const retryHeaders = ({ retryAfter, retryAfterSeconds: seconds }: Fault): Record<string, string> => {
  const text = retryAfter ?? (seconds === undefined ? undefined : String(seconds));
  return text === undefined ? {} : { 'retry-after': text };
};
