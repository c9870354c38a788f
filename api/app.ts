import express, { type Express } from 'express';
import type { Logger } from 'pino';
import type { Audit } from '../src/audit/service.js';
import type { Authenticate } from '../src/callers/authenticate.js';
import type { Rate } from '../src/callers/rate.js';
import type { Accounts } from '../src/clusters/condition.js';
import type { Clusters } from '../src/clusters/directory.js';
import type { Report } from '../src/errors.js';
import type { Idempotency } from '../src/idempotency/service.js';
import type { Store } from '../src/store/store.js';
import type { Events } from '../src/telemetry/events.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import type { Traces } from '../src/telemetry/trace.js';
import type { UserCommands } from '../src/users/commands.js';
import type { Users } from '../src/users/queries.js';
import type { Operations } from '../src/writes/operations.js';
import { linksFor, withoutSlash } from './rest/base.js';
import { withContext } from './rest/context.js';
import { loadContract } from './rest/contract.js';
import { type DocsOptions, docs, withExample } from './rest/docs.js';
import { sendFailure, unknownPath } from './rest/failures.js';
import { accountHandlers } from './rest/handlers/accounts.js';
import { auditHandlers } from './rest/handlers/audit.js';
import { clusterHandlers } from './rest/handlers/clusters.js';
import { operationHandlers } from './rest/handlers/operations.js';
import { serviceHandlers } from './rest/handlers/service.js';
import { userHandlers } from './rest/handlers/users.js';
import { replyOf, replyTo, writeHandlers } from './rest/handlers/writes.js';
import { parseQuery } from './rest/query.js';
import { createRefusals } from './rest/refusals.js';
import { requestLog } from './rest/request-log.js';
import { createRouter } from './rest/router.js';
import { checkOrigin, crossOrigin, protectiveHeaders } from './rest/security/browsers.js';
import { createGuard } from './rest/security/guard.js';
import { checkHost, createIsOurs, type HostsOptions } from './rest/security/hosts.js';
import { createInFlight } from './rest/security/in-flight.js';
import { createPace } from './rest/security/pace.js';
import { checkProtocol } from './rest/security/protocol.js';
import { createShares } from './rest/security/shares.js';

export interface AppDeps {
  readonly clusters: Clusters;
  readonly accounts: Accounts;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly traces: Traces;
  readonly users: Users;
  readonly commands: UserCommands;
  readonly operations: Operations;
  readonly idempotency: Idempotency;
  readonly audit: Audit;
  readonly store: Store;
  readonly log: Logger;
  readonly report: Report;
  readonly deadlineMs: number;
  /** In milliseconds since 1970. */
  readonly now: () => number;
  readonly authenticate: Authenticate;
  readonly rate: Rate;
  readonly maxRequestsInFlight: number;
  readonly hosts: HostsOptions;
  /** Origins whose pages may send requests. */
  readonly origins: readonly string[];
  /** Whether browsers reach it by https only. */
  readonly isHttps: boolean;
  /** Header in which a proxy names users; it decides what is answered. */
  readonly userHeader: string | undefined;
  readonly docs: DocsOptions;
  readonly isDemo: boolean;
  /** Whether it may listen beyond this machine. */
  readonly isOpen: boolean;
  /** Where it is reached from outside; without a slash at its end. */
  readonly publicUrl: string | undefined;
  /** Addresses whose `X-Forwarded-*` headers count. */
  readonly trustProxy: readonly string[];
  /** A cluster that the documentation can begin with. */
  readonly exampleCluster: string | undefined;
  /** Whether other gateways should be asked from now on. */
  readonly isStopping: () => boolean;
}

/** The Express application, not listening yet. @throws TypeError when the document and the handlers do not match */
export const createApp = (deps: AppDeps): Express => {
  const { clusters, users, commands, operations, idempotency, store, log, report, deadlineMs, hosts, origins } = deps;
  const contract = loadContract();
  const { operations: documented } = contract;
  const document = withExample(contract.document, deps.exampleCluster);
  const handlers = {
    ...clusterHandlers(clusters),
    ...accountHandlers(deps.accounts),
    ...userHandlers(users, deps.now),
    ...writeHandlers(commands),
    ...operationHandlers(operations),
    ...auditHandlers(deps.audit),
    ...serviceHandlers({
      document,
      metrics: deps.metrics,
      store,
      isStopping: deps.isStopping,
      isDemo: deps.isDemo,
      hasDocs: deps.docs.enabled,
      isOpen: deps.isOpen,
    }),
  };

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', parseQuery);
  app.set('trust proxy', [...deps.trustProxy]);
  app.use(withContext(deadlineMs, deps.isDemo, deps.traces, linksFor(deps.publicUrl)));
  app.use(requestLog(log, deps.events));
  app.use(protectiveHeaders(deps.isHttps));
  app.use(checkProtocol);
  app.use(checkHost(createIsOurs(hosts)));
  if (origins.length > 0) app.use(crossOrigin(origins));
  app.use(checkOrigin(deps.publicUrl, origins, deps.isHttps));
  const inFlight = createInFlight(deps.maxRequestsInFlight);
  const pace = createPace(deps.isStopping);
  const guard = createGuard({
    authenticate: deps.authenticate,
    inFlight,
    rate: deps.rate,
    pace,
    unknownCluster: clusters.unknown,
  });
  app.use(
    createRouter(documented, {
      handlers,
      idempotency,
      operations,
      replyTo: (operation, submission) => replyTo(replyOf, submission)(operation),
      deadlineMs,
      guard,
      shares: createShares(),
      report,
      vary: ['Accept', 'Authorization', 'X-API-Key', ...(deps.userHeader === undefined ? [] : [deps.userHeader])].join(', '),
    }),
  );
  app.use('/docs/', async (request, response, next) => {
    await pace(request, response);
    inFlight.enterPublic(response);
    next();
  });
  app.use(docs(deps.docs));
  app.use(unknownPath(Object.keys(document.paths)));
  app.use(sendFailure(report, createRefusals(deps.audit, clusters.vendorOf), pace));
  const prefix = deps.publicUrl === undefined ? '' : withoutSlash(new URL(deps.publicUrl).pathname);
  if (prefix === '') return app;
  // A proxy may leave the path before ours as it is, or take it away.
  const outer = express();
  outer.disable('x-powered-by');
  outer.use(prefix, app);
  outer.use(app);
  return outer;
};
