/** Cursors: opaque, made by this gateway, and good only for the caller and the parameters that they were made for. */
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

export const invalidCursor = (): GatewayError => {
  const message = 'is not valid; use `nextCursor` of an earlier answer, with the same parameters';
  return new GatewayError('invalid_request', `The cursor ${message}.`, { errors: [{ pointer: '/query/cursor', message }] });
};

/** Encrypted: a position may name what the caller may not see, such as the last row that was left out. */
export const createCursors = ({ conceal, reveal }: Pick<Encryptor, 'conceal' | 'reveal'>): Cursors => {
  const placeOf = (scope: CursorScope, { caller }: Pick<CallerCall, 'caller'>): string =>
    JSON.stringify(['cursor', caller.id, scope.map((part) => part ?? null)]);
  return {
    write: (position, scope, call) => conceal(JSON.stringify(position), placeOf(scope, call)),
    read: (cursor, scope, call) => {
      const position = parseObject(reveal(cursor, placeOf(scope, call)) ?? '');
      if (!position) throw invalidCursor();
      return position;
    },
  };
};
