/** A listener of its own for the figures, which asks nobody who they are: it belongs on an address that only Prometheus reaches. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../../src/telemetry/metrics.js';

export interface MetricsListenerOptions {
  readonly host: string;
  readonly port: number;
}

const MAX_CONNECTIONS = 16;
const PATIENCE_MS = 5_000;

/** @throws the listen error, such as EADDRINUSE */
export const listenForMetrics = (metrics: Metrics, { host, port }: MetricsListenerOptions): Promise<Server> => {
  const options = { requestTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS, connectionsCheckingInterval: PATIENCE_MS };
  const server = createServer(options, async (request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Here is GET /metrics only.\n');
      return;
    }
    try {
      const text = await metrics.text();
      response.writeHead(200, { 'Content-Type': metrics.type }).end(text);
    } catch {
      response.writeHead(500).end();
    }
  });
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => resolve(server));
  });
};

export const urlOfMetrics = (server: Server): string => {
  const { address, port } = server.address() as AddressInfo;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}/metrics`;
};
