/**
 * What became of a write to one user. Vendors answer for the whole call or not at all; where that does not settle it, the cluster is
 * read back. Nothing is ever sent a second time to find out.
 */
import type { Call, NewUser, Receipt, VendorUser } from '../adapter.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Role } from '../model.js';
import type { Target } from '../registry.js';
import { findUser } from './find.js';
import { completed } from './jobs.js';

/** How much earlier than our request a user of that very request may seem to be made: whole seconds, and clocks that differ. */
const CLOCK_TOLERANCE_MS = 5_000;

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

/** The vendor said that it failed, rather than saying nothing. */
const wasReported = ({ code }: GatewayError): boolean => code === 'cluster_agent_failed';

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

export const createUser = async (target: Target, user: NewUser, call: Call): Promise<VendorUser> => {
  const { account, vendorClusterId } = target;
  const create = account.adapter.createUsers;
  if (!create) throw new GatewayError('not_supported', `${account.module.title} cannot create a user.`);
  const sentAt = account.now().getTime();
  const sent = await send(target, () => create(vendorClusterId, [user], call), call);
  if (!sent.ok && sent.error.effect === 'none') throw refused(target, user.username, sent.error);

  const read = await attempt(() => findUser(target, user.username, call));
  if (sent.ok) return (read.ok && read.value) || asRequested(user.username, user.role);
  if (!read.ok) throw unsettled(sent.error, 'Whether the user was created could not be read back.', 'unknown');
  const found = read.value;
  if (found === null) {
    throw sent.error.code === 'vendor_timeout'
      ? unsettled(sent.error, 'The user is not there now, but the vendor may still be at it.', 'unknown')
      : unsettled(sent.error, 'The user was not created.', 'none');
  }
  if (wasReported(sent.error)) throw alreadyExists(target, user.username, sent.error);
  if (found.createdAt === null) {
    throw unsettled(sent.error, 'A user of this name is there now; whether this request made it cannot be told.', 'unknown');
  }
  if (Date.parse(found.createdAt) < sentAt - CLOCK_TOLERANCE_MS) throw alreadyExists(target, user.username, sent.error);
  return found;
};

export const deleteUser = async (target: Target, username: string, call: Call): Promise<void> => {
  const { account, vendorClusterId } = target;
  const remove = account.adapter.deleteUsers;
  if (!remove) throw new GatewayError('not_supported', `${account.module.title} cannot delete a user.`);
  const sent = await send(target, () => remove(vendorClusterId, [username], call), call);
  if (sent.ok) return;
  if (sent.error.effect === 'none') throw refused(target, username, sent.error);

  const read = await attempt(() => findUser(target, username, call));
  if (!read.ok) throw unsettled(sent.error, 'Whether the user was deleted could not be read back.', 'unknown');
  if (read.value !== null) {
    throw sent.error.code === 'vendor_timeout'
      ? unsettled(sent.error, 'The user is still there, but the vendor may still be at it.', 'unknown')
      : unsettled(sent.error, 'The user was not deleted.', 'none');
  }
  if (wasReported(sent.error)) throw notFound(target, username, sent.error);
};

export const setRole = async (target: Target, username: string, role: Role, call: Call): Promise<VendorUser> => {
  const { account, vendorClusterId } = target;
  const change = account.adapter.setRoles;
  if (!change) throw new GatewayError('not_supported', `${account.module.title} cannot change the role of a user.`);
  const sent = await send(target, () => change(vendorClusterId, [{ username, role }], call), call);
  if (!sent.ok && sent.error.effect === 'none') throw refused(target, username, sent.error);

  const read = await attempt(() => findUser(target, username, call));
  if (sent.ok) return (read.ok && read.value) || asRequested(username, role);
  if (!read.ok) throw unsettled(sent.error, 'Whether the role was changed could not be read back.', 'unknown');
  if (read.value === null) throw notFound(target, username, sent.error);
  if (read.value.role !== role) throw unsettled(sent.error, `The role is ${read.value.role}.`, sent.error.effect);
  return read.value;
};

export const setPassword = async (target: Target, username: string, password: string, call: Call): Promise<void> => {
  const { account, vendorClusterId } = target;
  const change = account.adapter.setPasswords;
  if (!change) throw new GatewayError('not_supported', `${account.module.title} cannot set the password of a user.`);
  const sent = await send(target, () => change(vendorClusterId, [{ username, password }], call), call);
  if (sent.ok) return;
  if (sent.error.effect === 'none') throw refused(target, username, sent.error);

  const read = await attempt(() => findUser(target, username, call));
  if (read.ok && read.value === null) throw notFound(target, username, sent.error);
  throw unsettled(sent.error, 'Whether the password was set cannot be read back; setting it again does no harm.', 'unknown');
};
