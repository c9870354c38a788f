/** Configurations of the gateway, from the one with the most to the one that every gateway knows. */
import { createHash, randomBytes } from 'node:crypto';
import { EHPC_CLUSTER, SHANHE_CLUSTER } from './vendors.js';

const KEY_LENGTH = 43;
/** More than the attacks and the legitimate client can send, so that they meet other limits than that of their rate. */
const UNLIMITED = 1_000_000;
/** The legitimate client sends 1,200. */
const ENOUGH = 6_000;

export type Caller = 'legitimate' | 'attacking' | 'flooding';
export type Keys = Readonly<Record<Caller, string>>;

const newKey = (): string => `hpcgw_${randomBytes(KEY_LENGTH).toString('base64url').slice(0, KEY_LENGTH)}`;
export const newKeys = (): Keys => ({ legitimate: newKey(), attacking: newKey(), flooding: newKey() });

const rights = [{ clusters: ['*'], verbs: ['read', 'write', 'operate'] }];

const callersWith = (keys: Keys, limits: object) => ({
  callers: Object.entries(keys).map(([id, key]) => ({
    id,
    keys: [{ hash: `sha256:${createHash('sha256').update(key).digest('hex')}` }],
    rights,
    ...(id === 'flooding' ? {} : limits),
  })),
});

export interface Variant {
  readonly name: string;
  readonly raw: object;
  readonly hasCallers: boolean;
}

/** The gateway refuses what it does not know, so the first one that it takes is the best. */
export const variants = (accounts: object, store: object, keys: Keys): Variant[] => {
  const base = {
    server: { host: '127.0.0.1', port: 0 },
    store,
    accounts,
    clusters: [
      { id: 'ehpc', account: 'ali', vendorClusterId: EHPC_CLUSTER },
      { id: 'shanhe', account: 'jinan', vendorClusterId: SHANHE_CLUSTER },
    ],
  };
  const withCallers = (name: string, limits: object, more: object = {}): Variant => ({
    name,
    raw: { ...base, ...more, auth: callersWith(keys, limits) },
    hasCallers: true,
  });
  return [
    withCallers('callers with limits of their own', { limits: { requestsPerMinute: UNLIMITED } }),
    withCallers('callers with limits of their own', { limits: { requestsPerCallerPerMinute: UNLIMITED } }),
    withCallers('callers with one limit for all', {}, { limits: { requestsPerCallerPerMinute: ENOUGH } }),
    withCallers('callers without limits', {}),
    { name: 'no callers', raw: base, hasCallers: false },
  ];
};
