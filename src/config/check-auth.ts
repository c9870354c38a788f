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

/** Header names count in whatever case; those of a credential are never a user. */
const checkProxy = (proxy: unknown): Problem[] => {
  if (!isObject(proxy)) return [];
  const { userHeader, groupsHeader, rights } = proxy;
  const at = (key: string): Path => ['auth', 'proxy', key];
  const named = [['userHeader', userHeader] as const, ['groupsHeader', groupsHeader] as const];
  const taken = named.filter(([, name]) => typeof name === 'string' && CREDENTIALS.has(name.toLowerCase()));
  const isSame = typeof userHeader === 'string' && userHeader.toLowerCase() === String(groupsHeader).toLowerCase();
  const hasGroups = listOf(rights).some((right) => isObject(right) && 'group' in right);
  return [
    ...taken.map(([key]) => ({ at: at(key), reason: 'must be another header: clients send their keys in this one' })),
    ...(isSame ? [{ at: at('groupsHeader'), reason: 'must be another header than userHeader' }] : []),
    ...(hasGroups && groupsHeader === undefined
      ? [{ at: at('groupsHeader'), reason: 'is missing: rights of a group need the header that names the groups' }]
      : []),
  ];
};

const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'x-api-key']);

/** Where there is a mistake in what it names, that is the one to correct. */
const checkEmpty = ({ callers = [], jwt = [], ...others }: Readonly<Record<string, unknown>>): Problem[] => {
  const isNobody = [callers, jwt].every((list) => Array.isArray(list) && list.length === 0) && Object.keys(others).length === 0;
  return isNobody ? [{ at: ['auth'], reason: 'names nobody: give it callers, jwt or proxy' }] : [];
};

export const checkAuth = (auth: unknown): Problem[] => {
  if (!isObject(auth)) return [];
  const { callers, jwt, proxy } = auth;
  return [...checkEmpty(auth), ...checkCallers(listOf(callers)), ...checkIssuers(listOf(jwt)), ...checkProxy(proxy)];
};

/** Without callers, the gateway is for its own machine. @param at where the host is named */
export const checkHost = (auth: unknown, server: unknown, at: Path): Problem[] => {
  const host = isObject(server) && typeof server['host'] === 'string' ? server['host'] : '';
  if (auth !== undefined || host === '' || isLoopback(host)) return [];
  const reason = `without auth the gateway listens on this machine only (127.0.0.1, ::1 or localhost), and not on ${host}; say in auth who may call it`;
  return [{ at, reason }];
};
