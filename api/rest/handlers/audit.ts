import type { AuditRecord as StoredRecord } from '../../../src/audit/record.js';
import type { Audit } from '../../../src/audit/service.js';
import type { AuditRecord, ItemStatus } from '../../../src/model.js';
import type { Handlers } from '../operations.js';
import { millisecondsOf } from '../times.js';

/** A record as callers and collectors see it. */
export const toAuditRecord = ({ id, at, type, caller, address, requestId, things, ...rest }: StoredRecord): AuditRecord => ({
  id,
  at,
  type,
  caller,
  address,
  requestId,
  clusterId: rest.clusterId,
  vendor: rest.vendor,
  action: rest.action,
  users: things.map(({ name, status }) => ({ username: name, status: status as ItemStatus | null })),
  operationId: rest.operationId,
  vendorRequestIds: [...rest.vendorRequestIds],
  code: rest.code,
});

export const auditHandlers = (audit: Audit): Pick<Handlers, 'listAudit'> => ({
  listAudit: async ({ query, call }) => {
    const { limit = 50, username: name, from, to, ...filters } = query;
    const times = { fromMs: millisecondsOf('from', from), toMs: millisecondsOf('to', to) };
    const { records, next } = await audit.list({ ...filters, ...times, name, limit }, call);
    return { status: 200, body: { items: records.map(toAuditRecord), nextCursor: next } };
  },
});
