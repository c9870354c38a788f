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
import type { Links } from '../base.js';
import type { Handlers } from '../operations.js';
import { applying } from '../prefer.js';
import { type About, operationPath, toProblem } from '../problem.js';
import { millisecondsOf } from '../times.js';

const POLL_SECONDS = 2;

/** The user without the vendor's own fields. */
export const plain = (user: User): User => ({ ...user, vendor: { name: user.vendor.name, userId: user.vendor.userId } });

export const toResult = (
  { index, name, op }: Pick<ItemRecord, 'index' | 'name' | 'op'>,
  { status, value, error }: ItemOutcome,
  about: About,
): ItemResult => ({
  index,
  username: name,
  op,
  status,
  ...(value && { user: plain(value as User) }),
  ...(error && { problem: toProblem(restoreError(error), about) }),
});

export const resultsOf = ({ id, requestId, items }: LoadedOperation, links: Links): ItemResult[] => {
  const about = { instance: `/operations/${id}`, requestId, links };
  return items.flatMap((item) => (item.outcome ? [toResult(item, item.outcome, about)] : []));
};

/** Of earlier versions nobody has counted them. */
export const callsOf = ({ calls }: Pick<OperationRecord, 'calls'>) => ({
  made: calls?.made ?? 0,
  expected: calls?.expected ?? null,
});

const toHead = (record: OperationRecord, links: Links): OperationHead => {
  const { id, clusterId, caller, state, total, summary, createdAt, updatedAt, finishedAt } = record;
  const vendorCalls = callsOf(record);
  const kind = record.kind as OperationKind;
  const self = operationPath(id, links);
  const done = isFinal(record);
  const own = {
    self,
    cluster: links.to(`/clusters/${encodeURIComponent(clusterId)}`),
    ...(!done && { cancel: `${self}/cancel` }),
  };
  const progress = { settled: settledOf(summary), total };
  return {
    id,
    kind,
    clusterId,
    caller,
    state,
    done,
    progress,
    summary,
    vendorCalls,
    createdAt,
    updatedAt,
    finishedAt,
    links: own,
  };
};

const toOperation = (operation: LoadedOperation, links: Links): Operation => ({
  ...toHead(operation, links),
  results: resultsOf(operation, links),
});

const retryLater = { 'Retry-After': String(POLL_SECONDS) };

export const accepted = (operation: LoadedOperation, links: Links) => ({
  status: 202 as const,
  body: toOperation(operation, links),
  headers: { Location: operationPath(operation.id, links), ...retryLater },
});

/** Why a request that waited for an operation has no result of it. @param what was accepted, and how it continues */
const stillRunning = ({ id }: LoadedOperation, links: Links, what: string): GatewayError =>
  new GatewayError('still_running', `${what} GET ${operationPath(id, links)} reports how far it is.`, {
    operation: id,
    retryAfterMs: POLL_SECONDS * 1000,
  });

export const writeStillRunning = (operation: LoadedOperation, links: Links): GatewayError =>
  stillRunning(
    operation,
    links,
    `The write was accepted and continues as operation ${operation.id}; it did not end within this request. Repeating the same request is safe: while that operation is open, the repetition joins it.`,
  );

const cancelStillRunning = (operation: LoadedOperation, links: Links): GatewayError =>
  stillRunning(
    operation,
    links,
    `The cancellation of operation ${operation.id} was accepted; items already sent complete first, which did not end within this request. Repeating the same request is safe.`,
  );

type Served = 'listOperations' | 'getOperation' | 'cancelOperation';

export const operationHandlers = (operations: Operations): Pick<Handlers, Served> => ({
  listOperations: async ({ query, call, links }) => {
    const { limit = 50, username: name, from, to, ...filters } = query;
    const times = { fromMs: millisecondsOf('from', from), toMs: millisecondsOf('to', to) };
    const { operations: items, next } = await operations.list({ ...filters, ...times, name, limit }, call);
    return { status: 200, body: { items: items.map((item) => toHead(item, links)), nextCursor: next } };
  },

  getOperation: async ({ params: { operationId }, call, links, submission: { preference, patience } }) => {
    const { waitMs } = preference;
    const operation = await (waitMs === undefined
      ? operations.get(operationId, call)
      : operations.watch(operationId, patience, call));
    const headers = { ...(!isFinal(operation) && retryLater), ...applying({ waitMs }) };
    return { status: 200, body: toOperation(operation, links), headers };
  },

  cancelOperation: async ({ params, call, links, submission: { preference, patience } }) => {
    const operation = await operations.cancel(params.operationId, patience, call);
    const headers = applying(preference);
    if (isFinal(operation)) return { status: 200, body: toOperation(operation, links), headers };
    if (!preference.respondAsync) throw cancelStillRunning(operation, links);
    const answer = accepted(operation, links);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  },
});
