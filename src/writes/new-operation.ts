import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CallerCall } from '../callers/caller.js';
import type { Clock } from '../clock.js';
import { type ItemRecord, keyOf, type LoadedOperation, type OperationRecord, summarise } from '../journal/records.js';
import type { RequestReference } from '../journal/requests.js';
import type { Secret } from '../secret.js';
import type { Encryptor, OwnKey } from '../store/encryptor.js';

/** An item as a caller wants it, with its secret not sealed yet. */
export type NewItem = Omit<ItemRecord, 'index' | 'secret'> & { readonly secret?: Secret };

export interface NewOperation
  extends Pick<OperationRecord, 'resource' | 'kind' | 'isBatch' | 'clusterId' | 'cluster' | 'domain' | 'vendor'> {
  /** About how many calls to the vendor it will need. */
  readonly expectedCalls?: number;
  readonly items: readonly NewItem[];
  readonly stopOnError?: boolean;
}

/** The circumstances of a request that writes. */
export interface Submission {
  readonly call: CallerCall;
  /** Of the request. */
  readonly path: string;
  /** The caller is answered when this aborts, whether the operation has ended or not. */
  readonly patience: AbortSignal;
  /** By which a repetition finds the operation. */
  readonly reference?: RequestReference;
}

/** Sorts by time. */
const newId = (at: number): string => `op_${at.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`;

/** Items whose secrets are sealed in one turn of the event loop. */
const SEALED_AT_ONCE = 200;

const sealAll = async (items: readonly NewItem[], id: string, encryptor: Encryptor) => {
  const ownKeys = new Map<number, OwnKey>();
  const sealed: ItemRecord[] = [];
  for (const [index, { secret, ...item }] of items.entries()) {
    if (index > 0 && index % SEALED_AT_ONCE === 0) await nextTurn();
    if (secret === undefined || item.outcome) {
      sealed.push({ ...item, index });
      continue;
    }
    const seal = encryptor.seal(secret, keyOf.item(id, index));
    ownKeys.set(index, seal.ownKey);
    sealed.push({ ...item, index, secret: seal.sealed });
  }
  return { items: sealed, ownKeys };
};

/** The record of an operation that nobody works on yet, with its secrets sealed. */
export const toRecord = async (
  { items, stopOnError = false, expectedCalls, ...asked }: NewOperation,
  { call, path, reference }: Submission,
  { encryptor, clock, process }: { readonly encryptor: Encryptor; readonly clock: Clock; readonly process: string },
): Promise<LoadedOperation> => {
  const now = Math.floor(clock.now());
  const id = newId(now);
  const at = new Date(now).toISOString();
  return {
    id,
    ...asked,
    // The store gives it its place.
    order: 0,
    state: 'pending',
    total: items.length,
    summary: summarise(items.flatMap(({ outcome }) => outcome ?? [])),
    stopOnError,
    cancelling: false,
    ...(expectedCalls !== undefined && { calls: { made: 0, expected: expectedCalls } }),
    process,
    caller: call.caller.id,
    address: call.address,
    ...(reference && { request: reference.id }),
    requestId: call.requestId,
    path,
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
    ...(await sealAll(items, id, encryptor)),
  };
};
