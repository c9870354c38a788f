import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { contextOf } from './context.js';
import { PROBES } from './probes.js';

/**
 * One line per request. The route stands for the path and the query is left out: both may hold what a log should not. What a vendor
 * said is named by its code and its request id.
 */
export const requestLog =
  (log: Logger): RequestHandler =>
  (request, response, next) => {
    response.on('close', () => {
      const { call, caller, startedMs, route, clusterId, error } = contextOf(response);
      const level = response.statusCode >= 500 ? 'warn' : PROBES.has(route) ? 'debug' : 'info';
      log[level](
        {
          requestId: call.requestId,
          caller: caller?.id ?? undefined,
          method: request.method,
          route: route ?? null,
          clusterId,
          status: response.statusCode,
          code: error?.code,
          detail: response.statusCode >= 500 ? error?.message : undefined,
          vendor: error?.vendor && { name: error.vendor.name, code: error.vendor.code, requestId: error.vendor.requestId },
          aborted: response.writableFinished ? undefined : true,
          ms: Math.round(performance.now() - startedMs),
        },
        'request',
      );
    });
    next();
  };
