/** API keys: how they are sent, how long they are good, and what they cannot be mistaken for. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Credentials, createAuthenticate } from '../../src/callers/authenticate.js';
import { hashOf, isApiKey, newKey } from '../../src/callers/keys.js';
import type { Verified } from '../../src/callers/verified.js';
import { systemClock } from '../../src/clock.js';
import type { CallerConfig } from '../../src/config/auth.js';
import { makeCaller } from '../support/callers.js';

const RIGHTS = [{ clusters: ['*'], verbs: ['read'], roles: ['member'] }] as const;
const EXPIRES = Date.parse('2027-06-30T00:00:00Z');
const [first, second, third] = [makeCaller('portal'), makeCaller('portal'), makeCaller('script')];
const hashIn = ({ config }: { readonly config: object }): string => (config as { keys: [{ hash: string }] }).keys[0].hash;

const callers: CallerConfig[] = [
  {
    id: 'portal',
    keys: [
      { hash: hashIn(first), expires: '2027-06-30T00:00:00Z' },
      { hash: hashIn(second).toUpperCase().replace('SHA256', 'sha256') },
    ],
    rights: RIGHTS,
    limits: { requestsPerCallerPerMinute: 7 },
  },
  { id: 'script', keys: [{ hash: hashIn(third) }], rights: RIGHTS },
];
let now = EXPIRES - 1;
const authenticate = createAuthenticate(
  { callers, jwt: [] },
  { requestsPerCallerPerMinute: 600, maxRequestsInFlight: 9 },
  {
    ...systemClock,
    now: () => now,
  },
);
const send = (given: Partial<Credentials>): Promise<Verified | undefined> =>
  authenticate({ bearer: undefined, apiKey: undefined, peer: '127.0.0.1', header: () => [], ...given });
const who = async (given: Partial<Credentials>): Promise<string | null | undefined> => {
  const verified = await send(given);
  return verified && ('caller' in verified ? verified.caller.id : verified.refusal);
};

describe('keys', () => {
  it('name their caller, several of them the same', async () => {
    expect(await who({ bearer: first.key })).toBe('portal');
    expect(await who({ bearer: second.key })).toBe('portal');
    expect(await who({ apiKey: third.key })).toBe('script');
    expect(await who({})).toBeUndefined();
  });

  it('are good until they expire, each by itself', async () => {
    now = EXPIRES - 1;
    expect(await who({ bearer: first.key })).toBe('portal');
    now = EXPIRES;
    expect(await who({ bearer: first.key })).toBe('The API key has expired.');
    expect(await who({ bearer: second.key })).toBe('portal');
    now = EXPIRES - 1;
  });

  it('in both headers have to be the same', async () => {
    expect(await who({ bearer: first.key, apiKey: first.key })).toBe('portal');
    expect(await who({ bearer: first.key, apiKey: second.key })).toMatch(/name two callers/);
    expect(await who({ bearer: 'a.b.c', apiKey: second.key })).toMatch(/name two callers/);
    expect(await who({ bearer: first.key, apiKey: '' })).toMatch(/name two callers/);
  });

  it('that are almost right are not', async () => {
    const { key } = first;
    const almost = [
      key.slice(0, -1),
      `${key}A`,
      key.toUpperCase(),
      ` ${key}`,
      `${key}\n`,
      key.replace('hpcgw_', ''),
      `${key},${key}`,
    ];
    for (const text of [...almost, hashIn(first), hashIn(first).replace('sha256:', '')]) {
      expect([text, await who({ apiKey: text })]).toEqual([text, 'The API key is not valid.']);
      expect([text, await who({ bearer: text })]).not.toEqual([text, 'portal']);
    }
  });

  it('have their limits: those of the caller before those of all', async () => {
    const limitsOf = async (key: string) => ((await send({ bearer: key })) as { caller: { limits: object } }).caller.limits;
    expect(await limitsOf(first.key)).toEqual({ requestsPerCallerPerMinute: 7, maxRequestsInFlight: 9 });
    expect(await limitsOf(third.key)).toEqual({ requestsPerCallerPerMinute: 600, maxRequestsInFlight: 9 });
  });

  it('that are made are new, and known by their hash', () => {
    const keys = Array.from({ length: 100 }, newKey);
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) {
      expect(key).toMatch(/^hpcgw_[A-Za-z0-9_-]{43}$/);
      expect(isApiKey(key)).toBe(true);
    }
    const [key = ''] = keys;
    expect(hashOf(key)).toBe(`sha256:${createHash('sha256').update(key, 'utf8').digest('hex')}`);
  });
});
