import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { Logger } from 'pino';
import type { AdapterModule } from '../src/adapter.js';
import type { GatewayConfig } from '../src/config/schema.js';
import { createTransport } from '../src/http/transport.js';
import { version } from '../src/project.js';
import { createRegistry } from '../src/registry.js';
import { createClusters } from '../src/service/clusters.js';
import { createOperations } from '../src/service/operations.js';
import { createUsers } from '../src/service/users.js';
import { createApp } from './app.js';

export interface Gateway {
  readonly app: Express;
  /** @returns the URL it listens on. @throws the listen error, such as EADDRINUSE */
  listen(): Promise<string>;
  /** Takes no new connections, finishes what is running (at most `drainSeconds`), and lets go of everything. */
  stop(): Promise<void>;
}

const SWEEP_MS = 20;

const urlOf = (server: Server): string => {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
};

/** Config → registry → services → app. */
export const createGateway = (config: GatewayConfig, modules: Readonly<Record<string, AdapterModule>>, log: Logger): Gateway => {
  const transport = createTransport(`hpc-gateway/${version}`);
  const clusters = createClusters(createRegistry(config, modules, transport));
  const operations = createOperations();
  const users = createUsers(clusters, operations, config.server.settleSeconds * 1000);
  let stopping = false;
  const app = createApp({
    clusters,
    users,
    operations,
    log,
    deadlineMs: config.server.deadlineSeconds * 1000,
    isStopping: () => stopping,
  });
  let server: Server | undefined;

  const closed = (listening: Server): Promise<void> =>
    new Promise((resolve) => {
      // A connection goes idle when its last answer is out, and would then be kept alive for a while.
      const sweep = setInterval(() => listening.closeIdleConnections(), SWEEP_MS);
      listening.close(() => {
        clearInterval(sweep);
        resolve();
      });
    });

  return {
    app,

    listen: () =>
      new Promise((resolve, reject) => {
        const listening = app.listen(config.server.port, config.server.host, (error?: Error) => {
          if (error) return reject(error);
          server = listening;
          resolve(urlOf(listening));
        });
      }),

    stop: async () => {
      stopping = true;
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, config.server.drainSeconds * 1000);
      });
      const done = async (): Promise<void> => {
        if (server) await closed(server);
        await operations.idle();
      };
      await Promise.race([done(), patience]);
      clearTimeout(timer);
      operations.abandon();
      server?.closeAllConnections();
      transport.close();
    },
  };
};
