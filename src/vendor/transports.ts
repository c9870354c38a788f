/** Ways to the vendors: one for all accounts, but one of their own for those behind a proxy or with a certificate authority of their own. */
import { rootCertificates } from 'node:tls';
import type { Clock } from '../clock.js';
import { type ClosableTransport, createTransport, type Transport } from './transport.js';

export interface Route {
  /** The URL of a proxy. */
  readonly proxy?: string;
  /** Certificates in PEM, trusted beside those of Node. */
  readonly ca?: string;
}

export interface Transports {
  of(route: Route): Transport;
  close(): void;
}

export const createTransports = (userAgent: string, clock: Clock): Transports => {
  const made = new Map<string, ClosableTransport>();
  return {
    of: ({ proxy, ca }) => {
      const key = JSON.stringify([proxy ?? null, ca ?? null]);
      const options = {
        clock,
        ...(proxy !== undefined && { proxy }),
        ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      };
      const transport = made.get(key) ?? createTransport(userAgent, options);
      made.set(key, transport);
      return transport;
    },
    close: () => {
      for (const transport of made.values()) transport.close();
    },
  };
};
