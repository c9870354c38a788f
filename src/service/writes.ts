/**
 * What became of a write to one user. Vendors answer for the whole call or not at all; where that does not settle it, the cluster is
 * read back. Nothing is ever sent a second time to find out.
 */
import type { Adapter, Call, NewUser, Receipt, VendorUser } from '../adapter.js';
import { pause, pollDelay } from '../deadline.js';
import { asGatewayError, type Effect, GatewayError } from '../errors.js';
import type { Role } from '../model.js';
import type { Target } from '../registry.js';
import { findUser } from './find.js';
import { completed } from './jobs.js';
import type { RecentUsers } from './recent.js';

/** How much earlier than its request a user may seem to be made: the vendor's times have whole seconds, and so has its clock for us. */
const CLOCK_TOLERANCE_MS = 3_000;

const FIRST_READ_MS = 300;
const LONGEST_READ_MS = 5_000;

/** The circumstances of a write to one user. */
export interface UserWrite {
  readonly target: Target;
  readonly username: string;
  readonly call: Call;
  /** How long to read back for what a lost answer may still bring about. */
  readonly settleMs: number;
  /** Users that this gateway made lately: a lost create did not make those. */
  readonly recent: RecentUsers;
}

/** What differs between the writes. `found` is the user as read back, null where there is none. */
interface Steps<Value> {
  send(): Promise<Receipt>;
  /** The value after a plain success. */
  succeed(): Promise<Value>;
  /** Whether reading back shows what was asked for. */
  isDone(found: VendorUser | null): boolean;
  /** What reading back proves after a failure. @throws what the caller is told where it proves no success */
  judge(found: VendorUser | null, failure: GatewayError, sentAt: number): Value;
  /** Ends the sentence "Whether …" where nothing can be read back. */
  readonly question: string;
}

type Settled<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: GatewayError };

const attempt = async <Value>(work: () => Promise<Value>): Promise<Settled<Value>> => {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: asGatewayError(error) };
  }
};

/** The adapter's method; the gate has made sure that there is one. */
const methodOf = <Name extends 'createUsers' | 'setRoles' | 'setPasswords' | 'deleteUsers'>(
  { account }: Target,
  name: Name,
): NonNullable<Adapter[Name]> => {
  const method = account.adapter[name];
  if (!method) throw new GatewayError('not_supported', `${account.module.title} has no ${name}.`);
  return method;
};

const notFound = ({ target, username }: UserWrite, cause: GatewayError): GatewayError =>
  cause.retold(`There is no user ${username} on the cluster ${target.id}.`, 'user_not_found');

const alreadyExists = ({ target, username }: UserWrite, cause: GatewayError): GatewayError =>
  cause.retold(`The cluster ${target.id} already has a user ${username}.`, 'user_already_exists');

/** The failure, with what reading back has told. */
const told = (failure: GatewayError, text: string, effect: Effect): GatewayError =>
  failure.retold(`${failure.message} ${text}`, failure.code, effect);

/** A refusal without effect, in the words of this write. */
const refused = (write: UserWrite, failure: GatewayError): GatewayError => {
  if (failure.code === 'user_not_found') return notFound(write, failure);
  if (failure.code === 'user_already_exists') return alreadyExists(write, failure);
  return failure.retryable && failure.code !== 'cluster_not_ready' ? told(failure, 'Nothing was changed.', 'none') : failure;
};

/**
 * Reads the user back after a failure. Where the vendor may still be at it, presence or absence right now proves little: it is read
 * again until it is as it should be or the time for settling is over. An outage of the reading ends nothing.
 */
const readBack = async (
  { target, username, settleMs, call }: UserWrite,
  failure: GatewayError,
  isDone: (found: VendorUser | null) => boolean,
): Promise<Settled<VendorUser | null>> => {
  const until = Date.now() + (failure.effect === 'open' ? settleMs : 0);
  for (let poll = 0; ; poll++) {
    const read = await attempt(() => findUser(target, username, call));
    const wait = pollDelay(poll, FIRST_READ_MS, LONGEST_READ_MS);
    if ((read.ok && isDone(read.value)) || Date.now() + wait > until) return read;
    await pause(wait, call.signal);
  }
};

const perform = async <Value>(write: UserWrite, steps: Steps<Value>): Promise<Value> => {
  const { account } = write.target;
  const sentAt = account.vendorNow().getTime();
  const sent = await attempt(async () => {
    const receipt = await steps.send();
    await completed(account, receipt, write.call);
  });
  if (sent.ok) return steps.succeed();
  if (sent.error.effect === 'none') throw refused(write, sent.error);
  const read = await readBack(write, sent.error, steps.isDone);
  if (!read.ok) throw told(sent.error, `Whether ${steps.question} could not be read back.`, 'open');
  return steps.judge(read.value, sent.error, sentAt);
};

/** A value that the vendor refuses for a user who is not there is no matter of the value: the user is not there. */
const ofExisting = async <Value>(write: UserWrite, work: Promise<Value>): Promise<Value> =>
  work.catch(async (thrown: unknown) => {
    const error = asGatewayError(thrown);
    if (error.code !== 'invalid_user') throw error;
    const read = await attempt(() => findUser(write.target, write.username, write.call));
    throw read.ok && read.value === null ? notFound(write, error) : error;
  });

/** The user as it is now, or what is known of it: that it cannot be read does not undo the write. */
const asWritten = async ({ target, username, call }: UserWrite, role: Role): Promise<VendorUser> => {
  const read = await attempt(() => findUser(target, username, call));
  if (read.ok && read.value) return read.value;
  const unknown = { group: null, uid: null, gid: null, mountPoint: null, createdAt: null, updatedAt: null, userId: null };
  return { username, role, ...unknown, attributes: {} };
};

/** The cluster's own word that it tried and failed, rather than that of something in front of it. */
const hasFailed = ({ code, effect }: GatewayError): boolean => code === 'cluster_agent_failed' && effect === 'ended';

/** Which create made the user that is there after a failed one. */
const judgeCreated = (write: UserWrite, found: VendorUser | null, failure: GatewayError, sentAt: number): VendorUser => {
  const { target, recent } = write;
  if (found === null) {
    throw hasFailed(failure)
      ? told(failure, 'The user was not created.', 'none')
      : told(failure, 'The user was not there when read back; whether it will still be made is not known.', 'open');
  }
  const made = found.createdAt === null ? Number.NaN : Date.parse(found.createdAt);
  if (recent.has(target, found) || made < sentAt - CLOCK_TOLERANCE_MS) throw alreadyExists(write, failure);
  const latest = target.account.vendorNow().getTime() + CLOCK_TOLERANCE_MS;
  if (failure.effect === 'open' && made <= latest) return found;
  throw told(
    failure,
    'A user of this name is there now; whether this request made it is not known. Set its password, or delete it.',
    'open',
  );
};

export const createUser = async (write: UserWrite, user: NewUser): Promise<VendorUser> => {
  const { target, call, recent } = write;
  const create = methodOf(target, 'createUsers');
  const created = await perform(write, {
    send: () => create(target.vendorClusterId, [user], call),
    succeed: () => asWritten(write, user.role),
    isDone: (found) => found !== null,
    judge: (found, failure, sentAt) => judgeCreated(write, found, failure, sentAt),
    question: 'the user was created',
  });
  recent.add(target, created);
  return created;
};

export const deleteUser = async (write: UserWrite): Promise<undefined> => {
  const { target, username, call } = write;
  const remove = methodOf(target, 'deleteUsers');
  const removal = perform<undefined>(write, {
    send: () => remove(target.vendorClusterId, [username], call),
    succeed: async () => undefined,
    isDone: (found) => found === null,
    judge: (found, failure) => {
      if (found === null && hasFailed(failure)) throw notFound(write, failure);
      if (found === null) return undefined;
      throw hasFailed(failure)
        ? told(failure, 'The user was not deleted.', 'none')
        : told(failure, 'The user was still there when read back; whether it will still be deleted is not known.', 'open');
    },
    question: 'the user was deleted',
  });
  return ofExisting(write, removal);
};

export const setRole = async (write: UserWrite, role: Role): Promise<VendorUser> => {
  const { target, username, call } = write;
  const change = methodOf(target, 'setRoles');
  const changed = perform(write, {
    send: () => change(target.vendorClusterId, [{ username, role }], call),
    succeed: () => asWritten(write, role),
    isDone: (found) => found?.role === role,
    judge: (found, failure) => {
      if (found === null) throw notFound(write, failure);
      if (found.role !== role) throw told(failure, `The role was ${found.role} when read back.`, failure.effect);
      return found;
    },
    question: 'the role was changed',
  });
  return ofExisting(write, changed);
};

export const setPassword = async (write: UserWrite, password: string): Promise<undefined> => {
  const { target, username, call } = write;
  const change = methodOf(target, 'setPasswords');
  const changed = perform<undefined>(write, {
    send: () => change(target.vendorClusterId, [{ username, password }], call),
    succeed: async () => undefined,
    isDone: () => true,
    judge: (found, failure) => {
      if (found === null) throw notFound(write, failure);
      throw told(failure, 'Whether the password was set cannot be read back; setting it again does no harm.', 'open');
    },
    question: 'the password was set',
  });
  return ofExisting(write, changed);
};
