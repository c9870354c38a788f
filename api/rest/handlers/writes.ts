import { restoreError } from '../../../src/errors.js';
import type { BatchResult, User } from '../../../src/model.js';
import type { Changes } from '../../../src/service/changes.js';
import { isFinal, type LoadedOperation, summarise } from '../../../src/service/operations/records.js';
import { entityTag } from '../../../src/service/user.js';
import type { Handlers } from '../operations.js';
import { accepted, plain, resultsOf, toResult } from './operations.js';

const userPath = (clusterId: string, username: string): string =>
  `/clusters/${encodeURIComponent(clusterId)}/users/${encodeURIComponent(username)}`;

export const tagged = (user: User) => ({ ETag: entityTag(user) });

/** The user that a write to one user came to, where there is one to show. @throws why it was not made */
const settledUser = ({ items: [item] }: LoadedOperation): User | undefined => {
  if (item?.outcome?.error) throw restoreError(item.outcome.error);
  return item?.outcome?.user;
};

/** A write that nobody sent: it was cancelled before. */
const wasNeverSent = ({ state, items }: LoadedOperation): boolean =>
  state === 'cancelled' && items.every(({ outcome }) => outcome?.status === 'cancelled');

const created = (operation: LoadedOperation) => {
  const user = settledUser(operation) as User;
  return {
    status: 201 as const,
    body: plain(user),
    headers: { Location: userPath(user.clusterId, user.username), ...tagged(user) },
  };
};

const updated = (operation: LoadedOperation) => {
  const user = settledUser(operation) as User;
  return { status: 200 as const, body: plain(user), headers: tagged(user) };
};

const noContent = (operation: LoadedOperation) => {
  settledUser(operation);
  return { status: 204 as const };
};

const batchResult = (operation: LoadedOperation) => ({
  status: 200 as const,
  body: {
    operationId: operation.id,
    dryRun: false,
    summary: operation.summary,
    results: resultsOf(operation),
  } satisfies BatchResult,
});

const isOver = (operation: LoadedOperation): boolean =>
  isFinal(operation) && (operation.kind === 'batchUsers' || !wasNeverSent(operation));

/** The answer to a write whose operation is over, of whatever kind. @throws why a write to one user was not made */
export const replyOf = (operation: LoadedOperation) => {
  if (!isOver(operation)) return accepted(operation);
  switch (operation.kind) {
    case 'createUser':
      return created(operation);
    case 'updateUser':
      return updated(operation);
    case 'setUserPassword':
    case 'deleteUser':
      return noContent(operation);
    case 'batchUsers':
      return batchResult(operation);
  }
};

type Write = 'createUser' | 'updateUser' | 'deleteUser' | 'setUserPassword' | 'batchUsers';

export const writeHandlers = (changes: Changes): Pick<Handlers, Write> => {
  const reply =
    <Reply>(settled: (operation: LoadedOperation) => Reply) =>
    (operation: LoadedOperation) =>
      isOver(operation) ? settled(operation) : accepted(operation);

  return {
    createUser: ({ params, body, submission }) => changes.create(params.clusterId, body, submission).then(reply(created)),

    updateUser: ({ params, headers, body, submission }) =>
      changes.setRole(reference(params, headers), body.role, submission).then(reply(updated)),

    setUserPassword: ({ params, headers, body, submission }) =>
      changes.setPassword(reference(params, headers), body.password, submission).then(reply(noContent)),

    deleteUser: ({ params, headers, submission }) =>
      changes.delete(reference(params, headers), submission).then(reply(noContent)),

    batchUsers: async ({ params: { clusterId }, query, body, url, call, submission }) => {
      const request = body as Exclude<typeof body, string>;
      const batch = { items: request.items, stopOnError: query.stopOnError ?? request.stopOnError };
      if (!(query.dryRun ?? request.dryRun)) return changes.batch(clusterId, batch, submission).then(reply(batchResult));
      const outcomes = await changes.rehearse(clusterId, batch, call);
      const path = url.split('?')[0] ?? url;
      const results = outcomes.map((outcome, index) =>
        toResult({ ...(batch.items[index] as (typeof batch.items)[number]), index }, outcome, path, call.requestId),
      );
      return { status: 200, body: { operationId: null, dryRun: true, summary: summarise(outcomes), results } };
    },
  };
};

const reference = (
  { clusterId, username }: { readonly clusterId: string; readonly username: string },
  { 'If-Match': ifMatch }: { readonly 'If-Match'?: string },
) => ({ clusterId, username, ...(ifMatch !== undefined && { ifMatch }) });
