import { createHash } from 'node:crypto';
import type { UserSlice } from '../adapter.js';
import { GatewayError } from '../errors.js';
import { count, isObject, parseObject, text } from '../wire.js';

/** As for the query parameter `offset`. */
const MOST_OFFSET = 10_000_000;

/** Where a window ended. */
export interface Position {
  readonly offset: number;
  /** The vendor's listing to go on in, where it keeps one. */
  readonly snapshot?: string | undefined;
  /** What the window was like; the next one is another. */
  readonly mark?: string | undefined;
}

/** What a cursor is good for. */
export interface Scope {
  readonly clusterId: string;
  readonly search?: string | undefined;
  readonly role?: string | undefined;
}

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 12);

const fingerprint = ({ clusterId, search, role }: Scope): string => digest([clusterId, search ?? null, role ?? null]);

/**
 * Distinguishes a window from the next one. With the total: users who were inserted before it may have moved the same ones into the next. Undefined for
 * one user alone.
 */
export const markOf = ({ users, total }: Pick<UserSlice, 'users' | 'total'>): string | undefined =>
  users.length > 1 ? digest([total, ...users.map(({ username }) => username)]) : undefined;

/** Opaque to callers; holds no secret, so it is not signed. */
export const writeCursor = ({ offset, snapshot, mark }: Position, scope: Scope): string =>
  Buffer.from(JSON.stringify({ o: offset, f: fingerprint(scope), s: snapshot, m: mark })).toString('base64url');

/** @throws invalid_request when it is no cursor, or one of another list */
export const readCursor = (cursor: string, scope: Scope): Position => {
  const refuse = (message: string): GatewayError =>
    new GatewayError('invalid_request', `The cursor ${message}.`, { errors: [{ pointer: '/query/cursor', message }] });
  const content = parseObject(Buffer.from(cursor, 'base64url').toString('utf8'));
  const offset = content && count(content['o']);
  if (!isObject(content) || offset === null || offset > MOST_OFFSET) throw refuse('is none that this gateway gave');
  if (content['f'] !== fingerprint(scope)) throw refuse('belongs to another cluster, search or role');
  const snapshot = text(content['s']);
  if (snapshot?.isWellFormed() === false) throw refuse('is none that this gateway gave');
  return { offset, snapshot: snapshot ?? undefined, mark: text(content['m']) ?? undefined };
};
