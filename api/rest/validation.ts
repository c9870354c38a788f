/** Requests against the document, by ajv. */
import { Ajv2020 as Ajv, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { GatewayError } from '../../src/errors.js';
import type { FieldError } from '../../src/model.js';
import type { OpenApiDocument, Parameter } from './document.js';

const pointerOf = ({ instancePath, keyword, params }: ErrorObject): string => {
  const key =
    keyword === 'required'
      ? params['missingProperty']
      : keyword === 'additionalProperties'
        ? params['additionalProperty']
        : undefined;
  return key === undefined ? instancePath : `${instancePath}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
};

const messageOf = ({ keyword, params, message = 'is not valid' }: ErrorObject): string => {
  switch (keyword) {
    case 'additionalProperties':
      return 'is not known';
    case 'required':
      return 'is missing';
    case 'type':
      return params['type'] === 'integer' ? 'must be a whole number' : message;
    case 'minLength':
      return params['limit'] === 1 ? 'must not be empty' : message;
    case 'enum':
      return `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
    default:
      return message;
  }
};

const toFieldErrors = (errors: readonly ErrorObject[] | null | undefined, prefix: string): FieldError[] =>
  (errors ?? []).map((error) => ({ pointer: `${prefix}${pointerOf(error)}`, message: messageOf(error) }));

const inWords = ({ pointer, message }: FieldError): string => {
  const name = pointer.startsWith('/query/') ? `The query parameter ${pointer.slice('/query/'.length)}` : `The field ${pointer}`;
  return pointer === '' ? `The body ${message}.` : `${name} ${message}.`;
};

export const invalidRequest = (errors: readonly FieldError[]): GatewayError =>
  new GatewayError('invalid_request', errors.map(inWords).join(' '), { errors });

/** Answers the value with its defaults filled in. @throws invalid_request */
export type Check = (raw: unknown) => unknown;

export interface Validators {
  /** Turns text into the numbers that the schemas ask for. */
  query(parameters: readonly Parameter[]): Check;
  body(schema: object): Check;
}

const COMPONENTS = '#/components/schemas/';

/** A schema taken out of the document; its references become the names under which the components are registered. */
const detached = (schema: object): object =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' && value.startsWith(COMPONENTS) ? value.slice(COMPONENTS.length) : value,
  ) as object;

const querySchema = (parameters: readonly Parameter[]): object => {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  return {
    type: 'object',
    additionalProperties: false,
    required: inQuery.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(inQuery.map(({ name, schema }) => [name, detached(schema)])),
  };
};

const checker =
  (validate: ValidateFunction, prefix: string): Check =>
  (value) => {
    if (!validate(value)) throw invalidRequest(toFieldErrors(validate.errors, prefix));
    return value;
  };

/** Numbers of a query are plain decimal digits; anything else stays text, which the schema refuses. */
const withNumbers = (query: Readonly<Record<string, unknown>>, parameters: readonly Parameter[]): Record<string, unknown> => {
  const integers = new Set(
    parameters.filter(({ schema }) => 'type' in schema && schema.type === 'integer').map(({ name }) => name),
  );
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      integers.has(name) && typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value,
    ]),
  );
};

export const createValidators = (document: OpenApiDocument): Validators => {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true, strictRequired: false, allowUnionTypes: true });
  for (const format of ['date-time', 'uri-reference', 'password']) ajv.addFormat(format, true);
  for (const [name, schema] of Object.entries(document.components.schemas)) ajv.addSchema(detached(schema), name);

  return {
    query: (parameters) => {
      const check = checker(ajv.compile(querySchema(parameters)), '/query');
      return (raw) => check(withNumbers(raw as Record<string, unknown>, parameters));
    },
    body: (schema) => checker(ajv.compile(detached(schema)), ''),
  };
};
