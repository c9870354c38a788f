/**
 * Whether a vendor's own search finds what ours would: a part of a name, whatever the case. It is tried with a user who is there, since a search that finds too
 * little looks like one that finds nobody.
 */
import type { Call } from '../adapter.js';
import { createCache } from '../clusters/cache.js';
import { capabilitiesOf } from '../clusters/directory.js';
import type { Target } from '../clusters/registry.js';
import { untilAborted } from '../deadline.js';
import { walk } from './find.js';

const TRUSTED_MS = 60 * 60_000;
/** The trial does not end with the one who happened to ask first. */
const TRIAL_MS = 30_000;
const MIN_LENGTH = 4;

export type SearchTrust = (target: Target, call: Call) => Promise<boolean>;

const swapCase = (text: string): string => (text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase());

/** A name from the middle of the first page; false where there is none to try with. */
const tryOut = async (target: Target, call: Call): Promise<boolean> => {
  const { account, vendorClusterId } = target;
  const { users } = await account.adapter.listUsers(vendorClusterId, { offset: 0, limit: capabilitiesOf(target).pageSize }, call);
  const known = users.filter(({ username }) => username.length >= MIN_LENGTH);
  const user = known[Math.floor(known.length / 2)];
  if (!user) return false;
  const isIt = ({ username }: { readonly username: string }): boolean => username === user.username;
  const search = swapCase(user.username.slice(1, -1));
  const found = await walk(target, call, { search, enough: (slice) => slice.some(isIt) });
  return found.users.some(isIt);
};

export const createSearchTrust = (): SearchTrust => {
  const trusted = createCache<boolean>(TRUSTED_MS);
  return (target, call) => {
    const key = `${target.account.name}/${target.vendorClusterId}`;
    const trial = trusted.get(key, () => tryOut(target, { ...call, signal: AbortSignal.timeout(TRIAL_MS) }));
    return untilAborted(trial, call.signal);
  };
};
