/** OpenAPI 3.1 as OpenAPI 3.0.3, for generators that read no other: by a library, and what it leaves to us. */
import { createRequire } from 'node:module';

const SCHEMAS = '#/components/schemas/';

/** The library is a part of the build only. */
const convert = (document) => {
  const { Converter } = createRequire(import.meta.url)('@apiture/openapi-down-convert');
  return new Converter(document, { allOfTransform: true }).convert();
};

/** `oneOf: [X, null]` → X that may be null, which 3.0 says beside a type only. */
const nullable = ({ oneOf, ...rest }, schemas) => {
  const allOf = oneOf.filter(({ type }) => type !== 'null');
  const [{ $ref = '' }] = allOf;
  return { ...rest, type: schemas[$ref.slice(SCHEMAS.length)]?.type, allOf, nullable: true };
};

/** Generators of 3.0 make an enum of a boolean with one value that compiles nowhere, and know no formats of ours. */
const plain = (schema) => {
  const { enum: values, format, maxLength, ...rest } = schema;
  const keepsEnum = values !== undefined && schema.type !== 'boolean';
  const keepsFormat = format !== undefined && !['line', 'entity-tags', 'any-entity', 'idempotency-key'].includes(format);
  // Clients of Python make times of their own of a date-time, which have no length.
  const keepsLength = maxLength !== undefined && format !== 'date-time';
  return { ...rest, ...(keepsLength && { maxLength }), ...(keepsEnum && { enum: values }), ...(keepsFormat && { format }) };
};

const mended = (value, schemas) => {
  if (Array.isArray(value)) return value.map((member) => mended(member, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mended(member, schemas)]));
  if (Array.isArray(inner.oneOf) && inner.oneOf.some(({ type }) => type === 'null')) return nullable(inner, schemas);
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

/** Parameters that ask for another kind of answer. */
const ASKING = ['Prefer', 'DryRun', 'DryRunOne', 'StopOnError'];
const DRY_RUN = 'application/vnd.hpc-gateway.dry-run+json';

const isAsking = ({ $ref }) => ASKING.some((name) => $ref === `#/components/parameters/${name}`);

/** A generated method has one type of answer, and would read another kind as an empty one of it: nobody can ask for that. */
const answeringOneThing = (operation) => {
  const parameters = operation.parameters?.filter((parameter) => !isAsking(parameter));
  if (parameters?.length === operation.parameters?.length) return operation;
  const kept = Object.entries(operation.responses).filter(([status]) => status !== '202' && status !== '2XX');
  for (const [, { content }] of kept) if (content) delete content[DRY_RUN];
  return { ...operation, parameters, responses: Object.fromEntries(kept) };
};

const without = (map, names) => Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));

/** @param document OpenAPI 3.1, which stays as it is */
export const toOpenApi30 = (document) => {
  const converted = convert(structuredClone(document));
  const { openapi: _, info, paths, components, ...rest } = mended(converted, converted.components.schemas);
  const { summary, ...known } = info;
  const answering = Object.entries(paths).map(([path, item]) => [
    path,
    Object.fromEntries(Object.entries(item).map(([method, operation]) => [method, answeringOneThing(operation)])),
  ]);
  const kept = {
    ...components,
    parameters: without(components.parameters, ASKING),
    responses: without(components.responses, ['Accepted', 'AskedFor', 'DryRun']),
    schemas: flatten(components.schemas),
  };
  return { openapi: '3.0.3', info: known, ...rest, paths: Object.fromEntries(answering), components: kept };
};
