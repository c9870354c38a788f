/** What keeps pages of other origins from using a caller's browser, and the answers from being kept or shown where they should not. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { isLoopback } from '../../../src/config/loopback.js';
import { GatewayError } from '../../../src/errors.js';
import { hostOf } from './hosts.js';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const HALF_A_YEAR_SECONDS = 15_552_000;

type Middleware = (request: IncomingMessage, response: ServerResponse, next: (failure?: unknown) => void) => void;

/** What a middleware sets that sets the same for every request. */
const headersBy = (middleware: Middleware): readonly (readonly [string, string])[] => {
  const headers: [string, string][] = [];
  const response = { setHeader: (name: string, value: string) => headers.push([name, value]), removeHeader: () => undefined };
  middleware({} as IncomingMessage, response as unknown as ServerResponse, (failure) => {
    if (failure) throw failure;
  });
  return headers;
};

/** Headers of every answer. @param isHttps whether browsers reach the gateway by https only */
export const protectiveHeaders = (isHttps: boolean): RequestHandler => {
  const protect = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: isHttps && { maxAge: HALF_A_YEAR_SECONDS, includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
  });
  const headers = headersBy(protect);
  return (_, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
};

/** Of the pages that the gateway serves: nothing is loaded from elsewhere, and no page has a script in it. */
export const pagePolicy: RequestHandler = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** Of pages without scripts, with a style of their own. */
export const PLAIN_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** Which pages may send requests: those of the configured origins. */
export const crossOrigin = (origins: readonly string[]): RequestHandler =>
  cors({
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Authorization',
      'X-API-Key',
      'Content-Type',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Cache-Control',
      'Prefer',
      'X-Request-Id',
    ],
    exposedHeaders: [
      ...['ETag', 'Age', 'Link', 'Location', 'Retry-After', 'Preference-Applied', 'Idempotency-Replayed', 'X-Request-Id'],
      ...['RateLimit', 'RateLimit-Policy', 'WWW-Authenticate'],
    ],
    maxAge: 600,
  });

/**
 * Browsers name the origin of a page that sends a write.
 * @param publicUrl whose pages are ours, beside those under the very name that the request has for the gateway, which was checked before
 * @throws forbidden
 */
export const checkOrigin = (publicUrl: string | undefined, origins: readonly string[], isHttps: boolean): RequestHandler => {
  const known = new Set([...origins, ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin])]);
  return (request, _, next) => {
    const { origin } = request.headers;
    const isOwn = (text: string): boolean => {
      if (!URL.canParse(text)) return false;
      const { host, protocol } = new URL(text);
      // Where browsers reach us by https only, a page that came by http may be anybody's.
      return host === hostOf(request) && (!isHttps || protocol === 'https:' || isLoopback(request.hostname));
    };
    if (origin !== undefined && !READS.has(request.method) && !known.has(origin) && !isOwn(origin))
      throw new GatewayError(
        'forbidden',
        'A page of another origin may not send writes. The operator of the gateway can name its origin in server.cors.origins.',
      );
    next();
  };
};
