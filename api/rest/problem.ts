/** GatewayError → RFC 9457. The one table of statuses. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { GatewayError } from '../../src/errors.js';
import type { ErrorCode, Problem } from '../../src/model.js';
import type { Links } from './base.js';

export interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** What it means and what to do about it, for the page of the problem. */
  readonly help: string;
}

export const PROBLEM_TYPES: Readonly<Record<ErrorCode, ProblemType>> = {
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    help: 'The request does not fit the OpenAPI document. `errors` points at each place; correct it and send again.',
  },
  unauthenticated: {
    status: 401,
    title: 'Unauthenticated',
    help: 'The request names no caller, or its key or token is not valid. `WWW-Authenticate` says how to authenticate: `Authorization: Bearer` with an API key or a token, or `X-API-Key`.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    help: 'The caller is known, and may not do this: `detail` names the right, or the role, that is missing. The operator of the gateway can grant it in `auth`.',
  },
  misdirected_request: {
    status: 421,
    title: 'Misdirected request',
    help: 'The `Host` of the request is not a name of this gateway, as `server.publicUrl` and `server.allowedHosts` have them.',
  },
  caller_rate_limited: {
    status: 429,
    title: 'Caller rate limit',
    help: 'The caller has sent more requests than they may in a minute (`limits.requestsPerCallerPerMinute`). `RateLimit` of every answer shows how many are left. Try again after `Retry-After` seconds.',
  },
  too_busy: {
    status: 503,
    title: 'Too busy',
    help: 'The gateway, or this caller, has as many requests in flight as it takes (`limits.maxRequestsInFlight`; a caller may use half of it), or too many reads of this caller at one cluster were before it. Nothing was begun. Try again after `Retry-After` seconds, with fewer requests at once.',
  },
  issuer_unavailable: {
    status: 503,
    title: 'Issuer unavailable',
    help: "The public keys of the token's issuer cannot be read, so nobody can say whether the token is good. Try again after `Retry-After` seconds.",
  },
  request_timeout: {
    status: 408,
    title: 'Request timeout',
    help: 'The request did not arrive in time (`server.sendSeconds`). Send it again at once, as a whole.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    help: 'The URL and the headers of a request may have 16 KiB together. Look up many users in several requests.',
  },
  not_found: { status: 404, title: 'Not found', help: 'There is nothing at this path. See `/openapi.json` for all paths.' },
  cluster_not_found: {
    status: 404,
    title: 'Cluster not found',
    help: 'No configured or discovered cluster has this id, or the vendor no longer has the cluster. `GET /clusters` lists them.',
  },
  user_not_found: {
    status: 404,
    title: 'User not found',
    help: 'The cluster has no user of this name. Names are compared exactly.',
  },
  operation_not_found: {
    status: 404,
    title: 'Operation not found',
    help: 'No operation has this id, or it ended longer ago than operations are kept. `GET /operations` lists them.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    help: 'The path exists; the `Allow` header names its methods.',
  },
  user_already_exists: {
    status: 409,
    title: 'User already exists',
    help: 'The cluster has a user of this name, so none was created and their password was not changed. Choose another name or change that user.',
  },
  cluster_not_ready: {
    status: 409,
    title: 'Cluster not ready',
    help: 'The state of the cluster does not allow it now. `GET /clusters/{clusterId}` shows the state; try again when it is `ready`.',
  },
  idempotency_key_in_flight: {
    status: 409,
    title: 'Idempotency key in flight',
    help: 'The same request is being processed and is not stored yet. Repeat it with the same `Idempotency-Key` after `Retry-After` seconds; it then waits for the operation of the first one.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency key reused',
    help: 'This `Idempotency-Key` belongs to a request with another body or other query parameters. A new request needs a new key.',
  },
  operation_cancelled: {
    status: 409,
    title: 'Operation cancelled',
    help: 'This write was cancelled before it was sent. Nothing was changed.',
  },
  precondition_failed: {
    status: 412,
    title: 'Precondition failed',
    help: 'The user is not as `If-Match` says: they were changed since they were read. Read the user again before changing them. With `If-None-Match: *`: the user is there already.',
  },
  payload_too_large: { status: 413, title: 'Payload too large', help: 'A request body may have up to 1 MiB.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    help: 'Send the body with a content type of the `Accept` header, most often `application/json`.',
  },
  invalid_user: {
    status: 422,
    title: 'Invalid user',
    help: 'A value breaks a rule of the cluster. Its `capabilities` state the rules; `errors` points at each value that the gateway rejected; `vendor.message` explains a value that only the vendor rejected.',
  },
  not_supported: {
    status: 501,
    title: 'Not supported',
    help: 'The vendor, or this kind of cluster, has no such function. `capabilities.features` of the cluster lists what there is.',
  },
  vendor_rate_limited: {
    status: 429,
    title: 'Vendor rate limit',
    help: 'The vendor throttles the account. Short waits are waited out; for longer ones, wait for `Retry-After` seconds before the next try. `detail` says so where the request may have changed something before.',
  },
  vendor_credentials_rejected: {
    status: 502,
    title: 'Vendor rejected the credentials',
    help: "The vendor does not accept the gateway's key for this account. The operator has to correct the configuration.",
  },
  vendor_permission_denied: {
    status: 502,
    title: 'Vendor denied permission',
    help: "The gateway's account lacks a permission at the vendor, or the vendor does not allow this on that user or cluster.",
  },
  vendor_account_problem: {
    status: 502,
    title: 'Vendor account problem',
    help: "The gateway's account at the vendor has overdue payments or has not enabled the service.",
  },
  vendor_clock_skew: {
    status: 502,
    title: 'Clock skew',
    help: "The gateway's clock and the vendor's differ by too much. The operator has to set the clock.",
  },
  cluster_agent_failed: {
    status: 502,
    title: 'Cluster agent failed',
    help: 'The vendor accepted the request, but it failed on the cluster. `vendor.message` has the reason; an operator may have to check the cluster.',
  },
  vendor_bad_response: {
    status: 502,
    title: 'Bad vendor response',
    help: "The vendor's answer is not what its documentation says. Report it with the `requestId`.",
  },
  vendor_unavailable: {
    status: 503,
    title: 'Vendor unavailable',
    help: 'The vendor cannot be reached, is busy or is down, and was waited for in vain. For a write, `detail` reports its outcome: not done, which a repetition may change, or not known, which a `GET` of the user may show. Try again after `Retry-After` seconds.',
  },
  vendor_timeout: {
    status: 504,
    title: 'Vendor timeout',
    help: 'The vendor did not answer before the deadline of the call. For a write, `detail` reports its outcome; where it is not known, read the user before trying again, or repeat the request with its `Idempotency-Key`, which reads once more and sends nothing.',
  },
  still_running: {
    status: 504,
    title: 'Still running',
    help: 'The write was accepted and continues, also when nobody waits for it; it only did not end within this request. `Location` and `operation.href` name its operation: `GET` it with `Prefer: wait=20` until `done` is true. Repeating the same request is safe: while the operation is open, the repetition joins it and nothing is sent twice. After its end only a repetition with the same `Idempotency-Key` gets its answer. For a batch, `results` of the operation report each item. For a cancellation: it is accepted, and items already sent complete first. With `Prefer: respond-async` the answer is 202 instead.',
  },
  store_unavailable: {
    status: 503,
    title: 'Store unavailable',
    help: 'The store in which the gateway keeps its operations does not answer, or was restored from a backup that lacks the key of a password (`detail` says so, and nothing was sent). Where `detail` does not say that nothing was begun, repeat the write with the same `Idempotency-Key`, or check `GET /operations`.',
  },
  backlog_full: {
    status: 503,
    title: 'Backlog full',
    help: 'Too many items of writes to this account, or to this cluster, wait already (`limits.maxOpenItems`; one cluster may use half of it). Nothing was begun. Try again after `Retry-After` seconds, or look at `GET /operations?state=running` for what takes so long.',
  },
  shutting_down: {
    status: 503,
    title: 'Shutting down',
    help: 'This gateway process is stopping. It still answers requests for `server.shutdownDelaySeconds`; send new ones to another process.',
  },
  internal_error: { status: 500, title: 'Internal error', help: 'A fault of the gateway. Report it with the `requestId`.' },
};

export const operationPath = (id: string, links: Links): string => links.to(`/operations/${id}`);

/** What a request line may hold and a URI reference (RFC 3986) may not. */
const NOT_IN_PATHS = /%(?![0-9a-f]{2})|[^\w.~:/@!$&'()*+,;=%-]/giu;

const asReference = (path: string): string => path.replace(NOT_IN_PATHS, encodeURIComponent);

/** What a problem is about. */
export interface About {
  /** The path of ours, as this process sees it. */
  readonly instance: string;
  readonly requestId: string;
  readonly links: Links;
}

export const toProblem = (error: GatewayError, { instance, requestId, links }: About): Problem => {
  const { status, title } = PROBLEM_TYPES[error.code];
  return {
    type: links.url(`/problems/${error.code}`),
    title,
    status,
    detail: error.message,
    instance: asReference(links.to(instance)),
    code: error.code,
    requestId,
    retryable: error.retryable,
    ...(error.errors && { errors: [...error.errors] }),
    ...(error.vendor && { vendor: error.vendor }),
    ...(error.operation !== undefined && { operation: { id: error.operation, href: operationPath(error.operation, links) } }),
  };
};

/** For errors that are worth another try and do not say when. */
const DEFAULT_RETRY_SECONDS = 5;
const MAX_RETRY_SECONDS = 3_600;

const COMES_BACK: ReadonlySet<number> = new Set([408, 429, 503, 504]);

/** Seconds for `Retry-After`: whole, from 1 to 3,600, whatever a vendor asked for. */
const retryAfter = (ms = DEFAULT_RETRY_SECONDS * 1000): string => {
  const seconds = Number.isNaN(ms) ? DEFAULT_RETRY_SECONDS : Math.ceil(ms / 1000);
  return String(Math.min(Math.max(seconds, 1), MAX_RETRY_SECONDS));
};

/** How to authenticate (RFC 6750, section 3). */
export const CHALLENGE = 'Bearer realm="hpc-gateway"';

/** An answer as it goes out. */
export interface Rendered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** In place of a body. */
  readonly stream?: AsyncIterable<string>;
}

export const renderProblem = (error: GatewayError, about: About): Rendered => {
  const problem = toProblem(error, about);
  const { status } = problem;
  const comesBack = (COMES_BACK.has(status) && error.retryable) || error.code === 'idempotency_key_in_flight';
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(error.lacks && { 'WWW-Authenticate': `${CHALLENGE}, error="insufficient_scope", scope="${error.lacks.join(' ')}"` }),
      ...(problem.operation && { Location: problem.operation.href }),
      ...(comesBack && { 'Retry-After': retryAfter(error.retryAfterMs) }),
    },
    body: JSON.stringify(problem),
  };
};

const UTF_8 = '; charset=utf-8';

/** Of a response that is streamed: ours, and those of the pipeline. */
const MAX_LISTENERS = 24;

/** Not by Express' own `send`: with `If-None-Match` it would answer any read with 304, which no operation documents. */
export const send = async (response: Response, { status, headers, body, stream }: Rendered): Promise<void> => {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  // Who leaves, or takes nothing, ends it; so does a failure in the middle, which cuts the connection.
  if (stream !== undefined && response.req.method !== 'HEAD') {
    response.setMaxListeners(MAX_LISTENERS);
    // What is before us waits for the head only so long.
    response.flushHeaders();
    await pipeline(Readable.from(stream), response).catch(() => undefined);
    return;
  }
  if (body === null) {
    response.end();
    return;
  }
  const type = headers['Content-Type'] ?? 'application/json';
  const content = Buffer.from(body);
  response.setHeader('Content-Type', type.includes(UTF_8) ? type : `${type}${UTF_8}`);
  response.setHeader('Content-Length', content.length);
  response.end(content);
};

export const sendProblem = (response: Response, error: GatewayError, about: About): Promise<void> =>
  send(response, renderProblem(error, about));
