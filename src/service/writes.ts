/**
 * What became of a write to one user. Vendors answer for the whole call or not at all; where that does not settle it, the cluster is
 * read back. Nothing is ever sent a second time to find out.
 */
import type { Call, NewUser, Receipt, VendorUser } from '../adapter.js';
import { pause, pollDelay } from '../deadline.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Role } from '../model.js';
import type { Target } from '../registry.js';
import { findUser } from './find.js';
import { completed } from './jobs.js';

/** How much earlier than our request a user of that very request may seem to be made: whole seconds, and clocks that differ. */
const CLOCK_TOLERANCE_MS = 5_000;

const FIRST_READ_MS = 300;
const LONGEST_READ_MS = 5_000;

/** The circumstances of a write to one user. */
export interface UserWrite {
  readonly target: Target;
  readonly username: string;
  readonly call: Call;
  /** How long to read back for what a lost answer may still bring about. */
  readonly settleMs: number;
}

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: GatewayError };

const attempt = async <T>(work: () => Promise<T>): Promise<Settled<T>> => {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: asGatewayError(error) };
  }
};

/** Sends the write and waits for its job; a failure says by its `effect` whether reading back is needed. */
const send = (target: Target, write: () => Promise<Receipt>, call: Call): Promise<Settled<void>> =>
  attempt(async () => {
    const receipt = await write();
    await completed(target.account, receipt, call).catch((error: unknown) => {
      throw asGatewayError(error).withEffect('unknown');
    });
  });

/** The cluster's own verdict: it tried and failed. */
const wasReported = ({ code }: GatewayError): boolean => code === 'cluster_agent_failed';

/** No word of the vendor itself arrived; it may still be at work on the request. */
const wasLost = ({ vendor }: GatewayError): boolean => (vendor?.code ?? null) === null;

/**
 * Reads the user back after a failure. Where the answer was lost, absence (or presence) of the user right now proves little: it is read
 * again until it is as it should be or the time for settling is over.
 */
const readBack = async (
  write: UserWrite,
  failure: GatewayError,
  isDone: (user: VendorUser | null) => boolean,
): Promise<Settled<VendorUser | null>> => {
  const { target, username, settleMs, call } = write;
  const until = Date.now() + (wasLost(failure) && !wasReported(failure) ? settleMs : 0);
  for (let poll = 0; ; poll++) {
    const read = await attempt(() => findUser(target, username, call));
    const wait = pollDelay(poll, FIRST_READ_MS, LONGEST_READ_MS);
    if ((read.ok && isDone(read.value)) || Date.now() + wait > until) return read;
    await pause(wait, call.signal);
  }
};

/** What is known of a user that was written but cannot be read back now. */
const asRequested = (username: string, role: Role): VendorUser => ({
  username,
  role,
  group: null,
  uid: null,
  gid: null,
  mountPoint: null,
  createdAt: null,
  updatedAt: null,
  userId: null,
  attributes: {},
});

/** The user as it is now; null too when it cannot be read, which does not undo the write. */
const known = async ({ target, username, call }: UserWrite): Promise<VendorUser | null> => {
  const read = await attempt(() => findUser(target, username, call));
  return read.ok ? read.value : null;
};

const notFound = (target: Target, username: string, cause?: GatewayError): GatewayError =>
  (cause ?? new GatewayError('user_not_found', '')).retold(
    `There is no user ${username} on the cluster ${target.id}.`,
    'user_not_found',
  );

const alreadyExists = (target: Target, username: string, cause: GatewayError): GatewayError =>
  cause.retold(`The cluster ${target.id} already has a user ${username}.`, 'user_already_exists');

/** The failure of a write, with what reading back has told. */
const unsettled = (error: GatewayError, told: string, effect: 'none' | 'unknown'): GatewayError =>
  error.retold(`${error.message} ${told}`, error.code, effect);

/** Names the user in what the vendor refused outright. */
const refused = (target: Target, username: string, error: GatewayError): GatewayError => {
  if (error.code === 'user_not_found') return notFound(target, username, error);
  if (error.code === 'user_already_exists') return alreadyExists(target, username, error);
  return error;
};

export const createUser = async (write: UserWrite, user: NewUser): Promise<VendorUser> => {
  const { target, call } = write;
  const { account, vendorClusterId } = target;
  const create = account.adapter.createUsers;
  if (!create) throw new GatewayError('not_supported', `${account.module.title} cannot create a user.`);
  const sentAt = account.now().getTime();
  const sent = await send(target, () => create(vendorClusterId, [user], call), call);
  if (sent.ok) return (await known(write)) ?? asRequested(user.username, user.role);
  const { error } = sent;
  if (error.effect === 'none') throw refused(target, user.username, error);

  const read = await readBack(write, error, (found) => found !== null);
  if (!read.ok) throw unsettled(error, 'Whether the user was created could not be read back.', 'unknown');
  const found = read.value;
  if (found === null) {
    throw wasReported(error)
      ? unsettled(error, 'The user was not created.', 'none')
      : unsettled(error, 'The user was not there when read back; whether it will still be made is not known.', 'unknown');
  }
  if (wasReported(error)) {
    if (found.createdAt === null || Date.parse(found.createdAt) <= sentAt) throw alreadyExists(target, user.username, error);
    throw unsettled(
      error,
      'Yet a user of this name is there, made after the request was sent: set its password, or delete it.',
      'unknown',
    );
  }
  if (found.createdAt === null) {
    throw unsettled(error, 'A user of this name is there now; whether this request made it is not known.', 'unknown');
  }
  if (Date.parse(found.createdAt) < sentAt - CLOCK_TOLERANCE_MS) throw alreadyExists(target, user.username, error);
  return found;
};

export const deleteUser = async (write: UserWrite): Promise<undefined> => {
  const { target, username, call } = write;
  const { account, vendorClusterId } = target;
  const remove = account.adapter.deleteUsers;
  if (!remove) throw new GatewayError('not_supported', `${account.module.title} cannot delete a user.`);
  const sent = await send(target, () => remove(vendorClusterId, [username], call), call);
  if (sent.ok) return;
  const { error } = sent;
  if (error.effect === 'none') throw refused(target, username, error);

  const read = await readBack(write, error, (found) => found === null);
  if (!read.ok) throw unsettled(error, 'Whether the user was deleted could not be read back.', 'unknown');
  if (read.value !== null) {
    throw wasReported(error)
      ? unsettled(error, 'The user was not deleted.', 'none')
      : unsettled(error, 'The user was still there when read back; whether it will still be deleted is not known.', 'unknown');
  }
  if (wasReported(error)) throw notFound(target, username, error);
};

export const setRole = async (write: UserWrite, role: Role): Promise<VendorUser> => {
  const { target, username, call } = write;
  const { account, vendorClusterId } = target;
  const change = account.adapter.setRoles;
  if (!change) throw new GatewayError('not_supported', `${account.module.title} cannot change the role of a user.`);
  const sent = await send(target, () => change(vendorClusterId, [{ username, role }], call), call);
  if (sent.ok) return (await known(write)) ?? asRequested(username, role);
  const { error } = sent;
  if (error.effect === 'none') throw refused(target, username, error);

  const read = await readBack(write, error, (found) => found?.role === role);
  if (!read.ok) throw unsettled(error, 'Whether the role was changed could not be read back.', 'unknown');
  if (read.value === null) throw notFound(target, username, error);
  if (read.value.role !== role) throw unsettled(error, `The role was ${read.value.role} when read back.`, error.effect);
  return read.value;
};

export const setPassword = async (write: UserWrite, password: string): Promise<undefined> => {
  const { target, username, call } = write;
  const { account, vendorClusterId } = target;
  const change = account.adapter.setPasswords;
  if (!change) throw new GatewayError('not_supported', `${account.module.title} cannot set the password of a user.`);
  const sent = await send(target, () => change(vendorClusterId, [{ username, password }], call), call);
  if (sent.ok) return;
  const { error } = sent;
  if (error.effect === 'none') throw refused(target, username, error);

  const read = await attempt(() => findUser(target, username, call));
  if (read.ok && read.value === null) throw notFound(target, username, error);
  throw unsettled(error, 'Whether the password was set cannot be read back; setting it again does no harm.', 'unknown');
};
