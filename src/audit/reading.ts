/** Reading the trail, newest first. */
import type { Store } from '../store/store.js';
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

/** Records that are read for one window, whatever its filters leave out. */
const MAX_LOOKED_THROUGH = 1_000;
/** Read at once, however few are asked for: filters may leave out most of them. */
const MIN_SLICE = 50;
/** Sorts after every id. */
const END = '~';

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
  const prefix = prefixFor(filter);
  const first = fromMs === undefined ? '' : idsFrom(fromMs);
  const records: AuditRecord[] = [];
  let at = filter.after ?? (toMs === undefined ? END : idsFrom(toMs));
  const end = (): AuditPage => ({ records, next: null });
  const slice = Math.max(limit + 1, MIN_SLICE);
  for (let looked = 0; looked < MAX_LOOKED_THROUGH; looked += slice) {
    const members = await store.members(INDEX, { order: 'descending', limit: slice, after: `${prefix}${at}` });
    const ids = members.filter((member) => member.startsWith(prefix)).map((member) => member.slice(prefix.length));
    const found = await store.read<AuditRecord>(ids.map(keyOf.byId));
    for (const [position, id] of ids.entries()) {
      if (id < first) return end();
      // One may be gone since the index was read.
      const record = found[position];
      const isListed = record !== undefined && fits(record, filter);
      // What the caller may not see is no reason for another window.
      if (isListed && records.length === limit) return { records, next: records.at(-1)?.id ?? null };
      at = id;
      if (isListed) records.push(record);
    }
    if (ids.length < slice) return end();
  }
  return { records, next: at };
};
