import { type DocumentedOperation, type OpenApiDocument, operationsOf, readDocument } from './document.js';
import { type Check, createValidators } from './validation.js';

export const JSON_TYPE = 'application/json';
export const CSV = 'text/csv';

/** An operation of the document with its checks compiled. */
export interface CheckedOperation extends DocumentedOperation {
  readonly checkPath: Check;
  readonly checkQuery: Check;
  readonly checkHeaders: Check;
  /** By content type; empty where there is no body. */
  readonly checkBody: ReadonlyMap<string, Check>;
}

export interface Contract {
  readonly document: OpenApiDocument;
  readonly operations: readonly CheckedOperation[];
}

const compile = (document: OpenApiDocument): Contract => {
  const validators = createValidators(document);
  const operations = operationsOf(document).map((operation) => ({
    ...operation,
    checkPath: validators.path(operation.parameters),
    checkQuery: validators.query(operation.parameters),
    checkHeaders: validators.headers(operation.parameters),
    checkBody: new Map(
      Object.entries(operation.bodySchemas).map(([type, schema]) => [
        type,
        // A CSV is read as the JSON body that says the same.
        validators.body(type === CSV ? (operation.bodySchemas[JSON_TYPE] ?? schema) : schema),
      ]),
    ),
  }));
  return { document, operations };
};

let contract: Contract | undefined;

/** `openapi.yaml`, read and compiled once a process. */
export const loadContract = (): Contract => {
  contract ??= compile(readDocument());
  return contract;
};
