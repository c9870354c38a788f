/**
 * Whether what was reported can be true: for each user there has to be a way in which the items did what the vendor's journal shows, in
 * its order, and each item exactly what it was reported as.
 */
import type { Effect } from '../../simulators/kit/index.js';
import type { Role } from './plan.js';

/** What one item of an operation asked for, and what was reported of it. */
export interface Line {
  readonly op: 'create' | 'ensure' | 'update' | 'delete';
  readonly username: string;
  readonly role?: Role;
  readonly password?: string;
  readonly status: string;
  /** The words of the problem, if there is one. */
  readonly detail: string;
}

/** Items of one operation, in their order: those of one user are done in it. */
export type Lines = readonly Line[];

/** One user at a moment; null where there is none. */
export type UserState = { readonly role: Role; readonly password: string | null } | null;

export interface History {
  readonly before: UserState;
  readonly after: UserState;
  /** Effects of the gateway on this user. */
  readonly effects: readonly Effect['effect'][];
  /** The items of this user, of each operation that ran. */
  readonly operations: readonly Lines[];
}

interface Done {
  readonly created: number;
  readonly deleted: number;
  readonly role: number;
  readonly password: number;
}
const NOTHING: Done = { created: 0, deleted: 0, role: 0, password: 0 };

interface Moment {
  /** How many effects are explained. */
  readonly at: number;
  readonly user: UserState;
  /** Of each operation, the item that is its turn. */
  readonly turns: readonly number[];
  readonly done: readonly Done[];
}

const withoutEffect = (done: Done): boolean => done.created + done.deleted + done.role + done.password === 0;

/** A step of role and password that ended at the password says so. */
const mayBeHalf = ({ op, role, password, detail }: Line, { password: set }: Done): boolean =>
  op === 'update' && role !== undefined && password !== undefined && set === 0 && detail.includes('The role was changed');

/** The password of a user to ensure counts only where they are created. */
const isUpdated = ({ op, role, password }: Line, done: Done, user: UserState): boolean =>
  (role === undefined || done.role > 0 || user?.role === role) &&
  (op === 'ensure' || password === undefined || done.password > 0);

/** Whether the report of an item is true of what it did, at the moment at which it ended. */
const isTrue = (line: Line, done: Done, user: UserState): boolean => {
  switch (line.status) {
    case 'created':
      return done.created === 1;
    case 'deleted':
      return done.deleted === 1;
    case 'updated':
      return isUpdated(line, done, user);
    case 'unchanged':
      return withoutEffect(done) && user !== null && (line.role === undefined || user.role === line.role);
    case 'already_exists':
      return withoutEffect(done) && user !== null;
    case 'not_found':
      // What was set on a user who is deleted since leaves no trace: row 6 of docs/design/verdicts.md.
      return (withoutEffect(done) || (line.op !== 'create' && done.created + done.deleted === 0)) && user === null;
    case 'unknown':
      return true;
    case 'failed':
    case 'refused':
    case 'cancelled':
    case 'not_begun':
      return withoutEffect(done) || mayBeHalf(line, done);
    default:
      return false;
  }
};

/** The user after an effect of the item; undefined where the item cannot have it. */
const applied = (line: Line, effect: Effect['effect'], user: UserState): UserState | undefined => {
  const { op, role, password } = line;
  const isNew = op === 'create' || op === 'ensure';
  if (effect === 'created' && isNew && !user) return { role: role ?? 'member', password: password ?? null };
  if (effect === 'deleted' && op === 'delete' && user) return null;
  const setsRole = op === 'update' || op === 'ensure';
  if (effect === 'role_changed' && setsRole && role !== undefined && user) return { ...user, role };
  if (effect === 'password_changed' && op === 'update' && password !== undefined && user) return { ...user, password };
  return undefined;
};

const COUNTED: Readonly<Record<Effect['effect'], keyof Done>> = {
  created: 'created',
  deleted: 'deleted',
  role_changed: 'role',
  password_changed: 'password',
};

const same = (one: UserState, other: UserState): boolean => one?.role === other?.role && one?.password === other?.password;

export const isPossible = ({ before, after, effects, operations }: History): boolean => {
  const seen = new Set<string>();

  const search = (moment: Moment): boolean => {
    const { at, user, turns, done } = moment;
    const key = JSON.stringify([at, user, turns, done]);
    if (seen.has(key)) return false;
    seen.add(key);
    if (at === effects.length && turns.every((turn, which) => turn === operations[which]?.length)) return same(user, after);
    return operations.some((lines, which) => {
      const line = lines[turns[which] ?? 0];
      const own = done[which] ?? NOTHING;
      if (!line) return false;
      const setDone = (value: Done): readonly Done[] => done.with(which, value);
      if (
        isTrue(line, own, user) &&
        search({ at, user, turns: turns.with(which, (turns[which] ?? 0) + 1), done: setDone(NOTHING) })
      )
        return true;
      const effect = effects[at];
      const next = effect && applied(line, effect, user);
      if (!effect || next === undefined) return false;
      const counted = COUNTED[effect];
      return search({ at: at + 1, user: next, turns, done: setDone({ ...own, [counted]: own[counted] + 1 }) });
    });
  };

  return search({ at: 0, user: before, turns: operations.map(() => 0), done: operations.map(() => NOTHING) });
};
