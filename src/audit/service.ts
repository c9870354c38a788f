/** What callers and the gateway do with the audit trail. */
import type { CallerCall } from '../callers/caller.js';
import { mayEverywhere, mayOn } from '../callers/rights.js';
import type { Clock } from '../clock.js';
import type { Cursors } from '../cursors.js';
import { inTime } from '../store/in-time.js';
import type { Store } from '../store/store.js';
import { type AuditFilter, type AuditPage, listRecords } from './reading.js';
import type { AuditEvent, AuditRecord } from './record.js';
import type { Trail } from './trail.js';

export type AuditQuery = Omit<AuditFilter, 'isSeen' | 'after'> & { readonly cursor?: string | undefined };

export interface Audit {
  /** Those on clusters whose trail the caller may read; what names no cluster is for those who may read all. @throws invalid_request */
  list(query: AuditQuery, call: CallerCall): Promise<AuditPage>;
  /** Records a write that was turned away. Never rejects: the answer does not depend on it. */
  refused(event: Omit<AuditEvent, 'type' | 'vendorRequestIds'>): Promise<void>;
}

export interface AuditDeps {
  /** Fails where the store is unavailable. */
  readonly store: Store;
  readonly trail: Trail;
  /** The chain of this process. */
  readonly chain: string;
  readonly cursors: Cursors;
  readonly clock: Clock;
  onFault(thrown: unknown): void;
}

/** Records in a minute of requests that name no caller: a stranger can send any number of them. */
const MAX_STRANGERS = 60;
const MINUTE_MS = 60_000;

export const createAudit = ({ store, trail, chain, cursors, clock, onFault }: AuditDeps): Audit => {
  let minute = 0;
  let strangers = 0;
  const isTooMuch = (code: string | null): boolean => {
    if (code !== 'unauthenticated') return false;
    const present = Math.floor(clock.monotonic() / MINUTE_MS);
    if (present !== minute) [minute, strangers] = [present, 0];
    return ++strangers > MAX_STRANGERS;
  };

  return {
    list: async ({ cursor, ...query }, call) => {
      const { rights } = call.caller;
      const isSeen = ({ clusterId }: AuditRecord): boolean =>
        clusterId === null ? mayEverywhere(rights, 'audit') : mayOn(rights, ['audit'], clusterId);
      const { clusterId, name, caller, operationId, type, fromMs, toMs } = query;
      const scope = ['audit', clusterId, name, caller, operationId, type, fromMs, toMs];
      const after = cursor === undefined ? undefined : String(cursors.read(cursor, scope, call)['after']);
      const page = await inTime(listRecords(store, { ...query, after, isSeen }));
      return { ...page, next: page.next === null ? null : cursors.write({ after: page.next }, scope, call) };
    },

    refused: async (event) => {
      if (isTooMuch(event.code)) return;
      const recorded = trail.record(chain, [{ ...event, type: 'refused', vendorRequestIds: [] }]);
      await inTime(recorded).catch(onFault);
    },
  };
};
