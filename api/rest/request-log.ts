import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { contextOf, type RequestContext } from './context.js';
import { PROBES } from './probes.js';

/** Lines in a second of requests that a stranger can send at will: those that name no caller, and those that are turned away. */
const MAX_STRANGERS_LINES = 20;
const SECOND_MS = 1_000;

const TURNED_AWAY: ReadonlySet<string | undefined> = new Set(['too_busy', 'caller_rate_limited']);

const isStrangers = ({ caller, error, route }: RequestContext): boolean =>
  (caller === undefined && !PROBES.has(route)) || TURNED_AWAY.has(error?.code);

/** Lets so many lines of a second through. @returns whether this one, with how many were left out before it */
const createThrottle = () => {
  let second = 0;
  let lines = 0;
  let suppressed = 0;
  return (nowMs: number): { readonly isShown: boolean; readonly suppressed: number } => {
    const present = Math.floor(nowMs / SECOND_MS);
    if (present !== second) [second, lines] = [present, 0];
    if (++lines > MAX_STRANGERS_LINES) {
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
export const requestLog = (log: Logger): RequestHandler => {
  const throttle = createThrottle();
  return (request, response, next) => {
    response.on('close', () => {
      const context = contextOf(response);
      const { call, caller, address, startedMs, route, clusterId, error } = context;
      const strangers = isStrangers(context) ? throttle(performance.now()) : undefined;
      if (strangers?.isShown === false) return;
      const level = response.statusCode >= 500 ? 'warn' : PROBES.has(route) ? 'debug' : 'info';
      log[level](
        {
          requestId: call.requestId,
          caller: caller?.id ?? undefined,
          address,
          method: request.method,
          route: route ?? null,
          clusterId,
          status: response.statusCode,
          code: error?.code,
          detail: response.statusCode >= 500 ? error?.message : undefined,
          vendor: error?.vendor && { name: error.vendor.name, code: error.vendor.code, requestId: error.vendor.requestId },
          aborted: response.writableFinished ? undefined : true,
          suppressed: strangers?.suppressed || undefined,
          ms: Math.round(performance.now() - startedMs),
        },
        'request',
      );
    });
    next();
  };
};
