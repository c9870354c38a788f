import { isLoopback } from './loopback.js';

/** An https URL; plain http only to this machine, since what is sent there has to be kept secret, or what comes back decides on rights. */
export const isSecureUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
};
