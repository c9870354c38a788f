/** Writes to users, as operations. */
import type { CallerCall } from '../callers/caller.js';
import { clusterRefOf, type Target } from '../clusters/registry.js';
import { asGatewayError, type GatewayError } from '../errors.js';
import { type ItemOutcome, isDone, type LoadedOperation } from '../journal/records.js';
import type { OperationKind, Role } from '../model.js';
import type { Secret } from '../secret.js';
import type { Intake } from '../writes/intake.js';
import type { NewItem, Submission } from '../writes/new-operation.js';
import type { Admission, Admitted, Requirement } from './admission.js';
import { boundOf, HIGHEST, roleRefusal, withBound } from './bounds.js';
import { after, type Known, plannedRequirement, planOf, type Wanted, wantedRequirement } from './ensure.js';
import { expectedCallsOf } from './expected-calls.js';
import { incompleteList } from './find.js';
import {
  createItem,
  deleteItem,
  ensureItem,
  requirementOf,
  toItem,
  toNewUser,
  type UserItem,
  type UserToCreate,
  updateItem,
} from './items.js';
import { USERS } from './resource.js';
import { checkNewUser, checkPassword, checkRole } from './rules.js';
import type { Sources } from './sources.js';
import { isWithin, outOfBounds } from './steps/bounded.js';
import { failedWith, inItem } from './steps/wording.js';

export interface Batch {
  readonly items: readonly UserItem[];
  readonly stopOnError: boolean;
}

/** A write to a user that is there, as long as the user is as the caller saw it. */
export interface UserReference {
  readonly clusterId: string;
  readonly username: string;
  /** Entity tags, as in `If-Match`. */
  readonly ifMatch?: string;
  /** `If-None-Match: *`: there must be no such user. */
  readonly isNew?: boolean;
}

/** What would become of items, and about how many calls it would take. */
export interface Rehearsal {
  readonly outcomes: readonly ItemOutcome[];
  readonly expectedCalls: number;
}

/** Each write answers its operation, which may not be over. */
export interface UserCommands {
  create(clusterId: string, user: UserToCreate, submission: Submission): Promise<LoadedOperation>;
  setRole(user: UserReference, role: Role, submission: Submission): Promise<LoadedOperation>;
  setPassword(user: UserReference, password: Secret, submission: Submission): Promise<LoadedOperation>;
  delete(user: UserReference, submission: Submission): Promise<LoadedOperation>;
  batch(clusterId: string, batch: Batch, submission: Submission): Promise<LoadedOperation>;
  /** Creates the user, or gives them the role. */
  ensure(user: UserReference, wanted: Omit<Wanted, 'username'>, submission: Submission): Promise<LoadedOperation>;
  /** What would become of one item. @throws what refuses it */
  rehearseOne(clusterId: string, item: UserItem, call: CallerCall): Promise<Rehearsal>;
  /** What would become of each item: all checks, names against the cluster's users too, and no write. */
  rehearse(clusterId: string, batch: Batch, call: CallerCall): Promise<Rehearsal>;
}

const nothing = (): void => undefined;

export const createUserCommands = (admission: Admission, intake: Intake, sources: Pick<Sources, 'among'>): UserCommands => {
  const conditional = ({ ifMatch }: UserReference) => ifMatch !== undefined && { ifMatch };

  /** @throws forbidden */
  const requireRole = (clusterId: string, item: Parameters<typeof roleRefusal>[0], call: CallerCall): void => {
    const refusal = roleRefusal(item, boundOf(clusterId, call));
    if (refusal) throw refusal;
  };

  /** What the caller may not ask for is refused before what the cluster cannot take. */
  const admitBatch = async (clusterId: string, items: readonly UserItem[], call: CallerCall): Promise<Admitted> => {
    const bound = boundOf(clusterId, call);
    const refused = items.map((item) => roleRefusal(item, bound));
    const { target, refusals } = await admission.admitAll(clusterId, items.map(requirementOf), call);
    const all = new Map(refusals);
    refused.forEach((refusal, index) => void (refusal && all.set(index, refusal)));
    return { target, refusals: all };
  };

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
        vendor: target.account.module.vendor,
        items: items.map((item) => withBound(item, boundOf(target.id, submission.call))),
        stopOnError,
        expectedCalls: expectedCallsOf(target, items),
      },
      submission,
    );

  const refused = (refusal: GatewayError, index: number): ItemOutcome => failedWith(inItem(refusal, index), 'refused');

  /**
   * The users as they are, by name; `unclear` of a name that may stand in a row that names nobody.
   * @throws vendor_bad_response where the list is not whole
   */
  const knownOf = async (target: Target, usernames: Iterable<string>, call: CallerCall) => {
    const { found, complete } = await sources.among(target, [...new Set(usernames)], call);
    return new Map<string, Known | 'unclear'>(
      [...found].map(([username, user]) => [username, user ?? (complete ? null : 'unclear')]),
    );
  };

  /** @throws forbidden where the user is of a role that the caller may not touch */
  const requireWithin = (
    target: Target,
    { username }: Pick<UserItem, 'username'>,
    known: NonNullable<Known>,
    call: CallerCall,
  ): void => {
    const bound = boundOf(target.id, call);
    if (bound !== undefined && bound !== HIGHEST && !isWithin(known, bound)) throw outOfBounds({ ...known, username }, bound);
  };

  /** What would become of an item. @throws what refuses it, and vendor_bad_response where nobody can say */
  const foresee = async (target: Target, item: UserItem, known: Known | 'unclear', call: CallerCall): Promise<ItemOutcome> => {
    if (known === 'unclear') throw incompleteList(target, `the user ${item.username} exists`);
    if (item.op === 'create') return { status: known ? 'already_exists' : 'created' };
    if (item.op === 'ensure') {
      const plan = planOf(item, known);
      if (known && plan === 'setRole') requireWithin(target, item, known, call);
      const refusal = await admission.refusalOf(target, plannedRequirement(plan, item, item.password !== undefined), call);
      if (refusal) throw refusal;
      return { status: PLANNED[plan] };
    }
    if (!known) return { status: 'not_found' };
    requireWithin(target, item, known, call);
    return { status: item.op === 'update' ? 'updated' : 'deleted' };
  };

  /** The same for one of many, where what cannot be said is `unknown`. */
  const foreseeAmong = (target: Target, item: UserItem, index: number, known: Known | 'unclear', call: CallerCall) =>
    foresee(target, item, known, call).catch((thrown: unknown): ItemOutcome => {
      const error = asGatewayError(thrown);
      return known === 'unclear' ? failedWith(error, 'unknown') : refused(error, index);
    });

  return {
    create: async (clusterId, body, submission) => {
      const user = toNewUser(body);
      requireRole(clusterId, { op: 'create', ...user }, submission.call);
      const requirement: Requirement = { features: ['create'], check: (capabilities) => checkNewUser(user, capabilities) };
      const target = await admission.admit(clusterId, requirement, submission.call);
      return submit('createUser', target, [createItem(user)], submission);
    },

    ensure: async (user, wanted, submission) => {
      const all = { ...wanted, username: user.username };
      requireRole(user.clusterId, { op: 'ensure', ...all }, submission.call);
      const target = await admission.admit(user.clusterId, wantedRequirement(all), submission.call);
      return submit('ensureUser', target, [{ ...ensureItem(all, user.isNew), ...conditional(user) }], submission);
    },

    setRole: async (user, role, submission) => {
      requireRole(user.clusterId, { op: 'update', role }, submission.call);
      const requirement: Requirement = { features: ['setRole'], check: (capabilities) => checkRole(role, capabilities) };
      const target = await admission.admit(user.clusterId, requirement, submission.call);
      const item = updateItem({ username: user.username, role });
      return submit('updateUser', target, [{ ...item, ...conditional(user) }], submission);
    },

    setPassword: async (user, password, submission) => {
      requireRole(user.clusterId, { op: 'update' }, submission.call);
      const requirement: Requirement = {
        features: ['setPassword'],
        check: (capabilities) => checkPassword(password, capabilities),
      };
      const target = await admission.admit(user.clusterId, requirement, submission.call);
      const item = updateItem({ username: user.username, password });
      return submit('setUserPassword', target, [{ ...item, ...conditional(user) }], submission);
    },

    delete: async (user, submission) => {
      requireRole(user.clusterId, { op: 'delete' }, submission.call);
      const target = await admission.admit(user.clusterId, { features: ['delete'], check: nothing }, submission.call);
      return submit('deleteUser', target, [{ ...deleteItem(user), ...conditional(user) }], submission);
    },

    batch: async (clusterId, { items, stopOnError }, submission) => {
      const { target, refusals } = await admitBatch(clusterId, items, submission.call);
      const first = Math.min(...refusals.keys());
      const kept = items.map((item, index): NewItem => {
        // Where an error stops all after it, the first one does.
        const refusal = stopOnError && index !== first ? undefined : refusals.get(index);
        return { ...toItem(item), ...(refusal && { outcome: refused(refusal, index) }) };
      });
      return submit('batchUsers', target, kept, submission, stopOnError);
    },

    rehearseOne: async (clusterId, item, call) => {
      requireRole(clusterId, item, call);
      const target = await admission.admit(clusterId, requirementOf(item), call);
      const known = await knownOf(target, [item.username], call);
      const outcome = await foresee(target, item, known.get(item.username) ?? null, call);
      return { outcomes: [outcome], expectedCalls: expectedCallsOf(target, [toItem(item)]) };
    },

    rehearse: async (clusterId, { items, stopOnError }, call) => {
      const { target, refusals } = await admitBatch(clusterId, items, call);
      const names = items.filter((_, index) => !refusals.has(index)).map(({ username }) => username);
      const known = await knownOf(target, names, call);
      const outcomes: ItemOutcome[] = [];
      for (const [index, item] of items.entries()) {
        const last = outcomes.at(-1);
        if (stopOnError && last && !isDone(last)) {
          outcomes.push({ status: 'cancelled' });
          continue;
        }
        const present = known.get(item.username) ?? null;
        const refusal = refusals.get(index);
        const outcome = refusal ? refused(refusal, index) : await foreseeAmong(target, item, index, present, call);
        if (isDone(outcome) && present !== 'unclear') known.set(item.username, after(item, present));
        outcomes.push(outcome);
      }
      const kept = items.map((item, index) => ({
        ...toItem(item),
        ...(!isDone(outcomes[index] as ItemOutcome) && { outcome: outcomes[index] as ItemOutcome }),
      }));
      return { outcomes, expectedCalls: expectedCallsOf(target, kept) };
    },
  };
};

const PLANNED = { create: 'created', setRole: 'updated', unchanged: 'unchanged' } as const;
