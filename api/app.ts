import express, { type Express } from 'express';
import type { Logger } from 'pino';
import type { Report } from '../src/errors.js';
import type { Clusters } from '../src/service/clusters.js';
import type { Operations } from '../src/service/operations.js';
import type { Users } from '../src/service/users.js';
import { withContext } from './rest/context.js';
import { loadContract } from './rest/contract.js';
import { docs } from './rest/docs.js';
import { sendFailure, unknownPath } from './rest/failures.js';
import { clusterHandlers } from './rest/handlers/clusters.js';
import { operationHandlers } from './rest/handlers/operations.js';
import { serviceHandlers } from './rest/handlers/service.js';
import { userHandlers } from './rest/handlers/users.js';
import { requestLog } from './rest/request-log.js';
import { createRouter } from './rest/router.js';

export interface AppDeps {
  readonly clusters: Clusters;
  readonly users: Users;
  readonly operations: Operations;
  readonly log: Logger;
  readonly report: Report;
  readonly deadlineMs: number;
}

/** The Express application, not listening yet. @throws TypeError when the document and the handlers do not match */
export const createApp = ({ clusters, users, operations, log, report, deadlineMs }: AppDeps): Express => {
  const { document, operations: documented } = loadContract();
  const handlers = {
    ...clusterHandlers(clusters),
    ...userHandlers(users),
    ...operationHandlers(operations),
    ...serviceHandlers(document),
  };

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(withContext(deadlineMs));
  app.use(requestLog(log));
  app.use(createRouter(documented, handlers));
  app.use(docs(document));
  app.use(unknownPath);
  app.use(sendFailure(report));
  return app;
};
