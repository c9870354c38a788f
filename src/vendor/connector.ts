/** How connections to vendors are made: TCP, a tunnel through the account's proxy where it has one, TLS with the certificate checked. */
import { isIPv6, type Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { Clock } from '../clock.js';
import { limitOf, onAbort } from '../deadline.js';
import { Secret } from '../secret.js';

/** The `code` of the error of a connection that was not established in time. */
export const CONNECT_TIMEOUT = 'CONNECT_TIMEOUT';

/** The `code` of the error of a proxy that did not open a tunnel, and its answer in it. */
const PROXY_REFUSED = 'PROXY_REFUSED_';

/** The status that the proxy answered; undefined for other errors. */
export const proxyAnswer = (code: string): string | undefined =>
  code.startsWith(PROXY_REFUSED) ? code.slice(PROXY_REFUSED.length) : undefined;

export interface ConnectorOptions {
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

/** @param wanted ends the connection as long as it is being made */
export type Connector = (target: buildConnector.Options, callback: buildConnector.Callback, wanted?: AbortSignal) => void;

const failed = (code: string): Error => Object.assign(new Error(code), { code });

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** undici connects again, without end, after errors of a connector that have its own codes for a closed socket. */
const foreign = (error: Error): Error => {
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' && code.startsWith('UND_ERR_') ? failed(`PROXY_${code}`) : error;
};

/** RFC 9110, section 9.3.6. */
const tunnelThrough = (proxy: Secret, options: buildConnector.BuildOptions) => {
  const { origin, username, password } = new URL(proxy.unwrap());
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const headers = username === '' && password === '' ? {} : { 'proxy-authorization': `Basic ${login}` };
  const toProxy = buildConnector(options);
  return async ({ hostname, port, protocol }: buildConnector.Options, signal: AbortSignal): Promise<Socket> => {
    let connecting: Socket | undefined;
    const connect: buildConnector.connector = (target, callback) => {
      if (signal.aborted) callback(failed(CONNECT_TIMEOUT), null);
      else connecting = toProxy(target, callback) as unknown as Socket;
    };
    const client = new Client(origin, { connect });
    const stop = onAbort(signal, () => connecting?.destroy(failed(CONNECT_TIMEOUT)));
    try {
      const name = isIPv6(hostname) ? `[${hostname}]` : hostname;
      const path = `${name}:${port || DEFAULT_PORTS[protocol]}`;
      const { socket, statusCode } = await client.connect({ path, headers: { host: path, ...headers }, signal });
      if (statusCode === 200) return socket as Socket;
      socket.on('error', () => undefined).destroy();
      throw failed(`${PROXY_REFUSED}${statusCode}`);
    } finally {
      stop();
      client.close().catch(() => undefined);
    }
  };
};

/** @param connectMs bound of name look-up, TCP, the proxy and TLS together */
export const createConnector = (clock: Clock, connectMs: number, { ca, proxy }: ConnectorOptions = {}): Connector => {
  const trust = ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] };
  // The bound of all steps is ours.
  const options = { timeout: 0, ...trust };
  const direct = buildConnector(options);
  const tunnel = proxy && tunnelThrough(proxy, options);

  return (target, callback, wanted) => {
    const ended = new AbortController();
    let socket: Socket | undefined;
    const giveUp = (): void => {
      end(failed(CONNECT_TIMEOUT));
      ended.abort();
      socket?.destroy();
    };
    const limit = limitOf(clock, connectMs, wanted);
    const stop = onAbort(limit.signal, giveUp);
    let isOver = false;
    const end = (error: Error | null, connected?: Socket): void => {
      if (isOver) return;
      isOver = true;
      stop();
      limit.stop();
      if (connected) callback(null, connected);
      else callback(error ?? failed(CONNECT_TIMEOUT), null);
    };
    const connect = (httpSocket?: Socket): void => {
      // It answers the socket, which its type does not say.
      socket = direct({ ...target, ...(httpSocket && { httpSocket }) }, (error, connected) =>
        end(error, connected ?? undefined),
      ) as Socket | undefined;
    };
    if (!tunnel) {
      connect();
      return;
    }
    tunnel(target, ended.signal).then(
      (opened) => {
        socket = opened;
        if (isOver) opened.destroy();
        else if (target.protocol === 'https:') connect(opened);
        else end(null, opened);
      },
      (error: Error) => end(foreign(error)),
    );
  };
};
