import { Refusal } from './refusal.js';

export interface NewUserOptions {
  /** Without one, no password matches until it is changed. */
  password?: string | undefined;
  /** E-HPC: users or wheel, default users; Shanhe: the role, default member. */
  group?: string | undefined;
  /** When the user was created, ISO 8601 with a zone; default: the simulator's clock. */
  at?: string | undefined;
}

/** Changes that another party makes to the vendor's users, not through API calls. A TypeError says why one cannot be made. */
export interface OtherParty {
  addUser(clusterId: string, username: string, options?: NewUserOptions): void;
  removeUser(clusterId: string, username: string): void;
  changePassword(clusterId: string, username: string, password: string): void;
  setGroup(clusterId: string, username: string, group: string): void;
}

export const changeError = (message: string): never => {
  throw new TypeError(message);
};

export const timeOrNow = (at: string | undefined, now: Date): Date => {
  const time = at === undefined ? now : new Date(at);
  return Number.isNaN(time.getTime()) ? changeError('"at" must be a time such as 2024-05-01T08:00:00Z') : time;
};

/** Logs the changes apart from the effects of API calls; a refusal of the vendor's state becomes a TypeError. */
export const loggedOtherParty = (party: OtherParty, log: (change: () => void) => void): OtherParty => {
  const run = (change: () => void) => {
    try {
      log(change);
    } catch (cause) {
      if (cause instanceof Refusal) changeError(cause.message);
      throw cause;
    }
  };
  return {
    addUser: (clusterId, username, options) => run(() => party.addUser(clusterId, username, options)),
    removeUser: (clusterId, username) => run(() => party.removeUser(clusterId, username)),
    changePassword: (clusterId, username, password) => run(() => party.changePassword(clusterId, username, password)),
    setGroup: (clusterId, username, group) => run(() => party.setGroup(clusterId, username, group)),
  };
};

const FIELDS = ['clusterId', 'username', 'password', 'group', 'at'] as const;
type Body = Partial<Record<(typeof FIELDS)[number], string>>;

const readBody = (value: unknown): Body & { clusterId: string; username: string } => {
  const fields: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  const body: Body = {};
  for (const name of FIELDS) {
    const field = fields[name];
    if (field !== undefined && typeof field !== 'string') return changeError(`"${name}" must be a string`);
    if (field !== undefined) body[name] = field;
  }
  const { clusterId, username } = body;
  if (clusterId === undefined || username === undefined) return changeError('"clusterId" and "username" are required');
  return { ...body, clusterId, username };
};

export const addFrom = (party: OtherParty, value: unknown): void => {
  const { clusterId, username, ...options } = readBody(value);
  party.addUser(clusterId, username, options);
};

export const changeFrom = (party: OtherParty, value: unknown): void => {
  const { clusterId, username, password, group } = readBody(value);
  if (password === undefined && group === undefined) changeError('"password" or "group" is required');
  if (password !== undefined) party.changePassword(clusterId, username, password);
  if (group !== undefined) party.setGroup(clusterId, username, group);
};
