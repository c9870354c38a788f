import { createHash, randomBytes } from 'node:crypto';
import { sameText } from './random.js';

/** A salted hash, so that no dump of a simulator's state holds a password. */
export const hashPassword = (password: string, salt: string = randomBytes(8).toString('hex')): string =>
  `${salt}:${createHash('sha256').update(`${salt}:${password}`).digest('hex')}`;

export const matchesHash = (passwordHash: string | null, password: string): boolean => {
  if (passwordHash === null) return false;
  const salt = passwordHash.slice(0, passwordHash.indexOf(':'));
  return sameText(passwordHash, hashPassword(password, salt));
};
