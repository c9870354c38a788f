/** Reading the trail, newest first. */
import type { Store } from '../store/store.js';
import { readWindow } from '../store/windows.js';
import { type AuditRecord, INDEX, idsFrom, keyOf, prefixOf } from './record.js';

export interface AuditFilter {
  readonly clusterId?: string | undefined;
  readonly name?: string | undefined;
  readonly caller?: string | undefined;
  readonly operationId?: string | undefined;
  readonly type?: string | undefined;
  /** In milliseconds since 1970: from then, and before then. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly limit: number;
  /** The id of the last one seen. */
  readonly after?: string | undefined;
  isSeen(record: AuditRecord): boolean;
}

export interface AuditPage {
  readonly records: readonly AuditRecord[];
  /** Where the next window begins; null on the last one. There may be fewer records than asked for in a window before it. */
  readonly next: string | null;
}

/** The shortest part of the index that has all that are asked for. */
const prefixFor = ({ operationId, name, caller, clusterId }: AuditFilter): string => {
  if (operationId !== undefined) return prefixOf.operation(operationId);
  if (name !== undefined) return prefixOf.name(name);
  if (caller !== undefined) return prefixOf.caller(caller);
  return clusterId === undefined ? prefixOf.all() : prefixOf.cluster(clusterId);
};

const fits = (record: AuditRecord, { clusterId, name, caller, operationId, type, isSeen }: AuditFilter): boolean =>
  isSeen(record) &&
  [
    [clusterId, record.clusterId],
    [caller, record.caller],
    [operationId, record.operationId],
    [type, record.type],
  ].every(([wanted, present]) => wanted === undefined || wanted === present) &&
  (name === undefined || record.things.some((thing) => thing.name === name));

export const listRecords = async (store: Store, filter: AuditFilter): Promise<AuditPage> => {
  const { limit, fromMs, toMs } = filter;
  const { found, next } = await readWindow<AuditRecord>(store, {
    index: INDEX,
    prefix: prefixFor(filter),
    first: fromMs === undefined ? '' : idsFrom(fromMs),
    after: filter.after ?? (toMs === undefined ? undefined : idsFrom(toMs)),
    limit,
    keyOf: keyOf.byId,
    fits: (record) => fits(record, filter),
  });
  return { records: found, next };
};
