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
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** The contract of `openapi.yaml`, as the build writes it. */
export const readDocument = (): OpenApiDocument =>
  JSON.parse(readFileSync(projectFile('dist/openapi.json'), 'utf8')) as OpenApiDocument;

/** The requirement of an operation names its rights where OAuth has scopes, the same for each scheme. @throws TypeError where there is none */
const verbsOf = (operation: Json): Verb[] => {
  const { operationId, security } = operation;
  const named = Array.isArray(security) ? (security as Readonly<Record<string, readonly string[]>>[]) : undefined;
  const verbs = [...new Set(named?.flatMap((requirement) => Object.values(requirement).flat()))];
  const isRule = named?.every((requirement) => Object.values(requirement).every((names) => names.length > 0));
  if (!isRule || verbs.some((verb) => !(VERBS as readonly string[]).includes(verb)))
    throw new TypeError(`The operation ${operationId} of openapi.yaml has no rule: its security has to name rights, or be [].`);
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
