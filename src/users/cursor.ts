import { createHash } from 'node:crypto';
import { GatewayError } from '../errors.js';
import { count, isObject, parseObject, text } from '../wire.js';

/** As for the query parameter `offset`. */
const MOST_OFFSET = 10_000_000;

/** Where a window ended. */
export interface Position {
  readonly offset: number;
  /** The vendor's listing to go on in, where it keeps one. */
  readonly snapshot?: string;
}

/** What a cursor is good for. */
export interface Scope {
  readonly clusterId: string;
  readonly search?: string | undefined;
  readonly role?: string | undefined;
}

const fingerprint = ({ clusterId, search, role }: Scope): string =>
  createHash('sha256')
    .update(JSON.stringify([clusterId, search ?? null, role ?? null]))
    .digest('base64url')
    .slice(0, 12);

/** Opaque to callers; holds no secret, so it is not signed. */
export const writeCursor = ({ offset, snapshot }: Position, scope: Scope): string =>
  Buffer.from(JSON.stringify({ o: offset, f: fingerprint(scope), ...(snapshot !== undefined && { s: snapshot }) })).toString(
    'base64url',
  );

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
  return { offset, ...(snapshot !== null && { snapshot }) };
};
