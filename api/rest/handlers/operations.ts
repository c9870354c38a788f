import type { Operation } from '../../../src/model.js';
import type { OperationRecord, Operations } from '../../../src/service/operations.js';
import type { Handlers } from '../operations.js';
import { toProblem } from '../problem.js';

const POLL_SECONDS = 2;

const pathOf = ({ id }: OperationRecord): string => `/operations/${id}`;

const toOperation = ({ requestId, results, ...record }: OperationRecord): Operation => ({
  ...record,
  results: results.map(({ error, user, ...result }) => ({
    ...result,
    ...(user && { user: { ...user, vendor: { name: user.vendor.name, userId: user.vendor.userId } } }),
    ...(error && { problem: toProblem(error, `/operations/${record.id}`, requestId) }),
  })),
});

export const accepted = (operation: OperationRecord) => ({
  status: 202 as const,
  body: toOperation(operation),
  headers: { Location: pathOf(operation), 'Retry-After': String(POLL_SECONDS) },
});

export const operationHandlers = (operations: Operations): Pick<Handlers, 'getOperation'> => ({
  getOperation: ({ params }) => {
    const operation = operations.get(params.operationId);
    const open = operation.state === 'pending' || operation.state === 'running';
    return { status: 200, body: toOperation(operation), ...(open && { headers: { 'Retry-After': String(POLL_SECONDS) } }) };
  },
});
