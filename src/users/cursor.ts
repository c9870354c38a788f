/** Where a window of a list of users ended. */
import { createHash } from 'node:crypto';
import type { UserSlice } from '../adapter.js';
import type { CallerCall } from '../callers/caller.js';
import { type Cursors, invalidCursor } from '../cursors.js';
import { count, text } from '../wire.js';

export interface Position {
  readonly offset: number;
  /** The vendor's listing to go on in, where it keeps one. */
  readonly snapshot?: string | undefined;
  /** What the window was like; the next one is another. */
  readonly mark?: string | undefined;
  /** The list to go on in, where it is still kept. */
  readonly list?: string | undefined;
}

/** What a cursor is good for. */
export interface Scope {
  readonly clusterId: string;
  readonly search?: string | undefined;
  readonly role?: string | undefined;
}

const scopeOf = ({ clusterId, search, role }: Scope) => ['users', clusterId, search, role];

/**
 * Distinguishes a window from the next one. With the total: users who were inserted before it may have moved the same ones into the next. Undefined for
 * one user alone.
 */
export const markOf = ({ users, total }: Pick<UserSlice, 'users' | 'total'>): string | undefined => {
  if (users.length < 2) return undefined;
  const content = JSON.stringify([total, ...users.map(({ username }) => username)]);
  return createHash('sha256').update(content).digest('base64url').slice(0, 12);
};

export const writePosition = (
  cursors: Cursors,
  { offset, snapshot, mark, list }: Position,
  scope: Scope,
  call: CallerCall,
): string => cursors.write({ o: offset, s: snapshot, m: mark, l: list }, scopeOf(scope), call);

/** @throws invalid_request when it is no cursor, or one of another list or caller */
export const readPosition = (cursors: Cursors, cursor: string, scope: Scope, call: CallerCall): Position => {
  const { o, s, m, l } = cursors.read(cursor, scopeOf(scope), call);
  const offset = count(o);
  if (offset === null) throw invalidCursor();
  return { offset, snapshot: text(s) ?? undefined, mark: text(m) ?? undefined, list: text(l) ?? undefined };
};
