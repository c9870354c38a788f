/** Secrets of a checked configuration become `Secret`s: every text that its schema calls `writeOnly`. */
import { Secret } from '../secret.js';
import { isObject, type JsonObject } from '../wire.js';

/** Schemas that apply to the same value, where one of them may say more of a member. */
const COMBINING = ['allOf', 'anyOf', 'oneOf'] as const;
const CONDITIONAL = ['then', 'else'] as const;

const schemasOf = (schema: unknown): JsonObject[] => {
  if (!isObject(schema)) return [];
  const combined = COMBINING.flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []));
  return [schema, ...[...combined, ...CONDITIONAL.map((key) => schema[key])].flatMap(schemasOf)];
};

/** What the schemas say of a member. */
const memberSchemas = (schemas: readonly JsonObject[], key: string): JsonObject[] =>
  schemas.flatMap(({ properties, additionalProperties }) => {
    const own = isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    return schemasOf(own);
  });

const wrap = (schemas: readonly JsonObject[], value: unknown): unknown => {
  if (typeof value === 'string') return schemas.some(({ writeOnly }) => writeOnly === true) ? new Secret(value) : value;
  if (Array.isArray(value)) {
    const items = schemas.flatMap(({ items }) => schemasOf(items));
    return value.map((item) => wrap(items, item));
  }
  if (!isObject(value) || value instanceof Secret) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, wrap(memberSchemas(schemas, key), member)]));
};

/** A copy of the value in which texts that the schema calls `writeOnly` are secrets. */
export const wrapSecrets = (schema: object, value: unknown): unknown => wrap(schemasOf(schema), value);
