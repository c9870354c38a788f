/** Where the gateway is reached from outside: behind a proxy that puts a path before ours, links begin with that. */
import type { Request } from 'express';

/** How paths of ours are written for a caller. */
export interface Links {
  /** The path as callers have to write it. */
  to(path: string): string;
  /** The same with the public URL, where one is configured. */
  url(path: string): string;
}

/** One or more segments of unreserved characters, as `X-Forwarded-Prefix` may name. */
const PREFIX = /^(?:\/[\w.~-]+)+$/;
const MAX_PREFIX = 256;

export const withoutSlash = (text: string): string => text.replace(/\/+$/, '');

const forwardedPrefix = (request: Request): string => {
  const given = request.get('x-forwarded-prefix');
  if (given === undefined) return '';
  const isTrusted = request.app.get('trust proxy fn') as (address: string | undefined, distance: number) => boolean;
  const prefix = withoutSlash(given);
  if (prefix.length > MAX_PREFIX || !PREFIX.test(prefix) || prefix.includes('..')) return '';
  return isTrusted(request.socket.remoteAddress, 0) ? prefix : '';
};

const below = (before: string, url = before): Links => ({ to: (path) => `${before}${path}`, url: (path) => `${url}${path}` });

const PLAIN = below('');

/** @param publicUrl without a slash at its end */
export const fixedLinks = (publicUrl: string | undefined): Links =>
  publicUrl === undefined ? PLAIN : below(withoutSlash(new URL(publicUrl).pathname), publicUrl);

/** @param publicUrl without a slash at its end */
export const linksFor = (publicUrl: string | undefined): ((request: Request) => Links) => {
  const fixed = fixedLinks(publicUrl);
  if (publicUrl !== undefined) return () => fixed;
  return (request) => {
    const prefix = forwardedPrefix(request);
    return prefix === '' ? PLAIN : below(prefix);
  };
};
