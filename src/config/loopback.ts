import { isIP } from 'node:net';

/** Whether a host is this very machine; an IPv6 address may stand in brackets, as in a URL. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
