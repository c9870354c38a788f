/** Cursors: opaque, made by this gateway, and good only for the caller and the parameters that they were made for. */
import { timingSafeEqual } from 'node:crypto';
import type { CallerCall } from './callers/caller.js';
import { GatewayError } from './errors.js';
import type { Encryptor } from './store/encryptor.js';
import { parseObject } from './wire.js';

/** What a cursor belongs to: a list, and the parameters that choose and order its rows. */
export type CursorScope = readonly (string | number | boolean | null | undefined)[];

export interface Cursors {
  write(position: object, scope: CursorScope, call: Pick<CallerCall, 'caller'>): string;
  /** @throws invalid_request when this gateway did not make it for this caller and scope */
  read(cursor: string, scope: CursorScope, call: Pick<CallerCall, 'caller'>): Readonly<Record<string, unknown>>;
}

/** Half of a SHA-256: nobody tries 2^128 of them. */
const SEAL_LENGTH = 22;

export const invalidCursor = (): GatewayError => {
  const message = 'is not valid; use `nextCursor` of an earlier answer, with the same parameters';
  return new GatewayError('invalid_request', `The cursor ${message}.`, { errors: [{ pointer: '/query/cursor', message }] });
};

const isSame = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
};

export const createCursors = ({ fingerprint }: Pick<Encryptor, 'fingerprint'>): Cursors => {
  const seal = (body: string, scope: CursorScope, { caller }: Pick<CallerCall, 'caller'>): string =>
    fingerprint(JSON.stringify(['cursor', caller.id, scope.map((part) => part ?? null), body])).slice(0, SEAL_LENGTH);
  return {
    write: (position, scope, call) => {
      const body = Buffer.from(JSON.stringify(position)).toString('base64url');
      return `${body}.${seal(body, scope, call)}`;
    },
    read: (cursor, scope, call) => {
      const [body = '', given = '', ...rest] = cursor.split('.');
      if (rest.length > 0 || !isSame(given, seal(body, scope, call))) throw invalidCursor();
      const position = parseObject(Buffer.from(body, 'base64url').toString('utf8'));
      if (!position) throw invalidCursor();
      return position;
    },
  };
};
