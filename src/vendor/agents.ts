/** Keep-alive agents whose connections hold a request back until they are established, TLS and the certificate included. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.js';
import { onAbort } from '../deadline.js';

/** The `code` of the error of a connection that was not established in time. */
export const CONNECT_TIMEOUT = 'CONNECT_TIMEOUT';

const OPTIONS = { keepAlive: true, maxSockets: 64 };

/** What @types/node does not say of an agent: that it returns a socket at once. */
interface Connector {
  createConnection(options: object, created?: unknown): Duplex;
}

const timedOut = (): Error => Object.assign(new Error(CONNECT_TIMEOUT), { code: CONNECT_TIMEOUT });

export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
  /** Calls `act` as soon as the socket is established, at once where it is. Until then no byte of a request has left. */
  whenEstablished(socket: Duplex, act: () => void): void;
  /** Closes the connections that nobody uses. */
  dropIdle(): void;
  destroy(): void;
}

/**
 * @param connectMs bound of name look-up, TCP and TLS together
 * @param ca trusted certificates in PEM, in place of Node's own
 */
export const createAgents = (clock: Clock, connectMs: number, ca?: string): Agents => {
  const waiting = new WeakMap<Duplex, (() => void)[]>();

  const holdingBack = <Agent extends HttpAgent>(agent: Agent, event: 'connect' | 'secureConnect'): Agent => {
    const connector = agent as unknown as Connector;
    const connect = connector.createConnection.bind(agent);
    connector.createConnection = (options, created) => {
      const socket = connect(options, created);
      const actions: (() => void)[] = [];
      waiting.set(socket, actions);
      // Node would hand the request to TLS at once, before the certificate is checked.
      socket.cork();
      const stop = onAbort(clock.timeout(connectMs), () => socket.destroy(timedOut()));
      socket.once(event, () => {
        waiting.delete(socket);
        for (const act of actions) act();
        socket.uncork();
        stop();
      });
      socket.once('close', stop);
      return socket;
    };
    return agent;
  };

  const httpAgent = holdingBack(new HttpAgent(OPTIONS), 'connect');
  const httpsAgent = holdingBack(new HttpsAgent({ ...OPTIONS, ...(ca !== undefined && { ca }) }), 'secureConnect');
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
