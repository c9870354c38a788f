/** Types that tie a handler to its operation in the document: a gap either way does not compile. */
import type { CallerCall } from '../../src/callers/caller.js';
import type { GatewayError } from '../../src/errors.js';
import type { operations } from '../../src/generated/openapi.js';
import type { Submission } from '../../src/writes/new-operation.js';
import type { Links } from './base.js';
import type { Preference } from './prefer.js';

export type OperationId = keyof operations;

type ContentOf<T> = T extends { content: infer C } ? C[keyof C] : undefined;
type Success = 200 | 201 | 202 | 204 | 302 | 304;
/** What only callers get that ask for it: a dry run, or 202. */
type AskedFor = '2XX';

export interface Input<Id extends OperationId> {
  readonly params: NonNullable<operations[Id]['parameters']['path']>;
  /** Checked, with numbers as numbers and defaults filled in. */
  readonly query: NonNullable<operations[Id]['parameters']['query']>;
  /** Checked, with defaults filled in. */
  readonly body: operations[Id] extends { requestBody: infer B } ? ContentOf<B> : undefined;
  /** Checked, by the names of the document. */
  readonly headers: NonNullable<operations[Id]['parameters']['header']>;
  /** The media type that the caller likes best of these, the first one where it does not matter; undefined where it takes none. */
  accepts(types: readonly string[]): string | undefined;
  /** That an answer which has begun cannot be ended. */
  noteFailure(failure: GatewayError): void;
  /** Path and query as they came. */
  readonly url: string;
  readonly call: CallerCall;
  readonly links: Links;
  /** For a write: how it is to be made and waited for. */
  readonly submission: PreferredSubmission;
}

export interface PreferredSubmission extends Submission {
  readonly preference: Preference;
  readonly links: Links;
  /** Is called with an operation that the request began, joined or is answered from. */
  onOperation(id: string): void;
}

/** An answer that the document names. Errors are thrown. */
export type Reply<Id extends OperationId> = {
  [Status in keyof operations[Id]['responses'] & (Success | AskedFor)]: {
    readonly status: Status extends AskedFor ? 200 | 202 : Status;
    readonly body?: ContentOf<operations[Id]['responses'][Status]>;
    readonly headers?: Readonly<Record<string, string>>;
    /** In place of a body that is written already. */
    readonly json?: string;
    /** Default `application/json`. */
    readonly type?: string;
    /** In place of a body. */
    readonly stream?: AsyncIterable<string>;
  };
}[keyof operations[Id]['responses'] & (Success | AskedFor)];

/** A handler and its answer without the types of one operation. */
export type AnyHandler = (input: object) => Promise<AnyReply> | AnyReply;

export interface AnyReply {
  readonly status: number;
  readonly body?: unknown;
  readonly json?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly stream?: AsyncIterable<string>;
}

export type Handler<Id extends OperationId> = (input: Input<Id>) => Promise<Reply<Id>> | Reply<Id>;

export type Handlers = { readonly [Id in OperationId]: Handler<Id> };
