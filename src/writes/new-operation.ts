import { randomBytes } from 'node:crypto';
import type { Call } from '../adapter.js';
import type { Target } from '../clusters/registry.js';
import type { RequestReference } from '../idempotency/record.js';
import { type ItemRecord, keyOf, type LoadedOperation, placeOf, summarise } from '../journal/records.js';
import type { OperationKind } from '../model.js';
import type { Vault } from '../store/vault.js';

/** An item as a caller wants it, with its password in the clear. */
export type NewItem = Omit<ItemRecord, 'index' | 'password'> & { readonly password?: string };

export interface NewOperation {
  readonly kind: OperationKind;
  readonly target: Target;
  readonly items: readonly NewItem[];
  readonly stopOnError?: boolean;
}

/** The circumstances of a request that writes. */
export interface Submission {
  readonly call: Call;
  /** Of the request. */
  readonly path: string;
  /** The caller is answered when this aborts, whether the operation has ended or not. */
  readonly patience: AbortSignal;
  /** By which a repetition finds the operation. */
  readonly reference?: RequestReference;
}

/** Sorts by time. */
const newId = (): string => `op_${Date.now().toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`;

/** The record of an operation that nobody works on yet, with its passwords sealed. */
export const toRecord = (
  { kind, target, items, stopOnError = false }: NewOperation,
  { call, path, reference }: Submission,
  { vault, process }: { readonly vault: Vault; readonly process: string },
): LoadedOperation => {
  const id = newId();
  const at = new Date().toISOString();
  return {
    id,
    kind,
    clusterId: target.id,
    place: placeOf(target),
    state: 'pending',
    total: items.length,
    summary: summarise(items.flatMap(({ outcome }) => outcome ?? [])),
    stopOnError,
    cancelling: false,
    domain: target.account.domain,
    process,
    ...(reference && { request: reference.id }),
    requestId: call.requestId,
    path,
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
    items: items.map(({ password, ...item }, index) => ({
      ...item,
      index,
      ...(password !== undefined && !item.outcome && { password: vault.seal(password, keyOf.item(id, index)) }),
    })),
  };
};
