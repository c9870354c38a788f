import { isLoopback } from './loopback.js';
import type { ServerConfig } from './schema.js';

/** An https URL; plain http only to this machine, since what is sent there has to be kept secret, or what comes back decides on rights. */
export const isSecureUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
};

/** Whether callers reach the gateway by https: its own, or that of a proxy in front of it. */
export const isHttps = ({ tls, publicUrl }: Pick<ServerConfig, 'tls' | 'publicUrl'>): boolean =>
  tls !== undefined || publicUrl?.startsWith('https:') === true;
