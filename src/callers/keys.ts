/** API keys: only their hashes are configured. */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { CallerConfig } from '../config/auth.js';
import type { Caller } from './caller.js';
import type { Verified } from './verified.js';

const PREFIX = 'hpcgw_';
const RANDOM_BYTES = 32;
const KEY = /^hpcgw_[A-Za-z0-9_-]{43}$/;

export const isApiKey = (text: string): boolean => KEY.test(text);

/** Cut, or mistyped. */
export const looksLikeApiKey = (text: string): boolean => text.startsWith(PREFIX);

/** As the configuration has it: the hash of the whole key. The keys are random, so that nobody finds one by trying hashes. */
export const hashOf = (key: string): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;

/** 256 random bits after a prefix by which scanners of repositories find keys that were left there. */
export const newKey = (): string => `${PREFIX}${randomBytes(RANDOM_BYTES).toString('base64url')}`;

/** @returns who has the key; looked up by its hash, so that the time says nothing about keys that are almost right */
export const createKeys = (
  callers: readonly CallerConfig[],
  defaults: Caller['limits'],
  clock: Clock,
): ((key: string) => Verified) => {
  const known = new Map(
    callers.flatMap(({ id, keys, rights, limits }) => {
      const caller: Caller = { id, rights, limits: { ...defaults, ...limits } };
      return keys.map(({ hash, expires }) => [
        hash.toLowerCase(),
        { caller, expiresAt: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires) },
      ]);
    }),
  );
  return (key) => {
    const found = known.get(hashOf(key));
    if (!found) return { refusal: 'The API key is not valid.' };
    return clock.now() < found.expiresAt ? { caller: found.caller } : { refusal: 'The API key has expired.' };
  };
};
