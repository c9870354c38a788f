import { readFileSync } from 'node:fs';
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
        parameters: parameters.map((parameter) => resolve(parameter) as unknown as Parameter),
        bodySchemas: Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema])),
      };
    }),
  );
};
