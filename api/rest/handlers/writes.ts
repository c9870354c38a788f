import { GatewayError, restoreError } from '../../../src/errors.js';
import { type ItemOutcome, type ItemRecord, isFinal, type LoadedOperation, summarise } from '../../../src/journal/records.js';
import type { BatchResult, OperationKind, User } from '../../../src/model.js';
import { Secret, withSecret } from '../../../src/secret.js';
import type { UserCommands } from '../../../src/users/commands.js';
import { entityTag } from '../../../src/users/entity-tag.js';
import type { UserItem } from '../../../src/users/items.js';
import type { Links } from '../base.js';
import { eitherOf } from '../either.js';
import type { Handlers, PreferredSubmission } from '../operations.js';
import { applying } from '../prefer.js';
import { accepted, callsOf, plain, resultsOf, toResult, writeStillRunning } from './operations.js';

const userPath = (clusterId: string, username: string, links: Links): string =>
  links.to(`/clusters/${encodeURIComponent(clusterId)}/users/${encodeURIComponent(username)}`);

export const tagged = (user: User) => ({ ETag: entityTag(user) });

/** What a write to one user came to. @throws why it was not made */
const settled = ({ id, items: [item] }: LoadedOperation): ItemOutcome => {
  const outcome = item?.outcome;
  if (outcome?.error) throw restoreError(outcome.error);
  if (!outcome || outcome.status === 'cancelled')
    throw new GatewayError('operation_cancelled', `The operation ${id} was cancelled before it was sent. Nothing was changed.`);
  return outcome;
};

/** A user who could not be read after the write has no entity tag: what is known of him is not all. */
const shown = (operation: LoadedOperation) => {
  const { value, unread } = settled(operation);
  const user = value as User;
  return { user: plain(user), tag: unread ? {} : tagged(user) };
};

const created = (operation: LoadedOperation, links: Links) => {
  const { user, tag } = shown(operation);
  return { status: 201 as const, body: user, headers: { Location: userPath(user.clusterId, user.username, links), ...tag } };
};

const updated = (operation: LoadedOperation) => {
  const { user, tag } = shown(operation);
  return { status: 200 as const, body: user, headers: tag };
};

const ensured = (operation: LoadedOperation, links: Links) =>
  settled(operation).status === 'created' ? created(operation, links) : updated(operation);

const noContent = (operation: LoadedOperation) => {
  settled(operation);
  return { status: 204 as const, headers: {} };
};

const batchResult = (operation: LoadedOperation, links: Links) => ({
  status: 200 as const,
  headers: {},
  body: {
    operationId: operation.id,
    dryRun: false,
    summary: operation.summary,
    vendorCalls: callsOf(operation),
    results: resultsOf(operation, links),
  } satisfies BatchResult,
});

/** The answer to a write whose operation has ended, of whatever kind. @throws why a write to one user was not made */
export const replyOf = (operation: LoadedOperation, links: Links) => {
  switch (operation.kind as OperationKind) {
    case 'createUser':
      return created(operation, links);
    case 'ensureUser':
      return ensured(operation, links);
    case 'updateUser':
      return updated(operation);
    case 'setUserPassword':
    case 'deleteUser':
      return noContent(operation);
    case 'batchUsers':
      return batchResult(operation, links);
  }
};

/** The media type of what would become of one user: nobody takes it for the user. */
const DRY_RUN = 'application/vnd.hpc-gateway.dry-run+json';

type Write = 'createUser' | 'ensureUser' | 'updateUser' | 'deleteUser' | 'setUserPassword' | 'batchUsers' | 'startOperation';

type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>> };

/** The answer to a write that has ended; before that 202 for callers that ask for it. @throws still_running for all others */
export const replyTo =
  <Reply extends Answer>(
    ended: (operation: LoadedOperation, links: Links) => Reply,
    { preference, links, onOperation }: PreferredSubmission,
  ) =>
  (operation: LoadedOperation) => {
    onOperation(operation.id);
    if (!isFinal(operation) && !preference.respondAsync) throw writeStillRunning(operation, links);
    const answer = isFinal(operation) && !preference.isImplied ? ended(operation, links) : accepted(operation, links);
    return { ...answer, headers: { ...answer.headers, ...applying(preference) } };
  };

/** The user of a path, as long as the user is as `If-Match` says. */
const reference = (
  { clusterId, username }: { readonly clusterId: string; readonly username: string },
  { 'If-Match': ifMatch, 'If-None-Match': ifNoneMatch }: { readonly 'If-Match'?: string; readonly 'If-None-Match'?: string },
) => ({
  clusterId,
  username,
  ...(ifMatch !== undefined && { ifMatch }),
  ...(ifNoneMatch !== undefined && { isNew: true }),
});

type Result = Pick<ItemRecord, 'op' | 'name'> & { readonly outcome: ItemOutcome };

/** The answer to a dry run. */
const rehearsed = (
  results: readonly Result[],
  vendorCalls: BatchResult['vendorCalls'],
  { url, submission: { call, links } }: Pick<Asked, 'url' | 'submission'>,
) => {
  const about = { instance: url.split('?')[0] ?? url, requestId: call.requestId, links };
  return {
    status: 200 as const,
    headers: {},
    body: {
      operationId: null,
      dryRun: true,
      summary: summarise(results.map(({ outcome }) => outcome)),
      vendorCalls,
      results: results.map(({ outcome, ...item }, index) => toResult({ ...item, index }, outcome, about)),
    } satisfies BatchResult,
  };
};

interface Asked {
  readonly params: { readonly clusterId: string };
  readonly query: { readonly dryRun?: boolean };
  readonly url: string;
  readonly submission: PreferredSubmission;
}

export const writeHandlers = (commands: UserCommands): Pick<Handlers, Write> => {
  /** The write, or what would become of it. */
  const written = async <Reply extends Answer>(
    asked: Asked,
    item: UserItem,
    write: () => Promise<LoadedOperation>,
    ended: (operation: LoadedOperation, links: Links) => Reply,
  ) => {
    const { params, query, submission } = asked;
    if (query.dryRun !== true) return replyTo(ended, submission)(await write());
    const { call } = submission;
    const tally = { calls: 0 };
    const { outcomes, expectedCalls } = await commands.rehearseOne(params.clusterId, item, { ...call, tally });
    const results = outcomes.map((outcome) => ({ op: item.op, name: item.username, outcome }));
    return { ...rehearsed(results, { made: tally.calls, expected: expectedCalls }, asked), type: DRY_RUN };
  };

  return {
    createUser: (input) => {
      const { params, submission } = input;
      const user = withSecret(input.body);
      const write = () => commands.create(params.clusterId, user, submission);
      return written(input, { op: 'create', ...user }, write, created);
    },

    ensureUser: (input) => {
      const { params, headers, submission } = input;
      const wanted = withSecret(input.body);
      const write = () => commands.ensure(reference(params, headers), wanted, submission);
      return written(input, { op: 'ensure', username: params.username, ...wanted }, write, ensured);
    },

    updateUser: (input) => {
      const { params, headers, body, submission } = input;
      const write = () => commands.setRole(reference(params, headers), body.role, submission);
      return written(input, { op: 'update', username: params.username, ...body }, write, updated);
    },

    setUserPassword: (input) => {
      const { params, headers, body, submission } = input;
      const password = new Secret(body.password);
      const write = () => commands.setPassword(reference(params, headers), password, submission);
      return written(input, { op: 'update', username: params.username, password }, write, noContent);
    },

    deleteUser: (input) => {
      const { params, headers, submission } = input;
      const write = () => commands.delete(reference(params, headers), submission);
      return written(input, { op: 'delete', username: params.username }, write, noContent);
    },

    startOperation: async ({ params: { clusterId }, body, submission, links }) => {
      const { items, stopOnError = false } = body;
      const operation = await commands.batch(
        clusterId,
        { items: items.map((item) => withSecret(item)), stopOnError },
        submission,
      );
      submission.onOperation(operation.id);
      return accepted(operation, links);
    },

    batchUsers: async ({ params: { clusterId }, query, body, url, call, submission }) => {
      const request = body as Exclude<typeof body, string>;
      const batch = {
        items: request.items.map((item) => withSecret(item)),
        stopOnError: eitherOf('stopOnError', query, request),
      };
      if (!eitherOf('dryRun', query, request))
        return commands.batch(clusterId, batch, submission).then(replyTo(batchResult, submission));
      const tally = { calls: 0 };
      const { outcomes, expectedCalls } = await commands.rehearse(clusterId, batch, { ...call, tally });
      const results = batch.items.map(({ op, username }, index) => ({
        op,
        name: username,
        outcome: outcomes[index] as ItemOutcome,
      }));
      return rehearsed(results, { made: tally.calls, expected: expectedCalls }, { url, submission });
    },
  };
};
