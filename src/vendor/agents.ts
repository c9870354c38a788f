/** Keep-alive agents whose connections hold a request back until they are established, TLS and the certificate included. */
import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { Clock } from '../clock.js';
import { onAbort } from '../deadline.js';
import { Secret } from '../secret.js';

/** The `code` of the error of a connection that was not established in time. */
export const CONNECT_TIMEOUT = 'CONNECT_TIMEOUT';

/** How many there are at once is bounded before: by the lines of an account. */
const OPTIONS = { keepAlive: true };

/** What @types/node does not say of an agent: that it returns a socket at once. */
interface Connector {
  createConnection(options: object, created?: unknown): Duplex;
}

const timedOut = (): Error => Object.assign(new Error(CONNECT_TIMEOUT), { code: CONNECT_TIMEOUT });

export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpAgent;
  /** Calls `act` as soon as the socket is established, at once where it is. Until then no byte of a request has left. */
  whenEstablished(socket: Duplex, act: () => void): void;
  /** Closes the connections that nobody uses. */
  dropIdle(): void;
  destroy(): void;
}

type TunnelOptions = Parameters<HttpsProxyAgent<string>['connect']>[1];

/** The `code` of the error of a proxy that did not open a tunnel, and its answer in it. */
const PROXY_REFUSED = 'PROXY_REFUSED_';

/** The status that the proxy answered; undefined for other errors. */
export const proxyAnswer = (code: string): string | undefined =>
  code.startsWith(PROXY_REFUSED) ? code.slice(PROXY_REFUSED.length) : undefined;

export interface AgentOptions {
  /** Trusted certificates in PEM, in place of Node's own. */
  readonly ca?: string | readonly string[];
  /** The URL of a proxy that opens tunnels; may hold a password. */
  readonly proxy?: Secret;
}

/** What a proxy is sent to log in, and may repeat. */
export const proxySecrets = (proxy: Secret): Secret[] => {
  const { password } = new URL(proxy.unwrap());
  return password === '' ? [] : [new Secret(decodeURIComponent(password)), new Secret(password)];
};

/** @param connectMs bound of name look-up, TCP, the proxy and TLS together */
export const createAgents = (clock: Clock, connectMs: number, { ca, proxy }: AgentOptions = {}): Agents => {
  const waiting = new WeakMap<Duplex, (() => void)[]>();
  const trust = ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] };
  const options = { ...OPTIONS, ...trust };

  /** Node would hand the request to TLS at once, before the certificate is checked. */
  const holdBack = (socket: Duplex, event: 'connect' | 'secureConnect', timeout: AbortSignal): void => {
    const actions: (() => void)[] = [];
    waiting.set(socket, actions);
    socket.cork();
    const stop = onAbort(timeout, () => socket.destroy(timedOut()));
    socket.once(event, () => {
      waiting.delete(socket);
      for (const act of actions) act();
      socket.uncork();
      stop();
    });
    socket.once('close', stop);
  };

  const holdingBack = <Agent extends HttpAgent>(agent: Agent, event: 'connect' | 'secureConnect'): Agent => {
    const connector = agent as unknown as Connector;
    const connect = connector.createConnection.bind(agent);
    connector.createConnection = (given, created) => {
      const socket = connect(given, created);
      holdBack(socket, event, clock.timeout(connectMs));
      return socket;
    };
    return agent;
  };

  /** What the proxy says to a tunnel that it does not open must not be taken for the vendor's answer. */
  class TunnelAgent extends HttpsProxyAgent<string> {
    override async connect(request: ClientRequest, given: TunnelOptions): Promise<Socket> {
      const timeout = clock.timeout(connectMs);
      let stop = (): void => undefined;
      const failed = new Promise<never>((_, reject) => {
        stop = onAbort(timeout, () => reject(timedOut()));
        request.once('proxyConnect', ({ statusCode }: { statusCode: number }) => {
          if (statusCode !== 200) reject(Object.assign(new Error(`${statusCode}`), { code: `${PROXY_REFUSED}${statusCode}` }));
        });
      });
      try {
        // Else Node checks an address as if it were `localhost`.
        const identity = {
          checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(given.host ?? '', certificate),
        };
        const socket = await Promise.race([super.connect(request, { ...given, ...trust, ...identity }), failed]);
        if (given.secureEndpoint) holdBack(socket, 'secureConnect', timeout);
        return socket;
      } finally {
        failed.catch(() => undefined);
        stop();
      }
    }
  }

  const tunnels = proxy === undefined ? undefined : new TunnelAgent(proxy.unwrap(), options);
  const httpAgent = tunnels ?? holdingBack(new HttpAgent(OPTIONS), 'connect');
  const httpsAgent = tunnels ?? holdingBack(new HttpsAgent(options), 'secureConnect');
  return {
    httpAgent,
    httpsAgent,
    whenEstablished: (socket, act) => {
      const actions = waiting.get(socket);
      if (actions) actions.push(act);
      else act();
    },
    dropIdle: () => {
      for (const { freeSockets } of [httpAgent, httpsAgent])
        for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
    },
    destroy: () => {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
};
