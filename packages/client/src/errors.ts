import type { components } from './openapi.js';

export type Problem = components['schemas']['Problem'];
export type ErrorCode = components['schemas']['ErrorCode'];
export type Operation = components['schemas']['Operation'];

/** The base of all errors that this client throws, but for `TypeError` where it is called wrongly and the reason of an aborted signal. */
export class GatewayClientError extends Error {
  override readonly name: string = 'GatewayClientError';
}

/** The gateway refused or failed, and said why (RFC 9457). `message` is its `detail`. */
export class GatewayProblem extends GatewayClientError {
  override readonly name = 'GatewayProblem';
  /** Stable; the gateway explains it at `/problems/{code}`. Newer gateways may have codes that this version does not list. */
  readonly code: ErrorCode;
  /** The HTTP status. */
  readonly status: number;
  /** Whether the same request can succeed later without a change. */
  readonly retryable: boolean;
  /** Which members of the request are wrong. */
  readonly errors: NonNullable<Problem['errors']>;
  /** To be quoted when the failure is reported. */
  readonly requestId: string;
  /** What the vendor said, without secrets. */
  readonly vendor: Problem['vendor'];
  /** The operation to follow; with `still_running`. */
  readonly operationId: string | undefined;
  /** Milliseconds to wait before the next try, where the gateway said so. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.retryable = problem.retryable;
    this.errors = problem.errors ?? [];
    this.requestId = problem.requestId;
    this.vendor = problem.vendor;
    this.operationId = problem.operation?.id;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The gateway could not be reached, or did not answer in time. A write may have been accepted all the same. */
export class GatewayUnreachable extends GatewayClientError {
  override readonly name = 'GatewayUnreachable';
}

/** What answered is not the gateway, or is a proxy in its place. */
export class UnexpectedAnswer extends GatewayClientError {
  override readonly name = 'UnexpectedAnswer';
  /** The HTTP status. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The operation was not done in time. It continues in the gateway. */
export class WaitTimeout extends GatewayClientError {
  override readonly name = 'WaitTimeout';
  readonly operationId: string;
  /** As it was seen last; undefined where it was not seen. */
  readonly operation: Operation | undefined;

  constructor(operationId: string, operation: Operation | undefined, timeoutMs: number) {
    const progress = operation ? ` (${operation.progress.settled} of ${operation.progress.total} items settled)` : '';
    super(`The operation ${operationId} was not done within ${timeoutMs / 1000} s${progress}. It continues in the gateway.`);
    this.operationId = operationId;
    this.operation = operation;
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isPlace = (value: unknown): boolean =>
  isObject(value) && typeof value['pointer'] === 'string' && typeof value['message'] === 'string';

/** Undefined where it is no problem of a gateway. Its list of places is left out where it is none. */
export const toProblem = (value: unknown): Problem | undefined => {
  if (!isObject(value)) return undefined;
  const { code, detail, status, errors, ...rest } = value;
  if (typeof code !== 'string' || typeof detail !== 'string' || typeof status !== 'number') return undefined;
  const isList = Array.isArray(errors) && errors.every(isPlace);
  return { ...rest, code, detail, status, ...(isList && { errors }) } as unknown as Problem;
};
