/** Requests against the document, by ajv. */
import { Ajv2020 as Ajv, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { GatewayError } from '../../src/errors.js';
import type { FieldError } from '../../src/model.js';
import type { OpenApiDocument, Parameter } from './document.js';
import { FORMATS, OTHER_FORMATS } from './formats.js';

const pointerOf = ({ instancePath, keyword, params }: ErrorObject): string => {
  const key =
    keyword === 'required'
      ? params['missingProperty']
      : keyword === 'additionalProperties'
        ? params['additionalProperty']
        : keyword === 'discriminator'
          ? params['tag']
          : undefined;
  return key === undefined ? instancePath : `${instancePath}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
};

const TYPE_WORDS: Readonly<Record<string, string>> = { integer: 'must be a whole number', boolean: 'must be true or false' };

/** What an error says in words of ours. */
const messageOf = ({ keyword, params, message = 'is not valid' }: ErrorObject): string => {
  switch (keyword) {
    case 'format':
      return FORMATS[String(params['format'])]?.words ?? message;
    case 'maxItems':
      return `must have at most ${params['limit']} items`;
    case 'minItems':
      return `must have at least ${params['limit']} items`;
    case 'additionalProperties':
      return 'is not known';
    case 'required':
      return 'is missing';
    case 'type':
      return TYPE_WORDS[String(params['type'])] ?? message;
    case 'maxLength':
      return `must have at most ${params['limit']} characters`;
    case 'minLength':
      return params['limit'] === 1 ? 'must not be empty' : message;
    case 'discriminator':
      return params['error'] === 'mapping' ? 'has an unknown value' : 'is missing, or no text';
    case 'minProperties':
      return 'changes nothing';
    case 'enum':
      return `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
    default:
      return message;
  }
};

/** A name that a stranger has chosen may be as long as a body. */
const MAX_POINTER = 256;

const shortened = (pointer: string): string =>
  pointer.length > MAX_POINTER ? `${pointer.slice(0, MAX_POINTER)}…`.toWellFormed() : pointer;

const toFieldErrors = (errors: readonly ErrorObject[] | null | undefined, prefix: string): FieldError[] =>
  (errors ?? []).map((error) => ({ pointer: shortened(`${prefix}${pointerOf(error)}`), message: messageOf(error) }));

const PLACES: Readonly<Record<string, string>> = { query: 'query parameter', header: 'header', path: 'path parameter' };

const inWords = ({ pointer, message }: FieldError): string => {
  const [, place = '', name = ''] = /^\/(query|header|path)\/(.*)$/.exec(pointer) ?? [];
  if (place !== '') return `The ${PLACES[place]} ${name} ${message}.`;
  return pointer === '' ? `The body ${message}.` : `The field ${pointer} ${message}.`;
};

/** A thousand items can have thousands of mistakes; the first ones show what is wrong. */
const MOST_ERRORS = 20;

export const invalidRequest = (all: readonly FieldError[]): GatewayError => {
  const errors = all.slice(0, MOST_ERRORS);
  const more = all.length > errors.length ? [`There are ${all.length - errors.length} more.`] : [];
  return new GatewayError('invalid_request', [...errors.map(inWords), ...more].join(' '), { errors });
};

/** One mistake, of the whole body unless a pointer says of what. @throws invalid_request */
export const refuse = (message: string, pointer = ''): never => {
  throw invalidRequest([{ pointer, message }]);
};

/** Answers the value with its defaults filled in. @throws invalid_request */
export type Check = (raw: unknown) => unknown;

export interface Validators {
  path(parameters: readonly Parameter[]): Check;
  /** Turns text into the numbers that the schemas ask for. */
  query(parameters: readonly Parameter[]): Check;
  /** Takes headers by the names of the document; those that it does not name are nobody's business. */
  headers(parameters: readonly Parameter[]): Check;
  body(schema: object): Check;
}

const COMPONENTS = '#/components/schemas/';

/** A schema taken out of the document; its references become the names under which the components are registered. */
const detached = (schema: object): object =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    // ajv finds the branch by the `const` of each; it does not take the mapping.
    if (key === 'discriminator') return { propertyName: (value as { propertyName: string }).propertyName };
    return key === '$ref' && typeof value === 'string' && value.startsWith(COMPONENTS) ? value.slice(COMPONENTS.length) : value;
  }) as object;

const parameterSchema = (parameters: readonly Parameter[], place: Parameter['in']): object => {
  const there = parameters.filter((parameter) => parameter.in === place);
  return {
    type: 'object',
    additionalProperties: false,
    required: there.filter(({ required }) => required).map(({ name }) => name),
    properties: Object.fromEntries(there.map(({ name, schema }) => [name, detached(schema)])),
  };
};

/** Errors that end the look for others: in a list without end there may be mistakes without end. */
const ENOUGH: ReadonlySet<string | undefined> = new Set(['maxItems']);

/**
 * @param first stops at the first error
 * @param all finds them all, so that a caller can mend them at once; made when it is needed
 */
const checker =
  (first: ValidateFunction, all: () => ValidateFunction, prefix: string): Check =>
  (value) => {
    if (first(value)) return value;
    if (ENOUGH.has(first.errors?.[0]?.keyword)) throw invalidRequest(toFieldErrors(first.errors, prefix));
    const thorough = all();
    thorough(value);
    throw invalidRequest(toFieldErrors(thorough.errors, prefix));
  };

/** Numbers of a query are plain decimal digits, truth is `true` or `false`; anything else stays text, which the schema refuses. */
const fromText = (type: unknown, text: unknown): unknown => {
  if (type === 'integer' && typeof text === 'string' && /^-?\d+$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
};

const refuseRepeated = (query: Readonly<Record<string, unknown>>): void => {
  const repeated = Object.keys(query).filter((name) => Array.isArray(query[name]));
  if (repeated.length > 0)
    throw invalidRequest(
      repeated.map((name) => ({ pointer: shortened(`/query/${name}`), message: 'is repeated; give it once' })),
    );
};

const withTypes = (query: Readonly<Record<string, unknown>>, parameters: readonly Parameter[]): Record<string, unknown> => {
  const types = new Map(parameters.map(({ name, schema }) => [name, 'type' in schema ? schema.type : undefined]));
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, fromText(types.get(name), value)]));
};

const createAjv = (document: OpenApiDocument, allErrors: boolean): Ajv => {
  const ajv = new Ajv({
    allErrors,
    useDefaults: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    discriminator: true,
    verbose: true,
    // The document is checked by a test; here this would make each start slower.
    meta: false,
    validateSchema: false,
  });
  ajv.addVocabulary(['x-enum-varnames']);
  for (const [format, { fits }] of Object.entries(FORMATS)) ajv.addFormat(format, fits);
  for (const format of OTHER_FORMATS) ajv.addFormat(format, true);
  for (const [name, schema] of Object.entries(document.components.schemas)) ajv.addSchema(detached(schema), name);
  return ajv;
};

export const createValidators = (document: OpenApiDocument): Validators => {
  const first = createAjv(document, false);
  let all: Ajv | undefined;
  // Compiling takes long; ajv keeps what it has compiled.
  const thorough = (schema: object) => (): ValidateFunction => {
    all ??= createAjv(document, true);
    return all.compile(schema);
  };
  const compile = (schema: object, prefix: string): Check => checker(first.compile(schema), thorough(schema), prefix);

  return {
    path: (parameters) => compile(parameterSchema(parameters, 'path'), '/path'),
    query: (parameters) => {
      const check = compile(parameterSchema(parameters, 'query'), '/query');
      return (raw) => {
        const given = raw as Readonly<Record<string, unknown>>;
        refuseRepeated(given);
        return check(withTypes(given, parameters));
      };
    },
    headers: (parameters) => {
      const names = parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
      const check = compile(parameterSchema(parameters, 'header'), '/header');
      return (raw) => {
        const given = raw as Readonly<Record<string, unknown>>;
        const named = names.map((name) => [name, given[name.toLowerCase()]] as const);
        return check(Object.fromEntries(named.filter(([, value]) => value !== undefined)));
      };
    },
    body: (schema) => compile(detached(schema), ''),
  };
};
