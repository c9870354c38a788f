/** The right to change an operation, and what the journal returns of a change. */
import type { Value } from '../store/store.js';
import { OwnershipLost } from './holding.js';
import type { ClusterRef, DomainRecord, ItemRecord } from './records.js';

/** What is in the journal after a change. */
export interface Stored {
  readonly items: readonly ItemRecord[];
  /** Somebody asked for the operation to be stopped. */
  readonly isCancelling: boolean;
}

/** An item, and what it is about. */
export type ItemRef = Pick<ItemRecord, 'index' | 'name'>;

/** The right to change an operation that this process works on. */
export interface Claim {
  readonly id: string;
  readonly domain: string;
  readonly epoch: number;
  /** A failover of the store may give an epoch twice. */
  readonly process: string;
  readonly resource: string;
  readonly cluster: ClusterRef;
}

/** @throws OwnershipLost where another process has taken the domain since */
export const requireEpoch = ({ epoch, process }: Claim, domain: Value | undefined): string => {
  const record = domain as DomainRecord | undefined;
  if (record?.epoch !== epoch || record.process !== process) throw new OwnershipLost();
  return process;
};
