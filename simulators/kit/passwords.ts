import { createHash, randomBytes } from 'node:crypto';
import { sameText } from './random.js';

/** A salted hash, so that no dump of a simulator's state holds a password. */
export const sealPassword = (password: string, salt: string = randomBytes(8).toString('hex')): string =>
  `${salt}:${createHash('sha256').update(`${salt}:${password}`).digest('hex')}`;

export const opensWith = (sealed: string | null, password: string): boolean => {
  if (sealed === null) return false;
  const salt = sealed.slice(0, sealed.indexOf(':'));
  return sameText(sealed, sealPassword(password, salt));
};
