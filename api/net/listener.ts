/** The server that listens: HTTP or HTTPS, with its limits. */
import { createServer as createHttpServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsConfig } from '../../src/config/schema.js';
import { type Connections, followConnections } from './connections.js';
import { refuseConnection } from './refusals.js';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsConfig | undefined;
  /** How long a request may take to arrive, and an answer to be taken. */
  readonly sendMs: number;
  readonly answerMs: number;
  readonly maxConnections: number;
  /** Longer than a load balancer before it keeps one: it closes it first, so that no request meets a closed one. */
  readonly keepAliveMs: number;
  readonly publicUrl: string | undefined;
}

export interface Listener {
  readonly url: string;
  readonly connections: Connections;
  /** For connections from now on. @throws where they do not fit each other */
  useTls(tls: TlsConfig): void;
}

/** Node looks for late requests at this interval. */
const CHECK_MS = 1_000;
const MAX_HEADERS_MS = 10_000;
const MAX_HEADER_BYTES = 16_384;
const HANDSHAKE_MS = 10_000;
/** Connections that wait to be accepted, as far as the operating system allows. */
const BACKLOG = 4_096;

const tlsOptions = ({ key, certificate }: TlsConfig) =>
  ({ key: key.unwrap(), cert: certificate, minVersion: 'TLSv1.2' }) as const;

const urlOf = (server: Server, isTls: boolean): string => {
  const { address, family, port } = server.address() as AddressInfo;
  return `http${isTls ? 's' : ''}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
};

/** @throws the listen error, such as EADDRINUSE */
export const listen = (app: RequestListener, options: ListenerOptions): Promise<Listener> => {
  const { host, port, tls, sendMs, answerMs, maxConnections, keepAliveMs, publicUrl } = options;
  const timeouts: ServerOptions = {
    requestTimeout: sendMs,
    headersTimeout: Math.min(sendMs, MAX_HEADERS_MS),
    connectionsCheckingInterval: Math.min(CHECK_MS, sendMs),
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    // The application refuses those without it: Node's own refusal has no body.
    requireHostHeader: false,
  };
  const server = tls
    ? createHttpsServer({ ...timeouts, ...tlsOptions(tls), handshakeTimeout: HANDSHAKE_MS })
    : createHttpServer(timeouts);
  const connections = followConnections(server, { max: maxConnections, answerMs });
  const serve: RequestListener = (request, response) => connections.take(request, response, () => app(request, response));
  server.on('request', serve);
  // The application refuses them: Node's own refusal has no body, and leaves the connection open.
  server.on('checkExpectation', serve);
  server.on('clientError', (failure, socket) => {
    if (connections.endAfterAnswers(socket as Socket)) return;
    refuseConnection(failure, socket as Socket, connections.hasAnswered(socket as Socket), publicUrl);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () =>
      resolve({
        url: urlOf(server, tls !== undefined),
        connections,
        useTls: (changed) => (server as HttpsServer).setSecureContext(tlsOptions(changed)),
      }),
    );
  });
};
