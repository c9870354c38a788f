import { GatewayError, restoreError } from '../../../src/errors.js';
import {
  type ItemOutcome,
  type ItemRecord,
  isFinal,
  type LoadedOperation,
  type OperationRecord,
  settledOf,
} from '../../../src/journal/records.js';
import type { ItemResult, Operation, OperationHead, OperationKind, User } from '../../../src/model.js';
import type { Operations } from '../../../src/writes/operations.js';
import { linkTo } from '../base.js';
import type { Handlers } from '../operations.js';
import { applying } from '../prefer.js';
import { operationPath, toProblem } from '../problem.js';
import { millisecondsOf } from '../times.js';

const POLL_SECONDS = 2;

/** The user without the vendor's own fields. */
export const plain = (user: User): User => ({ ...user, vendor: { name: user.vendor.name, userId: user.vendor.userId } });

/** @param instance the path that a problem is about */
export const toResult = (
  { index, name, op }: Pick<ItemRecord, 'index' | 'name' | 'op'>,
  { status, value, error }: ItemOutcome,
  instance: string,
  requestId: string,
): ItemResult => ({
  index,
  username: name,
  op,
  status,
  ...(value && { user: plain(value as User) }),
  ...(error && { problem: toProblem(restoreError(error), instance, requestId) }),
});

export const resultsOf = (operation: LoadedOperation): ItemResult[] =>
  operation.items.flatMap((item) =>
    item.outcome ? [toResult(item, item.outcome, `/operations/${operation.id}`, operation.requestId)] : [],
  );

/** Of earlier versions nobody has counted them. */
export const callsOf = ({ calls }: Pick<OperationRecord, 'calls'>) => ({
  made: calls?.made ?? 0,
  expected: calls?.expected ?? null,
});

const toHead = (record: OperationRecord): OperationHead => {
  const { id, clusterId, caller, state, total, summary, createdAt, updatedAt, finishedAt } = record;
  const vendorCalls = callsOf(record);
  const kind = record.kind as OperationKind;
  const self = operationPath(id);
  const done = isFinal(record);
  const links = {
    self,
    cluster: linkTo(`/clusters/${encodeURIComponent(clusterId)}`),
    ...(!done && { cancel: `${self}/cancel` }),
  };
  const progress = { settled: settledOf(summary), total };
  return { id, kind, clusterId, caller, state, done, progress, summary, vendorCalls, createdAt, updatedAt, finishedAt, links };
};

const toOperation = (operation: LoadedOperation): Operation => ({ ...toHead(operation), results: resultsOf(operation) });

const retryLater = { 'Retry-After': String(POLL_SECONDS) };

export const accepted = (operation: LoadedOperation) => ({
  status: 202 as const,
  body: toOperation(operation),
  headers: { Location: operationPath(operation.id), ...retryLater },
});

/** Why a request that waited for an operation has no result of it. @param what was accepted, and how it continues */
const stillRunning = ({ id }: LoadedOperation, what: string): GatewayError =>
  new GatewayError('still_running', `${what} GET ${operationPath(id)} reports how far it is.`, {
    operation: id,
    retryAfterMs: POLL_SECONDS * 1000,
  });

export const writeStillRunning = (operation: LoadedOperation): GatewayError =>
  stillRunning(
    operation,
    `The write was accepted and continues as operation ${operation.id}; it did not end within this request. Repeating the same request is safe: while that operation is open, the repetition joins it.`,
  );

const cancelStillRunning = (operation: LoadedOperation): GatewayError =>
  stillRunning(
    operation,
    `The cancellation of operation ${operation.id} was accepted; items already sent complete first, which did not end within this request. Repeating the same request is safe.`,
  );

type Served = 'listOperations' | 'getOperation' | 'cancelOperation';

export const operationHandlers = (operations: Operations): Pick<Handlers, Served> => ({
  listOperations: async ({ query, call }) => {
    const { limit = 50, username: name, from, to, ...filters } = query;
    const times = { fromMs: millisecondsOf('from', from), toMs: millisecondsOf('to', to) };
    const { operations: items, next } = await operations.list({ ...filters, ...times, name, limit }, call);
    return { status: 200, body: { items: items.map(toHead), nextCursor: next } };
  },

  getOperation: async ({ params: { operationId }, call, submission: { preference, patience } }) => {
    const { waitMs } = preference;
    const operation = await (waitMs === undefined
      ? operations.get(operationId, call)
      : operations.watch(operationId, patience, call));
    const headers = { ...(!isFinal(operation) && retryLater), ...applying({ waitMs }) };
    return { status: 200, body: toOperation(operation), headers };
  },

  cancelOperation: async ({ params, call, submission: { preference, patience } }) => {
    const operation = await operations.cancel(params.operationId, patience, call);
    const headers = applying(preference);
    if (isFinal(operation)) return { status: 200, body: toOperation(operation), headers };
    if (!preference.respondAsync) throw cancelStillRunning(operation);
    const answer = accepted(operation);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  },
});
