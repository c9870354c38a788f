import { restoreError } from '../../../src/errors.js';
import type { ItemResult, Operation, OperationHead, User } from '../../../src/model.js';
import type { Operations } from '../../../src/service/operations/operations.js';
import {
  doneOf,
  type ItemOutcome,
  type ItemRecord,
  isFinal,
  type LoadedOperation,
  type OperationRecord,
} from '../../../src/service/operations/records.js';
import type { Handlers } from '../operations.js';
import { toProblem } from '../problem.js';

const POLL_SECONDS = 2;

const pathOf = ({ id }: Pick<OperationRecord, 'id'>): string => `/operations/${id}`;

/** The user without the vendor's own fields. */
export const plain = (user: User): User => ({ ...user, vendor: { name: user.vendor.name, userId: user.vendor.userId } });

/** @param instance the path that a problem is told of */
export const toResult = (
  { index, username, op }: Pick<ItemRecord, 'index' | 'username' | 'op'>,
  { status, user, error }: ItemOutcome,
  instance: string,
  requestId: string,
): ItemResult => ({
  index,
  username,
  op,
  status,
  ...(user && { user: plain(user) }),
  ...(error && { problem: toProblem(restoreError(error), instance, requestId) }),
});

export const resultsOf = (operation: LoadedOperation): ItemResult[] =>
  operation.items.flatMap((item) => (item.outcome ? [toResult(item, item.outcome, pathOf(operation), operation.requestId)] : []));

const toHead = (record: OperationRecord): OperationHead => {
  const { id, kind, clusterId, state, total, summary, createdAt, updatedAt, finishedAt } = record;
  const self = pathOf(record);
  const links = {
    self,
    cluster: `/clusters/${encodeURIComponent(clusterId)}`,
    ...(!isFinal(record) && { cancel: `${self}/cancel` }),
  };
  const progress = { done: doneOf(summary), total };
  return { id, kind, clusterId, state, progress, summary, createdAt, updatedAt, finishedAt, links };
};

const toOperation = (operation: LoadedOperation): Operation => ({ ...toHead(operation), results: resultsOf(operation) });

const retryLater = { 'Retry-After': String(POLL_SECONDS) };

export const accepted = (operation: LoadedOperation) => ({
  status: 202 as const,
  body: toOperation(operation),
  headers: { Location: pathOf(operation), ...retryLater },
});

type Served = 'listOperations' | 'getOperation' | 'cancelOperation';

export const operationHandlers = (operations: Operations): Pick<Handlers, Served> => ({
  listOperations: async ({ query }) => {
    const { limit = 50, cursor: after, clusterId, state } = query;
    const { operations: items, next } = await operations.list({ clusterId, state, after, limit });
    return { status: 200, body: { items: items.map(toHead), nextCursor: next } };
  },

  getOperation: async ({ params }) => {
    const operation = await operations.get(params.operationId);
    return { status: 200, body: toOperation(operation), ...(!isFinal(operation) && { headers: retryLater }) };
  },

  cancelOperation: async ({ params, submission }) => {
    const operation = await operations.cancel(params.operationId, submission.patience);
    return isFinal(operation) ? { status: 200, body: toOperation(operation) } : accepted(operation);
  },
});
