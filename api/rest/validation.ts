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

export const createValidators = (document: OpenApiDocument): Validators => {
  const options = { allErrors: true, useDefaults: true, strict: true, strictRequired: false, allowUnionTypes: true };
  const forQueries = new Ajv({ ...options, coerceTypes: true });
  const forBodies = new Ajv(options);
  for (const ajv of [forQueries, forBodies]) {
    for (const format of ['date-time', 'uri-reference', 'password']) ajv.addFormat(format, true);
    for (const [name, schema] of Object.entries(document.components.schemas)) ajv.addSchema(detached(schema), name);
  }

  const checker =
    (validate: ValidateFunction, prefix: string): Check =>
    (raw) => {
      const value = structuredClone(raw);
      if (!validate(value)) throw invalidRequest(toFieldErrors(validate.errors, prefix));
      return value;
    };

  return {
    query: (parameters) => {
      const check = checker(forQueries.compile(querySchema(parameters)), '/query');
      return (raw) => check({ ...(raw as object) });
    },
    body: (schema) => checker(forBodies.compile(detached(schema)), ''),
  };
};
