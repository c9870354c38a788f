/** Whom an address belongs to. */

const GROUPS = 8;
const OF_NETWORK = 4;

const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));

/**
 * The address, or of IPv6 the network of 64 bits that it is in: one machine has all of those (RFC 4291, section 2.5.4).
 * @param address as Node names it
 */
export const networkOf = (address: string): string => {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = tail === undefined ? 0 : GROUPS - first.length - last.length;
  return [...first, ...Array<string>(Math.max(0, zeros)).fill('0'), ...last].slice(0, OF_NETWORK).join(':');
};
