/** Users whom a trusted proxy has authenticated, and names in a header. */
import { BlockList, isIPv6 } from 'node:net';
import type { ProxyConfig } from '../config/auth.js';
import type { Caller } from './caller.js';
import type { Verified } from './verified.js';

/** What of a request can name its user. */
export interface NamedBy {
  /** Of the other end of the connection, whatever the request says. */
  readonly peer: string;
  /** All values of a header; a proxy that adds its own to one of the client's makes two. */
  header(name: string): readonly string[];
}

const addressesOf = (networks: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
};

const MAX_GROUPS = 200;

/** Printable text, as far as it is ASCII; what is not is left as bytes. */
const NAME = /^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]{0,253}[\x21-\x7e\x80-\xff])?$/;

/** @returns the user of a request that comes from the proxy with a name; undefined for all others */
export const createProxyUsers = (
  { userHeader, groupsHeader, from, rights }: ProxyConfig,
  limits: Caller['limits'],
): ((request: NamedBy) => Verified | undefined) => {
  const trusted = addressesOf(from);
  // An address of IPv4 in the form of IPv6 is the same one.
  const isTrusted = (peer: string): boolean => trusted.check(peer, isIPv6(peer) ? 'ipv6' : 'ipv4');
  return ({ peer, header }) => {
    const [name, ...others] = header(userHeader);
    if (name === undefined || !isTrusted(peer)) return undefined;
    if (others.length > 0) return { refusal: `The header ${userHeader} is there more than once; the proxy has to replace it.` };
    if (!NAME.test(name)) return { refusal: `The header ${userHeader} names no user.` };
    const listed = groupsHeader === undefined ? [] : header(groupsHeader);
    if (listed.length > 1) return { refusal: `The header ${groupsHeader} is there more than once; the proxy has to replace it.` };
    const groups = new Set((listed[0] ?? '').split(',', MAX_GROUPS).map((group) => group.trim()));
    return {
      caller: {
        id: `proxy:${name}`,
        rights: rights.filter(({ group }) => group === undefined || groups.has(group)),
        limits,
      },
    };
  };
};
