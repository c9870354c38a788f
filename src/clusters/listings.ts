/** What accounts have: asked once for all who ask meanwhile, kept for a while, and remembered when an account cannot be asked. */
import type { Call, ClusterListing } from '../adapter.js';
import { untilAborted } from '../deadline.js';
import type { Account } from './registry.js';

const KEPT_MS = 30_000;
/** An account that cannot be asked is not asked again for so long. */
const FAILED_MS = 2_000;
/** A shared question does not end with the first asker's deadline. */
const SHARED_DEADLINE_MS = 30_000;

export const shared = (call: Call): Call => ({ ...call, signal: AbortSignal.timeout(SHARED_DEADLINE_MS) });

export interface Known {
  readonly listing: ClusterListing;
  /** In milliseconds since 1970. */
  readonly at: number;
}

export interface Listings {
  /** As the account says it now. @throws why it cannot be asked, also where that was so a moment ago */
  fresh(account: Account, call: Call): Promise<ClusterListing>;
  /** The same, at most half a minute old. */
  recent(account: Account, call: Call): Promise<ClusterListing>;
  /** What it had when it answered last. */
  last(account: Account): Known | undefined;
  isRecent(known: Known): boolean;
  /** When it was asked last, by the monotonic clock. */
  askedAt(account: Account): number;
}

export const createListings = (): Listings => {
  const kept = new Map<Account, Known>();
  const asking = new Map<Account, Promise<ClusterListing>>();
  const askedAt = new Map<Account, number>();
  const failed = new Map<Account, { readonly error: unknown; readonly until: number }>();

  const ask = async (account: Account, call: Call): Promise<ClusterListing> => {
    askedAt.set(account, performance.now());
    try {
      const listing = await account.adapter.listClusters(shared(call));
      kept.set(account, { listing, at: Date.now() });
      failed.delete(account);
      return listing;
    } catch (error) {
      failed.set(account, { error, until: Date.now() + FAILED_MS });
      throw error;
    } finally {
      asking.delete(account);
    }
  };

  const fresh = async (account: Account, call: Call): Promise<ClusterListing> => {
    const failure = failed.get(account);
    if (failure && Date.now() < failure.until) throw failure.error;
    const question = asking.get(account) ?? ask(account, call);
    asking.set(account, question);
    return untilAborted(question, call.signal);
  };

  const isRecent = ({ at }: Known): boolean => Date.now() - at < KEPT_MS;

  return {
    fresh,
    recent: async (account, call) => {
      const known = kept.get(account);
      return known && isRecent(known) ? known.listing : fresh(account, call);
    },
    last: (account) => kept.get(account),
    isRecent,
    askedAt: (account) => askedAt.get(account) ?? 0,
  };
};
