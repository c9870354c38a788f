/**
 * The four things that are done to users: how each is sent, and what reading a user back proves about it. Vendors answer for the whole
 * call or not at all; where that does not settle it, the cluster is read back.
 */
import type { Adapter, Call, Receipt, VendorUser } from '../../adapter.js';
import { type Effect, GatewayError, restoreError, storeError } from '../../errors.js';
import type { ItemStatus, UserFeature } from '../../model.js';
import type { Target } from '../../registry.js';
import { toUser } from '../user.js';
import type { StepOutcome } from './item.js';
import { type ItemOutcome, type ItemRecord, isDone, type UserRecord } from './records.js';

export type Step = Extract<UserFeature, 'create' | 'setRole' | 'setPassword' | 'delete'>;

/** An item with its password in the clear. */
export interface Parcel {
  readonly item: ItemRecord;
  readonly password: string;
}

/** What a user that was read back is judged by. */
export interface Evidence {
  readonly target: Target;
  readonly item: ItemRecord;
  readonly found: VendorUser | null;
  readonly failure: GatewayError;
  /** That the user was made lately, by another item of this operation or of another one. */
  readonly made: UserRecord['made'];
  /** Whether the step was sent before the call that failed. */
  readonly sentBefore: boolean;
  /** Whether the call was for this item alone. */
  readonly alone: boolean;
}

/** What reading back proves: what came of it, or that it is not done, in the words for a caller. */
export type Verdict = { readonly outcome: StepOutcome } | { readonly notDone: GatewayError };

interface StepRules {
  /** Sending it twice does no more than sending it once. */
  readonly idempotent: boolean;
  send(target: Target, parcels: readonly Parcel[], call: Call): Promise<Receipt>;
  /** What a plain success comes to. */
  success(item: ItemRecord, user: VendorUser | null, target: Target): StepOutcome;
  /** Whether reading back shows what was asked for. */
  isDone(item: ItemRecord, found: VendorUser | null): boolean;
  judge(evidence: Evidence): Verdict;
  /** Ends the sentence "Whether …" where nothing can be read back. */
  readonly question: string;
}

/** How much earlier than its request a user may seem to be made: the vendor's times have whole seconds, and so has its clock for us. */
const CLOCK_TOLERANCE_MS = 3_000;

export const stepOf = (item: ItemRecord): Step => {
  if (item.op !== 'update') return item.op;
  return item.role !== undefined && !item.roleIsSet ? 'setRole' : 'setPassword';
};

/** Of an update of both role and password the role comes first. */
export const hasAnotherStep = (item: ItemRecord): boolean => stepOf(item) === 'setRole' && item.password !== undefined;

/** The adapter's method; the gate has made sure that there is one. */
const methodOf = <Name extends 'createUsers' | 'setRoles' | 'setPasswords' | 'deleteUsers'>(
  { account }: Target,
  name: Name,
): NonNullable<Adapter[Name]> => {
  const method = account.adapter[name];
  if (!method) throw new GatewayError('not_supported', `${account.module.title} has no ${name}.`);
  return method;
};

export const notFound = (target: Target, username: string, cause: GatewayError): GatewayError =>
  cause.retold(`There is no user ${username} on the cluster ${target.id}.`, 'user_not_found');

const alreadyExists = (target: Target, username: string, cause: GatewayError): GatewayError =>
  cause.retold(`The cluster ${target.id} already has a user ${username}.`, 'user_already_exists');

/** The failure, with what reading back has told. */
export const told = (failure: GatewayError, text: string, effect: Effect = failure.effect): GatewayError =>
  failure.retold(`${failure.message} ${text}`, failure.code, effect);

const REFUSALS: ReadonlySet<string> = new Set([
  'invalid_user',
  'not_supported',
  'precondition_failed',
  'vendor_permission_denied',
]);

const statusOf = ({ code }: GatewayError): ItemStatus => {
  if (code === 'user_already_exists') return 'already_exists';
  if (code === 'user_not_found') return 'not_found';
  return REFUSALS.has(code) ? 'refused' : 'failed';
};

export const failedWith = (error: GatewayError, status: ItemStatus = statusOf(error)): ItemOutcome => ({
  status,
  error: storeError(error),
});

/** A refusal without effect, in the words of this item; an earlier step or call of it may have had one. */
export const refusedWith = (
  target: Target,
  { username, roleIsSet, sends = 1 }: ItemRecord,
  failure: GatewayError,
): ItemOutcome => {
  if (failure.code === 'user_not_found') return failedWith(notFound(target, username, failure));
  if (failure.code === 'user_already_exists') return failedWith(alreadyExists(target, username, failure));
  const unchanged = failure.retryable && failure.code !== 'cluster_not_ready' && !roleIsSet && sends === 1;
  return failedWith(unchanged ? told(failure, 'Nothing was changed.') : failure);
};

/** The steps before this one, or earlier calls for it, may have changed something: no ending hides that. */
export const inViewOf = (item: ItemRecord, outcome: ItemOutcome): ItemOutcome => {
  if (isDone(outcome) || outcome.status === 'unknown') return outcome;
  const error = outcome.error
    ? restoreError(outcome.error)
    : new GatewayError('operation_cancelled', 'The operation was cancelled.');
  const earlier = (item.sends ?? 0) - (item.underWay === undefined ? 0 : 1);
  const role = item.roleIsSet ? ' The role was changed.' : '';
  if (stepOf(item) === 'setPassword' && earlier > 0 && outcome.status !== 'not_found')
    return failedWith(told(error, `Whether the password was set cannot be read back.${role}`, 'open'), 'unknown');
  if (!item.roleIsSet) return outcome;
  return failedWith(told(error, role.trim(), 'open'), outcome.status === 'cancelled' ? 'failed' : outcome.status);
};

/** What the vendor said in its own fields is not kept. */
const succeeded = (status: ItemStatus, user: VendorUser | null, target: Target): ItemOutcome => ({
  status,
  ...(user && { user: toUser(target, { ...user, attributes: {} }) }),
});

/** The cluster's own word that it tried and failed, rather than that of something in front of it. */
const hasFailed = ({ code, effect }: GatewayError): boolean => code === 'cluster_agent_failed' && effect === 'ended';

/** Whether the user is the one that was made lately. */
const isOf = (made: NonNullable<UserRecord['made']>, { createdAt }: VendorUser): boolean =>
  made.createdAt === null || createdAt === null || made.createdAt === createdAt;

/** Which create made the user that is there: one before ours, or ours. */
const judgeCreated = ({ target, item, found, failure, made, sentBefore }: Evidence): Verdict => {
  if (found === null) {
    return {
      notDone: hasFailed(failure)
        ? told(failure, 'The user was not created.', 'none')
        : told(failure, 'The user was not there when read back; whether it will still be made is not known.', 'open'),
    };
  }
  const madeAt = found.createdAt === null ? Number.NaN : Date.parse(found.createdAt);
  const sentAt = item.sentAt === undefined ? Number.NaN : Date.parse(item.sentAt);
  const byOthers = (made && isOf(made, found)) || madeAt < sentAt - CLOCK_TOLERANCE_MS;
  if (byOthers || (failure.code === 'user_already_exists' && !sentBefore))
    return { outcome: failedWith(alreadyExists(target, item.username, failure)) };
  if (madeAt <= target.account.vendorNow().getTime() + CLOCK_TOLERANCE_MS)
    return { outcome: succeeded('created', found, target) };
  const text = 'A user of this name is there now; whether this request made it is not known. Set its password, or delete it.';
  return { outcome: failedWith(told(failure, text, 'open'), 'unknown') };
};

const RULES: Readonly<Record<Step, StepRules>> = {
  create: {
    idempotent: false,
    send: (target, parcels, call) =>
      methodOf(target, 'createUsers')(
        target.vendorClusterId,
        parcels.map(({ item: { username, role = 'member', directoryMode }, password }) => ({
          username,
          password,
          role,
          ...(directoryMode !== undefined && { directoryMode }),
        })),
        call,
      ),
    success: (_, user, target) => succeeded('created', user, target),
    isDone: (_, found) => found !== null,
    judge: judgeCreated,
    question: 'the user was created',
  },

  delete: {
    idempotent: false,
    send: (target, parcels, call) =>
      methodOf(target, 'deleteUsers')(
        target.vendorClusterId,
        parcels.map(({ item }) => item.username),
        call,
      ),
    success: (_, __, target) => succeeded('deleted', null, target),
    isDone: (_, found) => found === null,
    judge: ({ target, item, found, failure, sentBefore, alone }) => {
      if (found === null) {
        // A vendor without a word for a missing user fails on it; one of many cannot be that user without the others failing too.
        const wasMissing = !sentBefore && (failure.code === 'user_not_found' || (alone && hasFailed(failure)));
        return { outcome: wasMissing ? failedWith(notFound(target, item.username, failure)) : { status: 'deleted' } };
      }
      return {
        notDone: hasFailed(failure)
          ? told(failure, 'The user was not deleted.', 'none')
          : told(failure, 'The user was still there when read back; whether it will still be deleted is not known.', 'open'),
      };
    },
    question: 'the user was deleted',
  },

  setRole: {
    idempotent: true,
    send: (target, parcels, call) =>
      methodOf(target, 'setRoles')(
        target.vendorClusterId,
        parcels.map(({ item: { username, role = 'member' } }) => ({ username, role })),
        call,
      ),
    success: ({ password }, user, target) =>
      password === undefined ? succeeded('updated', user, target) : { status: 'role_is_set' },
    isDone: ({ role }, found) => found?.role === role,
    judge: ({ target, item, found, failure }) => {
      if (found === null) return { outcome: failedWith(notFound(target, item.username, failure)) };
      if (found.role !== item.role) return { notDone: told(failure, `The role was ${found.role} when read back.`) };
      return { outcome: RULES.setRole.success(item, found, target) };
    },
    question: 'the role was changed',
  },

  setPassword: {
    idempotent: true,
    send: (target, parcels, call) =>
      methodOf(target, 'setPasswords')(
        target.vendorClusterId,
        parcels.map(({ item: { username }, password }) => ({ username, password })),
        call,
      ),
    success: (_, user, target) => succeeded('updated', user, target),
    isDone: () => true,
    judge: ({ target, item, found, failure }) => {
      if (found === null) return { outcome: failedWith(notFound(target, item.username, failure)) };
      const words = 'Whether the password was set cannot be read back; setting it again does no harm.';
      return { notDone: told(failure, item.roleIsSet ? `The role was changed. ${words}` : words, 'open') };
    },
    question: 'the password was set',
  },
};

export const rulesOf = (step: Step): StepRules => RULES[step];
