import { readFileSync } from 'node:fs';
import { VERBS, type Verb } from '../../src/callers/rights.js';
import { projectFile } from '../../src/project.js';

export const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;
export type Method = (typeof METHODS)[number];

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
  readonly schema: object;
}

/** One operation with its references to parameters resolved. */
export interface DocumentedOperation {
  readonly operationId: string;
  readonly method: Method;
  /** With `{name}` placeholders. */
  readonly path: string;
  /** Its caller needs one of these rights; none of an operation that needs no caller. */
  readonly verbs: readonly Verb[];
  readonly tags: readonly string[];
  readonly parameters: readonly Parameter[];
  /** By content type; empty where there is no body. */
  readonly bodySchemas: Readonly<Record<string, object>>;
}

type Json = Record<string, unknown>;

export interface OpenApiDocument extends Json {
  readonly paths: Readonly<Record<string, Json>>;
  readonly servers: readonly { readonly url: string }[];
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** The contract of `openapi.yaml`, as the build writes it. */
export const readDocument = (): OpenApiDocument =>
  JSON.parse(readFileSync(projectFile('dist/openapi.json'), 'utf8')) as OpenApiDocument;

/** Ways to send a credential: each operation takes both. */
const SCHEMES = ['bearer', 'apiKey'];

type Requirement = Readonly<Record<string, readonly string[]>>;

/** `{ bearer: [read] }` → `bearer read`; undefined where it is not one scheme with one right. An empty one would be met by anybody. */
const ruleIn = (requirement: Requirement): string | undefined => {
  const [[scheme = '', names = []] = [], ...others] = Object.entries(requirement);
  const [verb = ''] = names;
  const isKnown = SCHEMES.includes(scheme) && (VERBS as readonly string[]).includes(verb);
  return isKnown && others.length === 0 && names.length === 1 ? `${scheme} ${verb}` : undefined;
};

/**
 * The requirements of an operation name its rights where OAuth has scopes, one each, and the same for each scheme.
 * @throws TypeError where there is no such rule
 */
const verbsOf = (operation: Json): Verb[] => {
  const { operationId, security } = operation;
  const rules = Array.isArray(security) ? (security as Requirement[]).map(ruleIn) : [undefined];
  const verbs = [...new Set(rules.map((rule) => rule?.split(' ')[1]))];
  const isSame = verbs.every((verb) => SCHEMES.every((scheme) => rules.includes(`${scheme} ${verb}`)));
  if (rules.includes(undefined) || !isSame)
    throw new TypeError(
      `The operation ${operationId} of openapi.yaml has no rule: its security has to name one right for each scheme, or be [].`,
    );
  return verbs as Verb[];
};

export const operationsOf = (document: OpenApiDocument): DocumentedOperation[] => {
  const resolve = (item: Json): Json => {
    if (typeof item['$ref'] !== 'string') return item;
    return item['$ref']
      .slice(2)
      .split('/')
      .reduce<Json>((node, step) => node[step] as Json, document);
  };
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method): DocumentedOperation => {
      const operation = item[method] as Json;
      const parameters = (operation['parameters'] as Json[]) ?? [];
      const content = ((operation['requestBody'] as Json | undefined)?.['content'] ?? {}) as Record<string, { schema: object }>;
      return {
        operationId: String(operation['operationId']),
        method,
        path,
        verbs: verbsOf(operation),
        tags: (operation['tags'] as string[]) ?? [],
        parameters: parameters.map((parameter) => resolve(parameter) as unknown as Parameter),
        bodySchemas: Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema])),
      };
    }),
  );
};
