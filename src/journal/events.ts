/** What is recorded of an operation. */
import type { AuditEvent } from '../audit/record.js';
import type { ItemOutcome, ItemRecord, OperationRecord } from './records.js';

type Common = Omit<AuditEvent, 'type' | 'things' | 'vendorRequestIds'>;

const ofOperation = ({ id, kind, caller, address, requestId, clusterId, vendor }: OperationRecord): Common => ({
  caller,
  address,
  requestId,
  clusterId,
  vendor,
  action: kind,
  operationId: id,
  code: null,
});

/** It was stored, with the items that were turned away at once. */
export const acceptedEvent = (operation: OperationRecord, items: readonly ItemRecord[]): AuditEvent => ({
  type: 'accepted',
  ...ofOperation(operation),
  things: items.map(({ name, outcome }) => ({ name, status: outcome?.status ?? null })),
  vendorRequestIds: [],
});

/** Somebody asked for it to be stopped. @param by who, from where, in which request */
export const cancelEvent = (
  operation: OperationRecord,
  by: Pick<AuditEvent, 'caller' | 'address' | 'requestId'>,
): AuditEvent => ({
  type: 'accepted',
  ...ofOperation(operation),
  ...by,
  action: 'cancelOperation',
  things: [],
  vendorRequestIds: [],
});

/** What an item ended with, and the vendor's names of the requests that did it. */
export interface Settled {
  readonly name: string;
  readonly outcome: ItemOutcome;
  readonly vendorRequestIds: readonly string[];
}

/** One event for each call to the vendor. */
export const settledEvents = (operation: OperationRecord, all: readonly Settled[]): AuditEvent[] => {
  const calls = new Map<string, Settled[]>();
  for (const settled of all) {
    const call = settled.vendorRequestIds.join(' ');
    calls.set(call, [...(calls.get(call) ?? []), settled]);
  }
  return [...calls.values()].map((items) => ({
    type: 'settled',
    ...ofOperation(operation),
    things: items.map(({ name, outcome }) => ({ name, status: outcome.status })),
    vendorRequestIds: items[0]?.vendorRequestIds ?? [],
  }));
};
