/** Ways to the vendors: one for all accounts, but one of their own for those behind a proxy or with a certificate authority of their own. */
import { rootCertificates } from 'node:tls';
import type { Clock } from '../clock.js';
import type { Secret } from '../secret.js';
import { createAnswerBytes } from './answer-bytes.js';
import { type ClosableTransport, createTransport, MAX_BYTES_AT_ONCE, type Transport } from './transport.js';

export interface Route {
  /** The URL of a proxy; may hold a password. */
  readonly proxy?: Secret;
  /** Certificates in PEM, trusted beside those of Node. */
  readonly ca?: string;
}

export interface Transports {
  of(route: Route): Transport;
  close(): void;
}

export const createTransports = (userAgent: string, clock: Clock): Transports => {
  const answerBytes = createAnswerBytes(MAX_BYTES_AT_ONCE);
  const made: { readonly route: Route; readonly transport: ClosableTransport }[] = [];
  const isSame = (one: Route, other: Route): boolean =>
    one.ca === other.ca && (one.proxy === undefined ? other.proxy === undefined : one.proxy.equals(other.proxy));
  return {
    of: (route) => {
      const known = made.find((entry) => isSame(entry.route, route));
      if (known) return known.transport;
      const { proxy, ca } = route;
      const options = {
        clock,
        answerBytes,
        ...(proxy !== undefined && { proxy }),
        ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      };
      const transport = createTransport(userAgent, options);
      made.push({ route, transport });
      return transport;
    },
    close: () => {
      for (const { transport } of made) transport.close();
    },
  };
};
