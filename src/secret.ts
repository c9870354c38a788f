/** Text that cannot be printed by accident: passwords and keys, from the edge to where the wire is written. */
import { inspect } from 'node:util';

const HIDDEN = '[secret]';

/**
 * The value is in a private field, which logging, JSON, spread and cloning do not see. `unwrap` is the only way out; an architecture test names the
 * files that may call it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    Object.freeze(this);
  }

  unwrap(): string {
    return this.#value;
  }

  /** Whether another one holds the same text. */
  equals(other: Secret | undefined): boolean {
    return other !== undefined && other.#value === this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  valueOf(): string {
    return HIDDEN;
  }

  [Symbol.toPrimitive](): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** A type of requests with its passwords wrapped. */
export type WithSecret<T> = T extends unknown ? { readonly [K in keyof T]: K extends 'password' ? Secret : T[K] } : never;

/** The value with its password, where it has one, wrapped. */
export const withSecret = <T extends object>(value: T): WithSecret<T> =>
  ('password' in value && typeof value.password === 'string'
    ? { ...value, password: new Secret(value.password) }
    : value) as WithSecret<T>;

/** A shorter id of a key is none of a vendor's, and may be a part of any word. */
const MIN_KEY_ID = 8;

/** The id of an access key: not as secret as the key, but nothing to be shown either. */
export const keyIdSecrets = (id: string): Secret[] => (id.length < MIN_KEY_ID ? [] : [new Secret(id)]);

/** No settings and no arguments of a call are nested deeper. */
const MAX_DEPTH = 8;

/** The secrets in a value, at any depth. */
export const secretsIn = (value: unknown, depth = 0): Secret[] => {
  if (value instanceof Secret) return [value];
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  return Object.values(value).flatMap((inner) => secretsIn(inner, depth + 1));
};
