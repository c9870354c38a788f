/** What changes together with the state of an operation: indexes, counters, and what is kept how long. */
import type { ResultSummary } from '../model.js';
import type { Count, Value } from '../store/store.js';
import { isoOf, type JournalDeps } from './deps.js';
import { finalStateOf } from './operation-state.js';
import { expiring, keyOf, type OperationRecord, openMark, placesInLists } from './records.js';

export type Puts = Record<string, Value | null>;

/** What changes where an operation changes its state. */
export const moved = (from: OperationRecord, to: OperationRecord) => {
  const places = new Set(placesInLists(to).map(String));
  const left = new Set(placesInLists(from).map(String));
  return {
    put: { [keyOf.operation(to.id)]: to },
    drop: placesInLists(from).filter((place) => !places.has(String(place))),
    add: placesInLists(to).filter((place) => !left.has(String(place))),
  };
};

/** The change that ends an operation. */
export const ending = (
  { lifetimes, nowMs }: Pick<JournalDeps, 'lifetimes' | 'nowMs'>,
  record: OperationRecord,
  summary: ResultSummary,
) => {
  const now = isoOf(nowMs());
  const ended = { ...record, summary, state: finalStateOf({ ...record, summary }), updatedAt: now, finishedAt: now };
  const { put, drop, add } = moved(record, ended);
  return {
    put: { ...put, ...(record.request !== undefined && { [keyOf.request(record.request)]: null }) },
    drop: [...drop, openMark(record)],
    add: [...add, expiring(nowMs() + lifetimes.operationMs, keyOf.operation(record.id))],
  };
};

/** Open items are counted for the domain and for the cluster, so that one cluster does not take all places. */
export const backlog = (
  { lifetimes: { maxOpenItems } }: Pick<JournalDeps, 'lifetimes'>,
  { domain, cluster }: OperationRecord,
  by: number,
): Count[] => {
  if (by === 0) return [];
  const ofDomain = `items ${domain}`;
  const ofCluster = `${ofDomain} ${cluster.key}`;
  if (maxOpenItems === undefined) return [ofDomain, ofCluster].map((counter) => ({ counter, by }));
  return [
    { counter: ofDomain, by, atMost: maxOpenItems },
    { counter: ofCluster, by, atMost: Math.ceil(maxOpenItems / 2) },
  ];
};
