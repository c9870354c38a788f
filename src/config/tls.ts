/** The key and the certificate of the gateway itself. */
import { createSecureContext } from 'node:tls';
import { isObject } from '../wire.js';
import type { Problem } from './problem.js';

/** Why a key and a certificate cannot be used together; the library's words name no part of them. */
const tlsFault = ({ key, certificate }: { readonly key: string; readonly certificate: string }): string | undefined => {
  try {
    createSecureContext({ key, cert: certificate });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

export const checkTls = (server: unknown): Problem[] => {
  const tls = isObject(server) ? server['tls'] : undefined;
  if (!isObject(tls)) return [];
  const { key, certificate } = tls;
  if (typeof key !== 'string' || typeof certificate !== 'string') return [];
  const fault = tlsFault({ key, certificate });
  const help = `give both in PEM, as \${file:PATH}, the certificate with those that lead to its authority`;
  return fault === undefined ? [] : [{ at: ['server', 'tls'], reason: `cannot be used (${fault}); ${help}` }];
};
