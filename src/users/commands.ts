/** Writes to users, as operations. */
import type { Call, NewUser } from '../adapter.js';
import { clusterRefOf, type Target } from '../clusters/registry.js';
import { GatewayError } from '../errors.js';
import { type ItemOutcome, isDone, type LoadedOperation } from '../journal/records.js';
import type { BatchItem, OperationKind, Role, UserCreate } from '../model.js';
import type { Intake } from '../writes/intake.js';
import type { NewItem, Submission } from '../writes/new-operation.js';
import type { Admission, Requirement } from './admission.js';
import { after, type Known, type Plan, plannedRequirement, planOf, type Wanted, wantedRequirement } from './ensure.js';
import { findUsers, incompleteList } from './find.js';
import { USERS } from './resource.js';
import { checkNewUser, checkPassword, checkRole, checkUsername } from './rules.js';
import type { StepName, UserContent } from './steps/step.js';
import { failedWith, unchanged } from './steps/wording.js';

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
  /** Creates the user, or gives them the role. */
  ensure(clusterId: string, wanted: Wanted, submission: Submission): Promise<LoadedOperation>;
  /** What would become of one item. @throws what refuses it */
  rehearseOne(clusterId: string, item: BatchItem, call: Call): Promise<ItemOutcome>;
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

/** @param plan of an item to ensure */
const toItem = (item: BatchItem, plan: Plan | undefined): NewItem => {
  switch (item.op) {
    case 'ensure':
      return ensureItem(item.username, plan);
    case 'create':
      return createItem(toNewUser(item));
    case 'update':
      return updateItem(item);
    case 'delete':
      return deleteItem(item);
  }
};

/** What is to be done to the user; nothing where they are as wanted, or the item is refused. */
const ensureItem = (username: string, plan: Plan | undefined): NewItem => {
  const op = 'ensure' as const;
  if (plan?.kind === 'create') return { ...createItem(plan.user), op };
  if (plan?.kind === 'setRole') return { ...updateItem({ username, role: plan.role }), op };
  return { op, name: username, steps: [], ...(plan?.kind === 'unchanged' && { outcome: { status: 'unchanged' as const } }) };
};

const requirementOf = (item: BatchItem): Requirement => {
  switch (item.op) {
    case 'ensure':
      return wantedRequirement(item);
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

  /** The users as they are, where items depend on that. @throws vendor_bad_response where that cannot be said */
  const knownOf = async (target: Target, usernames: Iterable<string>, call: Call): Promise<Map<string, Known>> => {
    const { found, complete } = await findUsers(target, [...new Set(usernames)], call);
    if (!complete) throw incompleteList(target);
    return new Map([...found].map(([username, user]) => [username, user && { role: user.role, user }]));
  };

  /** Plans of the items to ensure, by position, as the items before them leave the users. */
  const planAll = async (target: Target, items: readonly BatchItem[], isRefused: (index: number) => boolean, call: Call) => {
    const ensured = items.filter(({ op }, index) => op === 'ensure' && !isRefused(index));
    const known = await knownOf(
      target,
      ensured.map(({ username }) => username),
      call,
    );
    const plans = new Map<number, Plan>();
    for (const [index, item] of items.entries()) {
      const { username } = item;
      if (isRefused(index) || !known.has(username)) continue;
      if (item.op === 'ensure') plans.set(index, planOf(item, known.get(username) ?? null));
      known.set(username, after(item, known.get(username) ?? null));
    }
    return plans;
  };

  const admitBatch = async (clusterId: string, items: readonly BatchItem[], call: Call) => {
    const { target, refusals } = await admission.admitAll(clusterId, items.map(requirementOf), call);
    const plans = await planAll(target, items, (index) => refusals.has(index), call);
    const later = [...plans.values()].map(plannedRequirement);
    const planned = later.length === 0 ? undefined : await admission.admitAll(clusterId, later, call);
    const positions = [...plans.keys()];
    const refusalOf = (index: number): GatewayError | undefined =>
      refusals.get(index) ?? planned?.refusals.get(positions.indexOf(index));
    const outcomes = items.map((_, index): ItemOutcome | undefined => {
      const refusal = refusalOf(index);
      return refusal && failedWith(inItem(refusal, index), 'refused');
    });
    return { target, outcomes, plans };
  };

  return {
    create: async (clusterId, body, submission) => {
      const user = toNewUser(body);
      const requirement: Requirement = { features: ['create'], check: (capabilities) => checkNewUser(user, capabilities) };
      const target = await admission.admit(clusterId, requirement, submission.call);
      return submit('createUser', target, [createItem(user)], submission);
    },

    ensure: async (clusterId, wanted, submission) => {
      const { call } = submission;
      const target = await admission.admit(clusterId, wantedRequirement(wanted), call);
      const known = await knownOf(target, [wanted.username], call);
      const plan = planOf(wanted, known.get(wanted.username) ?? null);
      await admission.admit(clusterId, plannedRequirement(plan), call);
      const item = ensureItem(wanted.username, plan);
      const shown = plan.kind === 'unchanged' && plan.user && { outcome: unchanged(plan.user, target) };
      return submit('ensureUser', target, [{ ...item, ...shown }], submission);
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
      const { target, outcomes, plans } = await admitBatch(clusterId, items, submission.call);
      const refused = outcomes.findIndex((outcome) => outcome !== undefined);
      const kept = items.map((item, index): NewItem => {
        // Where an error stops all after it, the first one does.
        const outcome = stopOnError && index !== refused ? undefined : outcomes[index];
        return { ...toItem(item, plans.get(index)), ...(outcome && { outcome }) };
      });
      return submit('batchUsers', target, kept, submission, stopOnError);
    },

    rehearseOne: async (clusterId, item, call) => {
      const target = await admission.admit(clusterId, requirementOf(item), call);
      const known = (await knownOf(target, [item.username], call)).get(item.username) ?? null;
      if (item.op === 'ensure') await admission.admit(clusterId, plannedRequirement(planOf(item, known)), call);
      return foresee(item, known);
    },

    rehearse: async (clusterId, { items, stopOnError }, call) => {
      const { target, outcomes } = await admitBatch(clusterId, items, call);
      const names = new Set(items.filter((_, index) => !outcomes[index]).map(({ username }) => username));
      const known = await knownOf(target, names, call);
      let stopped = false;
      return items.map((item, index): ItemOutcome => {
        if (stopped) return { status: 'cancelled' };
        const present = known.get(item.username) ?? null;
        const outcome = outcomes[index] ?? foresee(item, present);
        if (isDone(outcome)) known.set(item.username, after(item, present));
        stopped = stopOnError && !isDone(outcome);
        return outcome;
      });
    },
  };
};

const PLANNED = { create: 'created', setRole: 'updated', unchanged: 'unchanged', needs_password: 'refused' } as const;

const foresee = (item: BatchItem, known: Known): ItemOutcome => {
  const { op } = item;
  if (op === 'ensure') return { status: PLANNED[planOf(item, known).kind] };
  if (op === 'create') return { status: known ? 'already_exists' : 'created' };
  if (!known) return { status: 'not_found' };
  return { status: op === 'update' ? 'updated' : 'deleted' };
};
