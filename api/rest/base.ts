/**
 * Where the gateway is reached from outside: behind a proxy that puts a path before ours, links begin with that. It travels with the asynchronous context,
 * so that it need not be passed on to where links are written.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Request, RequestHandler } from 'express';

interface Base {
  /** The path before ours; '' where there is none. */
  readonly path: string;
  /** The public URL, where one is configured. */
  readonly url: string | undefined;
}

const bases = new AsyncLocalStorage<Base>();

/** One or more segments of unreserved characters, as `X-Forwarded-Prefix` may name. */
const PREFIX = /^(?:\/[\w.~-]+)+$/;
const MAX_PREFIX = 256;

export const withoutSlash = (text: string): string => text.replace(/\/+$/, '');

const forwardedPrefix = (request: Request): string => {
  const isTrusted = request.app.get('trust proxy fn') as (address: string | undefined, distance: number) => boolean;
  const prefix = withoutSlash(request.get('x-forwarded-prefix') ?? '');
  if (prefix.length > MAX_PREFIX || !PREFIX.test(prefix) || prefix.includes('..')) return '';
  return isTrusted(request.socket.remoteAddress, 0) ? prefix : '';
};

const fixedBase = (publicUrl: string | undefined): Base | undefined =>
  publicUrl === undefined ? undefined : { url: publicUrl, path: withoutSlash(new URL(publicUrl).pathname) };

/** Work without a request. @param publicUrl without a slash at its end */
export const inBase = <T>(publicUrl: string | undefined, work: () => T): T =>
  bases.run(fixedBase(publicUrl) ?? { url: undefined, path: '' }, work);

/** @param publicUrl without a slash at its end */
export const withBase = (publicUrl: string | undefined): RequestHandler => {
  const fixed = fixedBase(publicUrl);
  return (request, _, next) => {
    bases.run(fixed ?? { url: undefined, path: forwardedPrefix(request) }, next);
  };
};

/** The path of ours as callers have to write it. */
export const linkTo = (path: string): string => `${bases.getStore()?.path ?? ''}${path}`;

/** The same with the public URL, where one is configured. */
export const urlTo = (path: string): string => {
  const base = bases.getStore();
  return base?.url === undefined ? linkTo(path) : `${base.url}${path}`;
};
