/** What a schema cannot say of `auth`, and where the gateway may listen without it. */
import { isObject } from '../wire.js';
import { isLoopback } from './loopback.js';
import type { Path, Problem } from './problem.js';

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Texts that are there twice. */
const repeated = (found: readonly (readonly [text: unknown, at: Path])[], what: string): Problem[] => {
  const seen = new Set<string>();
  return found.flatMap(([text, at]) => {
    if (typeof text !== 'string') return [];
    const known = text.toLowerCase();
    const isKnown = seen.has(known);
    seen.add(known);
    return isKnown ? [{ at, reason: `${what} is already taken` }] : [];
  });
};

const checkCallers = (callers: readonly unknown[]): Problem[] => {
  const each = callers.map((caller, index) => [isObject(caller) ? caller : {}, index] as const);
  return [
    ...repeated(
      each.map(([{ id }, index]) => [id, ['auth', 'callers', index, 'id']] as const),
      'the id',
    ),
    ...repeated(
      each.flatMap(([{ keys }, index]) =>
        listOf(keys).map(
          (key, at) => [isObject(key) ? key['hash'] : undefined, ['auth', 'callers', index, 'keys', at, 'hash']] as const,
        ),
      ),
      'the key',
    ),
  ];
};

const checkIssuers = (issuers: readonly unknown[]): Problem[] =>
  issuers.flatMap((issuer, index) =>
    listOf(isObject(issuer) ? issuer['rights'] : undefined).flatMap((right, at): Problem[] => {
      if (!isObject(right) || 'claim' in right === 'value' in right) return [];
      const missing = 'claim' in right ? 'value' : 'claim';
      return [{ at: ['auth', 'jwt', index, 'rights', at, missing], reason: 'is missing: claim and value belong together' }];
    }),
  );

const checkEmpty = (auth: Readonly<Record<string, unknown>>): Problem[] =>
  listOf(auth['callers']).length + listOf(auth['jwt']).length === 0 && auth['proxy'] === undefined
    ? [{ at: ['auth'], reason: 'names nobody: give it callers, jwt or proxy' }]
    : [];

export const checkAuth = (auth: unknown, server: unknown): Problem[] => {
  const host = isObject(server) && typeof server['host'] === 'string' ? server['host'] : undefined;
  if (auth === undefined)
    return host === undefined || isLoopback(host)
      ? []
      : [
          {
            at: ['server', 'host'],
            reason: `without auth the gateway listens on this machine only (127.0.0.1, ::1 or localhost), and not on ${host}; say in auth who may call it`,
          },
        ];
  if (!isObject(auth)) return [];
  return [...checkEmpty(auth), ...checkCallers(listOf(auth['callers'])), ...checkIssuers(listOf(auth['jwt']))];
};
