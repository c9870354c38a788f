import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Events } from '../../src/telemetry/events.js';
import { contextOf } from './context.js';
import { PROBES } from './probes.js';
import { isUnwanted } from './unwanted.js';

/** Lines in a second of requests that anybody can send at will. */
const MAX_UNWANTED_LINES = 20;
const SECOND_MS = 1_000;
/** The caller left before there was an answer: nginx' word for it. */
const GIVEN_UP = 499;

/** Lets so many lines of a second through. @returns whether this one, with how many were left out before it */
const createThrottle = () => {
  let second = 0;
  let lines = 0;
  let suppressed = 0;
  return (nowMs: number): { readonly isShown: boolean; readonly suppressed: number } => {
    const present = Math.floor(nowMs / SECOND_MS);
    if (present !== second) [second, lines] = [present, 0];
    if (++lines > MAX_UNWANTED_LINES) {
      suppressed++;
      return { isShown: false, suppressed };
    }
    const before = suppressed;
    suppressed = 0;
    return { isShown: true, suppressed: before };
  };
};

/**
 * One line per request. The route is in place of the path and the query is left out: both may hold what a log should not. What a vendor
 * said is named by its code and its request id.
 */
export const requestLog = (log: Logger, events: Events): RequestHandler => {
  const throttle = createThrottle();
  return (request, response, next) => {
    response.on('close', () => {
      const context = contextOf(response);
      const { requestId, trace, caller, address, startedMs, route, operation, clusterId, error } = context;
      const durationMs = performance.now() - startedMs;
      const status = response.headersSent ? response.statusCode : GIVEN_UP;
      const { method } = request;
      events.emit('request', { operation: operation?.operationId ?? 'none', method, route, trace, status, durationMs });
      const unwanted = isUnwanted(context) ? throttle(performance.now()) : undefined;
      if (unwanted?.isShown === false) return;
      const level = status >= 500 ? 'warn' : PROBES.has(route) ? 'debug' : 'info';
      log[level](
        {
          requestId,
          traceId: trace?.traceId,
          caller: caller?.id ?? undefined,
          address,
          method,
          route: route ?? null,
          operation: operation?.operationId,
          clusterId,
          status,
          code: error?.code,
          detail: status >= 500 ? error?.message : undefined,
          vendor: error?.vendor && { name: error.vendor.name, code: error.vendor.code, requestId: error.vendor.requestId },
          aborted: response.writableFinished ? undefined : true,
          suppressed: unwanted?.suppressed || undefined,
          ms: Math.round(durationMs),
        },
        'request',
      );
    });
    next();
  };
};
