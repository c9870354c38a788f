/** OpenAPI 3.1 as OpenAPI 3.0.3, for generators that read no other: by a library, and what it leaves to us. */
import { createRequire } from 'node:module';

const SCHEMAS = '#/components/schemas/';

/** The library is a part of the build only. */
const convert = (document) => {
  const { Converter } = createRequire(import.meta.url)('@apiture/openapi-down-convert');
  return new Converter(document, { allOfTransform: true }).convert();
};

/** `oneOf: [X, null]` → X that may be null. */
const nullable = ({ oneOf, ...rest }) => ({ ...rest, allOf: oneOf.filter(({ type }) => type !== 'null'), nullable: true });

/** Generators of 3.0 make an enum of a boolean with one value that compiles nowhere, and know no formats of ours. */
const plain = (schema) => {
  const { enum: values, format, ...rest } = schema;
  const keepsEnum = values !== undefined && schema.type !== 'boolean';
  const keepsFormat = format !== undefined && !['line', 'entity-tags', 'any-entity', 'idempotency-key'].includes(format);
  return { ...rest, ...(keepsEnum && { enum: values }), ...(keepsFormat && { format }) };
};

const mended = (value) => {
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mended(member)]));
  if (Array.isArray(inner.oneOf) && inner.oneOf.some(({ type }) => type === 'null')) return nullable(inner);
  return typeof inner.type === 'string' ? plain(inner) : inner;
};

/**
 * Items of a batch as one object with the members of all kinds: the unions of 3.0 generators do not compile, or send members that a kind does not
 * have. Which members an item needs is in `description`; the gateway checks it.
 */
const flatten = (schemas) => {
  const kinds = schemas.BatchItem.oneOf.map(({ $ref }) => $ref.slice(SCHEMAS.length));
  const properties = Object.assign({}, ...kinds.map((kind) => schemas[kind].properties), {
    op: { $ref: `${SCHEMAS}BatchOp` },
    role: { $ref: `${SCHEMAS}Role` },
  });
  const BatchItem = {
    type: 'object',
    description:
      'One user. `create` needs `password`; `update` needs `role` or `password`, and takes no `directoryMode`; `delete` takes neither.',
    additionalProperties: false,
    required: ['op', 'username'],
    properties,
  };
  const others = Object.entries(schemas).filter(([name]) => !kinds.includes(name));
  return { ...Object.fromEntries(others), BatchItem };
};

/** @param document OpenAPI 3.1, which stays as it is */
export const toOpenApi30 = (document) => {
  const { openapi: _, info, components, ...rest } = mended(convert(structuredClone(document)));
  const { summary, ...known } = info;
  return { openapi: '3.0.3', info: known, ...rest, components: { ...components, schemas: flatten(components.schemas) } };
};
