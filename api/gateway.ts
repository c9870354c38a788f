import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Express } from 'express';
import type { Logger } from 'pino';
import type { AdapterModule } from '../src/adapter.js';
import { createAuthenticate } from '../src/callers/authenticate.js';
import type { CallerLimits } from '../src/callers/caller.js';
import { createRate } from '../src/callers/rate.js';
import { type Clock, systemClock } from '../src/clock.js';
import { createAccounts } from '../src/clusters/condition.js';
import { createClusters } from '../src/clusters/directory.js';
import { createRegistry } from '../src/clusters/registry.js';
import { type GatewayConfig, type TlsConfig, toMilliseconds } from '../src/config/schema.js';
import { isHttps } from '../src/config/urls.js';
import { createCursors } from '../src/cursors.js';
import type { Report } from '../src/errors.js';
import { createRevisions } from '../src/journal/revisions.js';
import { createLimiters } from '../src/limiters.js';
import { version } from '../src/project.js';
import { openCounters } from '../src/store/counters.js';
import { type OpenStore, openStore } from '../src/store/open.js';
import { createEvents, type Events } from '../src/telemetry/events.js';
import { logEvents } from '../src/telemetry/log.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { createTraces } from '../src/telemetry/trace.js';
import { createAdmission } from '../src/users/admission.js';
import { createUserCommands } from '../src/users/commands.js';
import { createKeptLists, keepingFind } from '../src/users/kept-lists.js';
import { createUsers } from '../src/users/queries.js';
import { createLookUps } from '../src/users/reader.js';
import { createUsersResource, USERS } from '../src/users/resource.js';
import { createSharedReads } from '../src/users/shared-reads.js';
import { createSources } from '../src/users/sources.js';
import { createTransports } from '../src/vendor/transports.js';
import { createEngine } from '../src/writes/engine.js';
import { createApp } from './app.js';
import { openAuditStream } from './audit-stream.js';
import { type Listener, listen } from './net/listener.js';
import { listenForMetrics, urlOfMetrics } from './net/metrics-listener.js';
import { withoutSlash } from './rest/base.js';
import { toAuditRecord } from './rest/handlers/audit.js';

export interface Gateway {
  readonly app: Express;
  /** @returns the URL it listens on. @throws the listen error, such as EADDRINUSE */
  listen(): Promise<string>;
  /** Takes another key and certificate for connections from now on. @throws where they do not fit each other */
  useTls(tls: TlsConfig): void;
  /**
   * Says that it is not ready any more and serves on for `shutdownDelaySeconds`; then takes no new connections, finishes what is running (at
   * most `drainSeconds`), and lets go of everything.
   */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly clock?: Clock;
  /** The store, where it is open already. */
  readonly opened?: OpenStore;
  /** Whether its vendors are simulated: it says so. */
  readonly isDemo?: boolean;
  /** Of the core, for those who listen. */
  readonly events?: Events;
  /** Whether all requests get a trace. */
  readonly isRecording?: boolean;
}

const ARRIVAL_MS = 1_000;
const HOUR_MS = 60 * 60_000;

/** How long a write to one user waits for a vendor that is busy: its caller waits too. */
const SINGLE_PATIENCE_MS = 10_000;
const SINGLE_PATIENCE_SHARE = 0.6;

/**
 * Config → store and registry → services → app.
 * @throws ConfigError when the store cannot be used
 */
export const createGateway = (
  config: GatewayConfig,
  modules: Readonly<Record<string, AdapterModule>>,
  log: Logger,
  { clock = systemClock, opened, isDemo = false, events = createEvents(), isRecording = false }: GatewayOptions = {},
): Gateway => {
  const { server, retention, limits, auth } = config;
  const publicUrl = server.publicUrl && withoutSlash(server.publicUrl);
  const limitsOfCallers: CallerLimits = auth ? { requestsPerCallerPerMinute: limits.requestsPerCallerPerMinute } : {};
  const report: Report = (fault, requestId) => log.error({ requestId, err: fault.cause ?? fault }, 'the gateway failed');
  const traces = createTraces(isRecording);
  logEvents(events, log);
  let isStoreUp = true;
  const { store, encryptor } =
    opened ??
    openStore(config.store, {
      unavailable: (reason) => {
        isStoreUp = false;
        log.warn({ reason }, 'store unavailable; new writes are refused');
      },
      available: () => {
        isStoreUp = true;
        log.info('store available');
      },
      note: (text) => log.info(text),
    });
  const counters = openCounters(config.store);
  const limiters = createLimiters(counters?.client);
  const transports = createTransports(`hpc-gateway/${version}`, clock);
  const registry = createRegistry(config, modules, transports.of, clock, {
    limiters,
    events,
    traces,
    onOmission: (omission) => log.warn(omission, 'rows of a list of the vendor cannot be used, and are left out'),
  });
  const clusters = createClusters(registry, report, (clusterId, accounts) =>
    log.warn({ clusterId, accounts }, 'cluster is read only: accounts of different domains show it'),
  );
  const admission = createAdmission(clusters);
  const lists = createKeptLists(
    USERS,
    createRevisions(store),
    { ms: toMilliseconds(config.cache.seconds), maxUsers: config.cache.maxUsers },
    clock,
    events,
  );
  const sources = createSources(lists);
  const reads = createSharedReads(clock, keepingFind(lists));
  const users = createUsersResource({ clusters, admission, lookUps: createLookUps(), reads });
  const deadlineMs = toMilliseconds(server.deadlineSeconds);
  const cursors = createCursors(encryptor);
  const stream = config.audit.stream === undefined ? undefined : openAuditStream(config.audit.stream);
  const engine = createEngine({
    store,
    encryptor,
    cursors,
    auditMs: retention.auditDays * 24 * HOUR_MS,
    anchor: (end) => log.info({ audit: end }, 'end of an audit chain'),
    collect: stream && ((records) => stream.write(records.map(toAuditRecord))),
    resources: [users],
    onItem: (item) => events.emit('item', item),
    lifetimes: {
      operationMs: retention.operationDays * 24 * HOUR_MS,
      keyMs: retention.idempotencyKeyHours * HOUR_MS,
      maxOpenItems: config.limits.maxOpenItems,
    },
    clock,
    report,
    note: ({ id, kind, clusterId, requestId, state, summary, total }, event) =>
      log.info({ operation: id, kind, clusterId, requestId, state, total, summary }, `operation ${event}`),
    dateOffsetOf: users.dateOffsetOf,
    settleMs: toMilliseconds(server.settleSeconds),
    callMs: toMilliseconds(server.callSeconds),
    jobMs: toMilliseconds(server.jobSeconds),
    leaseMs: toMilliseconds(config.store.leaseSeconds),
    singlePatienceMs: Math.min(SINGLE_PATIENCE_MS, deadlineMs * SINGLE_PATIENCE_SHARE),
  });
  const metrics = createMetrics({
    events,
    version,
    accounts: registry.accounts,
    load: engine.load,
    isStoreUp: () => isStoreUp,
    keptUsers: lists.size,
  });
  const app = createApp({
    clusters,
    accounts: createAccounts(clusters),
    metrics,
    events,
    traces,
    users: createUsers(clusters, cursors, lists, sources, deadlineMs),
    commands: createUserCommands(admission, engine.intake, sources),
    operations: engine.operations,
    idempotency: engine.idempotency,
    audit: engine.audit,
    store,
    log,
    report,
    deadlineMs,
    now: clock.now,
    authenticate: createAuthenticate(auth, limitsOfCallers, clock),
    rate: createRate(limiters),
    maxRequestsInFlight: limits.maxRequestsInFlight,
    hosts: { host: server.host, publicUrl, allowedHosts: server.allowedHosts },
    origins: server.cors.origins,
    isHttps: isHttps(server),
    userHeader: auth?.proxy?.userHeader,
    docs: server.docs,
    publicUrl,
    trustProxy: server.trustProxy,
    isDemo,
    isOpen: auth !== undefined,
    // The documentation is for all, and may not name what one caller alone sees.
    exampleCluster: auth ? undefined : config.clusters[0]?.id,
    isStopping: () => isStopping,
  });
  let isStopping = false;
  let listener: Listener | undefined;
  let metricsListener: Server | undefined;

  return {
    app,

    listen: async () => {
      await engine.start();
      const { port, host, tls } = server;
      listener = await listen(app, {
        host,
        port,
        tls,
        // A request has to arrive within its deadline, too.
        sendMs: Math.min(toMilliseconds(server.sendSeconds), deadlineMs + ARRIVAL_MS),
        answerMs: toMilliseconds(server.answerSeconds),
        maxConnections: limits.maxConnections,
        keepAliveMs: toMilliseconds(server.keepAliveSeconds),
        publicUrl,
      });
      if (server.metrics) {
        metricsListener = await listenForMetrics(metrics, server.metrics);
        log.info({ url: urlOfMetrics(metricsListener) }, 'metrics');
      }
      return listener.url;
    },

    useTls: (tls) => listener?.useTls(tls),

    stop: async () => {
      isStopping = true;
      // Those who send requests here have to notice first.
      if (listener) await sleep(toMilliseconds(server.shutdownDelaySeconds));
      const over = new AbortController();
      const patience = sleep(toMilliseconds(server.drainSeconds), undefined, { signal: over.signal }).catch(() => undefined);
      const done = async (): Promise<void> => {
        const closed = listener?.connections.close();
        engine.handOver();
        await closed;
        await engine.idle();
      };
      await Promise.race([done(), patience]);
      over.abort();
      // Nobody can ask for these any more; the log is all that is left of them.
      for (const { id, kind, clusterId, requestId, items } of await engine.abandon()) {
        const usernames = items.filter(({ outcome }) => !outcome).map(({ name }) => name);
        log.warn({ id, kind, clusterId, requestId, usernames }, 'stopped while a write was running; its outcome is not known');
      }
      listener?.connections.destroy();
      metricsListener?.close();
      metricsListener?.closeAllConnections();
      transports.close();
      counters?.close();
      await store.close();
    },
  };
};
