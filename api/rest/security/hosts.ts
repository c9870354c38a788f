/** By which names the gateway is called. A page of a name of its own that leads here (DNS rebinding) is not one of them. */
import type { Request, RequestHandler } from 'express';
import { isLoopback } from '../../../src/config/loopback.js';
import { GatewayError } from '../../../src/errors.js';
import { PROBES } from '../probes.js';

export interface HostsOptions {
  /** What it listens on. */
  readonly host: string;
  readonly publicUrl: string | undefined;
  readonly allowedHosts: readonly string[];
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

interface Authority {
  readonly hostname: string;
  /** '' where none is written. */
  readonly port: string;
}

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^:/?#@\\\s]+)(?::(\d{1,5}))?$/;

const parseAuthority = (text: string): Authority | undefined => {
  const [, hostname, port = ''] = AUTHORITY.exec(text) ?? [];
  return hostname === undefined ? undefined : { hostname, port };
};

/**
 * The name by which a request calls the gateway: in its request line where that has a whole URL (RFC 9112, section 3.2.2); else `Host`. '' where
 * it has two: what is in front of the gateway may have looked at the other one.
 */
export const hostOf = ({ originalUrl, headersDistinct }: Request): string => {
  const [host = '', ...others] = headersDistinct['host'] ?? [];
  if (others.length > 0) return '';
  const [, inLine] = (!originalUrl.startsWith('/') && /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(originalUrl)) || [];
  return (inLine ?? host).toLowerCase();
};

export type IsOurs = (authority: Authority) => boolean;

export const createIsOurs = ({ host, publicUrl, allowedHosts }: HostsOptions): IsOurs => {
  const url = publicUrl === undefined ? undefined : new URL(publicUrl);
  const own = host.includes(':') ? `[${host.toLowerCase()}]` : host.toLowerCase();
  const names = new Set([...allowedHosts.map((name) => name.toLowerCase()), own, ...(isLoopback(host) ? LOOPBACK_NAMES : [])]);
  return ({ hostname, port }) =>
    names.has(hostname) || (url !== undefined && hostname === url.hostname && (url.port === '' || url.port === port));
};

/** @throws misdirected_request */
export const checkHost =
  (isOurs: IsOurs): RequestHandler =>
  (request, _, next) => {
    const authority = parseAuthority(hostOf(request));
    if (!PROBES.has(request.path) && !(authority && isOurs(authority)))
      throw new GatewayError(
        'misdirected_request',
        'The Host of the request is not a name of this gateway. Its operator can name it in server.publicUrl or server.allowedHosts.',
      );
    next();
  };
