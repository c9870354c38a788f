import { type DocumentedOperation, type OpenApiDocument, operationsOf, readDocument } from './document.js';
import { type Check, createValidators } from './validation.js';

/** An operation of the document with its checks compiled. */
export interface CheckedOperation extends DocumentedOperation {
  readonly checkQuery: Check;
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
    checkQuery: validators.query(operation.parameters),
    checkBody: new Map(Object.entries(operation.bodySchemas).map(([type, schema]) => [type, validators.body(schema)])),
  }));
  return { document, operations };
};

let contract: Contract | undefined;

/** `openapi.yaml`, read and compiled once a process. */
export const loadContract = (): Contract => {
  contract ??= compile(readDocument());
  return contract;
};
