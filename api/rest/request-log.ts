import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { contextOf } from './context.js';

/** One line per request. The route stands for the path and the query is left out: both may hold what a log should not. */
export const requestLog =
  (log: Logger): RequestHandler =>
  (request, response, next) => {
    const { call, startedMs } = contextOf(response);
    response.on('close', () => {
      const route: unknown = request.route?.path;
      log.info(
        {
          requestId: call.requestId,
          method: request.method,
          route: typeof route === 'string' ? route : null,
          clusterId: request.params['clusterId'],
          status: response.statusCode,
          aborted: response.writableFinished ? undefined : true,
          ms: Math.round(performance.now() - startedMs),
        },
        'request',
      );
    });
    next();
  };
