import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { Logger } from 'pino';
import type { AdapterModule } from '../src/adapter.js';
import { type GatewayConfig, toMilliseconds } from '../src/config/schema.js';
import type { Report } from '../src/errors.js';
import { createTransport } from '../src/http/transport.js';
import { version } from '../src/project.js';
import { createRegistry } from '../src/registry.js';
import { createClusters } from '../src/service/clusters.js';
import { createOperations } from '../src/service/operations.js';
import { createUsers } from '../src/service/users.js';
import { createApp } from './app.js';
import { type Connections, followConnections } from './connections.js';

export interface Gateway {
  readonly app: Express;
  /** @returns the URL it listens on. @throws the listen error, such as EADDRINUSE */
  listen(): Promise<string>;
  /** Takes no new connections, finishes what is running (at most `drainSeconds`), and lets go of everything. */
  stop(): Promise<void>;
}

const ARRIVAL_MS = 1_000;

const urlOf = (server: Server): string => {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
};

/** Config → registry → services → app. */
export const createGateway = (config: GatewayConfig, modules: Readonly<Record<string, AdapterModule>>, log: Logger): Gateway => {
  const transport = createTransport(`hpc-gateway/${version}`);
  const report: Report = (fault, requestId) => log.error({ requestId, err: fault.cause ?? fault }, 'the gateway failed');
  const clusters = createClusters(createRegistry(config, modules, transport), report);
  const operations = createOperations(report);
  const users = createUsers(clusters, operations, toMilliseconds(config.server.settleSeconds));
  const deadlineMs = toMilliseconds(config.server.deadlineSeconds);
  const app = createApp({ clusters, users, operations, log, report, deadlineMs });
  let connections: Connections | undefined;

  /** Nobody can ask for these any more; the log is all that is left of them. */
  const abandonRest = (): void => {
    for (const write of operations.abandon()) log.warn(write, 'stopped while a write was running; its outcome is not known');
  };

  return {
    app,

    listen: () =>
      new Promise((resolve, reject) => {
        // A request has to arrive within its deadline too; Node looks for late ones at this interval.
        const arrival = { requestTimeout: deadlineMs + ARRIVAL_MS, connectionsCheckingInterval: ARRIVAL_MS };
        const server = createServer(arrival, app);
        server.once('error', reject);
        server.listen(config.server.port, config.server.host, () => resolve(urlOf(server)));
        connections = followConnections(server);
      }),

    stop: async () => {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, toMilliseconds(config.server.drainSeconds));
      });
      const done = async (): Promise<void> => {
        await connections?.close();
        await operations.idle();
      };
      await Promise.race([done(), patience]);
      clearTimeout(timer);
      abandonRest();
      connections?.destroy();
      transport.close();
    },
  };
};
