/** The document, by a reader of its own: what requests are made from, and what answers are held against. */
import { readFileSync } from 'node:fs';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
  readonly format?: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Reference {
  readonly $ref?: string;
}

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly (Parameter & Reference)[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, Reference & { readonly content?: Readonly<Record<string, object>> }>>;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** By media type. */
  readonly bodies: readonly (readonly [type: string, schema: Schema])[];
  /** By status: JSON pointers to the schemas of each media type; none where the answer has no body. */
  readonly answers: ReadonlyMap<number, ReadonlyMap<string, string>>;
}

export const document = JSON.parse(readFileSync('dist/openapi.json', 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
};

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

const step = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

export const resolve = <T extends object>(value: T & Reference): T => {
  const { $ref } = value;
  if ($ref === undefined) return value;
  const found = $ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document);
  return resolve(found as T & Reference);
};

const pointersOf = (operation: RawOperation, base: string): Operation['answers'] =>
  new Map(
    Object.entries(operation.responses).flatMap(([status, response]) => {
      const at = response.$ref?.slice(1) ?? `${base}/responses/${status}`;
      const types = Object.keys(resolve(response).content ?? {});
      const schemas = new Map(types.map((type) => [type, `${at}/content/${step(type)}/schema`]));
      const statuses = status === '2XX' ? [200, 202].filter((one) => !operation.responses[one]) : [Number(status)];
      return statuses.map((one) => [one, schemas] as const);
    }),
  );

export const OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => {
    const operation = item[method] as RawOperation;
    return {
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      parameters: (operation.parameters ?? []).map((parameter) => resolve<Parameter>(parameter)),
      bodies: Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) => [type, schema] as const),
      answers: pointersOf(operation, `/paths/${step(path)}/${method}`),
    };
  }),
);

const escaped = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');

const SHAPES = OPERATIONS.map(
  (operation) => [operation, new RegExp(`^${escaped(operation.path).replace(/\{\w+\}/g, '[^/]+')}$`, 's')] as const,
);

/** The operation that a path, not decoded, leads to by this method. */
export const operationAt = (method: string, path: string): Operation | undefined =>
  SHAPES.find(([operation, shape]) => operation.method === method && shape.test(path))?.[0];
