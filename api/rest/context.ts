import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Call } from '../../src/adapter.js';
import { ANYBODY, type Caller, type CallerCall } from '../../src/callers/caller.js';
import { systemClock } from '../../src/clock.js';
import { limitOf } from '../../src/deadline.js';
import type { GatewayError } from '../../src/errors.js';
import type { Trace, Traces } from '../../src/telemetry/trace.js';
import type { Links } from './base.js';
import type { CheckedOperation } from './contract.js';

export interface RequestContext {
  readonly requestId: string;
  readonly trace: Trace | undefined;
  /** How paths of ours are written for the one who asked. */
  readonly links: Links;
  /** Its signals are made when they are first needed: what is turned away before, or answered from what is kept, has none. */
  readonly call: Call & Pick<CallerCall, 'left'>;
  /** Of the caller, as far as trusted proxies name it. */
  readonly address: string;
  /** What was read before will not do (RFC 9111, section 5.2.1.4). */
  readonly isFresh: boolean;
  /** Once it is known. */
  caller?: Caller;
  /** Of the request, from a monotonic clock. */
  readonly startedMs: number;
  /** For the log: what the router found out, and how it failed. */
  route?: string;
  clusterId?: string | undefined;
  error?: GatewayError;
  /** For the audit trail: what is asked for, of whom, and whether there is an operation that has a record of its own. */
  operation?: CheckedOperation;
  usernames?: readonly string[];
  operationId?: string | undefined;
  hasOperation?: boolean;
  /** Gives back the place that it has among the requests in flight. */
  leave?: () => void;
  /** Whether its answer has had its turn among refusals. */
  isPaced?: boolean;
  isDry?: boolean;
}

/** What a caller may choose as its request id: it goes into headers and logs. */
const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** What is read for a caller who has left is read for nobody; a write continues. */
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Operations of which nobody waits for each call. */
const BATCHES: ReadonlySet<string | undefined> = new Set(['batchUsers', 'startOperation']);

/** Calls `act` when the caller leaves before the answer is out. */
const onLeaving = (response: Response, act: () => void): void => {
  if (response.destroyed) act();
  response.once('close', () => {
    if (!response.writableFinished) act();
  });
};

/** Aborts at the deadline, for a read also when the caller leaves. */
const signalOf = (response: Response, deadlineMs: number): AbortSignal => {
  const { signal, giveUp, stop } = limitOf(systemClock, deadlineMs);
  if (READS.has(response.req.method)) {
    onLeaving(response, giveUp);
    response.once('close', stop);
  }
  return signal;
};

/** Aborts when the caller leaves. */
const leaving = (response: Response): AbortSignal => {
  const left = new AbortController();
  onLeaving(response, () => left.abort());
  return left.signal;
};

export const contextOf = (response: Response): RequestContext => response.locals['context'] as RequestContext;

/** The call of a request whose caller is known. */
export const callerCallOf = ({ call, caller = ANYBODY, address, isFresh }: RequestContext): CallerCall => ({
  requestId: call.requestId,
  get purpose() {
    return call.purpose ?? 'read';
  },
  get signal() {
    return call.signal;
  },
  ...(call.left && { left: call.left }),
  caller,
  owner: caller.id ?? address,
  address,
  isFresh,
});

/** Gives each request its id and its deadline. */
export const withContext =
  (deadlineMs: number, isDemo: boolean, traces: Traces, linksOf: (request: Request) => Links): RequestHandler =>
  (request, response, next) => {
    const given = request.get('x-request-id');
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
    const startedMs = performance.now();
    let signal: AbortSignal | undefined;
    let left: AbortSignal | undefined;
    const isRead = READS.has(request.method);
    const context: RequestContext = {
      requestId,
      trace: traces.begin(requestId, request.get('traceparent')),
      links: linksOf(request),
      call: {
        requestId,
        get purpose() {
          if (isRead) return 'read';
          return BATCHES.has(contextOf(response).operation?.operationId) ? 'batch' : 'write';
        },
        get signal() {
          signal ??= signalOf(response, deadlineMs - (performance.now() - startedMs));
          return signal;
        },
        ...(isRead && {
          left: () => {
            left ??= leaving(response);
            return left;
          },
        }),
      },
      address: request.ip ?? '',
      isFresh: /\bno-cache\b/i.test(request.get('cache-control') ?? ''),
      startedMs,
    };
    response.locals['context'] = context;
    response.setHeader('X-Request-Id', requestId);
    response.setHeader('Cache-Control', 'no-store');
    if (isDemo) response.setHeader('X-Demo', 'true');
    next();
  };
