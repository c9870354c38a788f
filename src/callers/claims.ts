/** Claims of a token → rights. */
import type { ClaimRight } from '../config/auth.js';
import { isObject } from '../wire.js';

/** The value at a JSON pointer (RFC 6901). */
const at = (payload: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((node, step) => (isObject(node) && Object.hasOwn(node, step) ? node[step] : undefined), payload);

/** A list holds the value; a text is it, or has it between blanks, as `scope` does. */
const holds = (claim: unknown, value: string): boolean =>
  Array.isArray(claim)
    ? claim.includes(value)
    : typeof claim === 'string' && (claim === value || claim.split(' ').includes(value));

/** Rights without a claim are those of every valid token. */
export const rightsBy = (payload: unknown, rights: readonly ClaimRight[]): ClaimRight[] =>
  rights.filter(({ claim, value }) => claim === undefined || (value !== undefined && holds(at(payload, claim), value)));
