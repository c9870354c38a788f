/** Writes to users, as operations. */
import type { Call, NewUser } from '../adapter.js';
import { clusterRefOf, type Target } from '../clusters/registry.js';
import { GatewayError } from '../errors.js';
import { type ItemOutcome, isDone, type LoadedOperation } from '../journal/records.js';
import type { BatchItem, OperationKind, Role, UserCreate } from '../model.js';
import type { Intake } from '../writes/intake.js';
import type { NewItem, Submission } from '../writes/new-operation.js';
import type { Admission, Requirement } from './admission.js';
import { findUsers, incompleteList } from './find.js';
import { USERS } from './resource.js';
import { checkNewUser, checkPassword, checkRole, checkUsername } from './rules.js';
import type { StepName, UserContent } from './steps/step.js';
import { failedWith } from './steps/wording.js';

export interface Batch {
  readonly items: readonly BatchItem[];
  readonly stopOnError: boolean;
}

/** A write to a user that is there, as long as the user is as the caller saw it. */
export interface UserReference {
  readonly clusterId: string;
  readonly username: string;
  /** Entity tags, as in `If-Match`. */
  readonly ifMatch?: string;
}

/** Each write answers its operation, which may not be over. */
export interface UserCommands {
  create(clusterId: string, user: UserCreate, submission: Submission): Promise<LoadedOperation>;
  setRole(user: UserReference, role: Role, submission: Submission): Promise<LoadedOperation>;
  setPassword(user: UserReference, password: string, submission: Submission): Promise<LoadedOperation>;
  delete(user: UserReference, submission: Submission): Promise<LoadedOperation>;
  batch(clusterId: string, batch: Batch, submission: Submission): Promise<LoadedOperation>;
  /** What would become of each item: all checks, names against the cluster's users too, and no write. */
  rehearse(clusterId: string, batch: Batch, call: Call): Promise<ItemOutcome[]>;
}

const nothing = (): void => undefined;

const toNewUser = ({ username, password, role = 'member', directoryMode }: UserCreate): NewUser => ({
  username,
  password,
  role,
  ...(directoryMode !== undefined && { directoryMode }),
});

const createItem = ({ username, password, role, directoryMode }: NewUser): NewItem => {
  const content: UserContent = { role, ...(directoryMode !== undefined && { directoryMode }) };
  return { op: 'create', name: username, content, secret: password, steps: ['create' satisfies StepName] };
};

/** Of an update of both the role comes first. */
const updateItem = ({ username, role, password }: { username: string; role?: Role; password?: string }): NewItem => {
  const steps: StepName[] = [
    ...(role === undefined ? [] : (['setRole'] as const)),
    ...(password === undefined ? [] : (['setPassword'] as const)),
  ];
  const content: UserContent = role === undefined ? {} : { role };
  return { op: 'update', name: username, content, ...(password !== undefined && { secret: password }), steps };
};

const deleteItem = ({ username }: { username: string }): NewItem => ({
  op: 'delete',
  name: username,
  steps: ['delete' satisfies StepName],
});

const toItem = (item: BatchItem): NewItem => {
  switch (item.op) {
    case 'create':
      return createItem(toNewUser(item));
    case 'update':
      return updateItem(item);
    case 'delete':
      return deleteItem(item);
  }
};

const requirementOf = (item: BatchItem): Requirement => {
  switch (item.op) {
    case 'create':
      return { features: ['create'], check: (capabilities) => checkNewUser(toNewUser(item), capabilities) };
    case 'update': {
      const { username, role, password } = item;
      return {
        features: [
          ...(role === undefined ? [] : (['setRole'] as const)),
          ...(password === undefined ? [] : (['setPassword'] as const)),
        ],
        check: (capabilities) => {
          checkUsername(username);
          if (role !== undefined) checkRole(role, capabilities);
          if (password !== undefined) checkPassword(password, capabilities);
        },
      };
    }
    case 'delete':
      return { features: ['delete'], check: () => checkUsername(item.username) };
  }
};

/** A refusal of one item, pointing into the body that holds it. */
const inItem = (error: GatewayError, index: number): GatewayError =>
  new GatewayError(error.code, error.message, {
    ...(error.errors && {
      errors: error.errors.map(({ pointer, message }) => ({ pointer: `/items/${index}${pointer}`, message })),
    }),
  });

export const createUserCommands = (admission: Admission, intake: Intake): UserCommands => {
  const conditional = ({ ifMatch }: UserReference) => ifMatch !== undefined && { ifMatch };

  const submit = (
    kind: OperationKind,
    target: Target,
    items: readonly NewItem[],
    submission: Submission,
    stopOnError = false,
  ): Promise<LoadedOperation> =>
    intake(
      {
        resource: USERS,
        kind,
        isBatch: kind === 'batchUsers',
        clusterId: target.id,
        cluster: clusterRefOf(target),
        domain: target.account.domain,
        items,
        stopOnError,
      },
      submission,
    );

  const admitBatch = async (clusterId: string, items: readonly BatchItem[], call: Call) => {
    const { target, refusals } = await admission.admitAll(clusterId, items.map(requirementOf), call);
    const outcomes = items.map((_, index): ItemOutcome | undefined => {
      const refusal = refusals.get(index);
      return refusal && failedWith(inItem(refusal, index), 'refused');
    });
    return { target, outcomes };
  };

  return {
    create: async (clusterId, body, submission) => {
      const user = toNewUser(body);
      const requirement: Requirement = { features: ['create'], check: (capabilities) => checkNewUser(user, capabilities) };
      const target = await admission.admit(clusterId, requirement, submission.call);
      return submit('createUser', target, [createItem(user)], submission);
    },

    setRole: async (user, role, submission) => {
      const requirement: Requirement = { features: ['setRole'], check: (capabilities) => checkRole(role, capabilities) };
      const target = await admission.admit(user.clusterId, requirement, submission.call);
      const item = updateItem({ username: user.username, role });
      return submit('updateUser', target, [{ ...item, ...conditional(user) }], submission);
    },

    setPassword: async (user, password, submission) => {
      const requirement: Requirement = {
        features: ['setPassword'],
        check: (capabilities) => checkPassword(password, capabilities),
      };
      const target = await admission.admit(user.clusterId, requirement, submission.call);
      const item = updateItem({ username: user.username, password });
      return submit('setUserPassword', target, [{ ...item, ...conditional(user) }], submission);
    },

    delete: async (user, submission) => {
      const target = await admission.admit(user.clusterId, { features: ['delete'], check: nothing }, submission.call);
      return submit('deleteUser', target, [{ ...deleteItem(user), ...conditional(user) }], submission);
    },

    batch: async (clusterId, { items, stopOnError }, submission) => {
      const { target, outcomes } = await admitBatch(clusterId, items, submission.call);
      const refused = outcomes.findIndex((outcome) => outcome !== undefined);
      const kept = items.map((item, index): NewItem => {
        // Where an error stops all after it, the first one does.
        const outcome = stopOnError && index !== refused ? undefined : outcomes[index];
        return { ...toItem(item), ...(outcome && { outcome }) };
      });
      return submit('batchUsers', target, kept, submission, stopOnError);
    },

    rehearse: async (clusterId, { items, stopOnError }, call) => {
      const { target, outcomes } = await admitBatch(clusterId, items, call);
      const names = new Set(items.filter((_, index) => !outcomes[index]).map(({ username }) => username));
      const { found, complete } = await findUsers(target, [...names], call);
      if (!complete) throw incompleteList(target);
      const there = new Set([...found].filter(([, user]) => user !== null).map(([username]) => username));
      let stopped = false;
      return items.map(({ op, username }, index): ItemOutcome => {
        if (stopped) return { status: 'cancelled' };
        const outcome = outcomes[index] ?? foresee(op, there.has(username));
        if (outcome.status === 'created') there.add(username);
        if (outcome.status === 'deleted') there.delete(username);
        stopped = stopOnError && !isDone(outcome);
        return outcome;
      });
    },
  };
};

const foresee = (op: BatchItem['op'], isThere: boolean): ItemOutcome => {
  if (op === 'create') return { status: isThere ? 'already_exists' : 'created' };
  if (!isThere) return { status: 'not_found' };
  return { status: op === 'update' ? 'updated' : 'deleted' };
};
