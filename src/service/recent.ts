import type { VendorUser } from '../adapter.js';
import type { Target } from '../registry.js';

/** Users made by this process lately. */
export interface RecentUsers {
  add(target: Target, user: VendorUser): void;
  /** Whether this very user, by name and age, was made here. */
  has(target: Target, user: VendorUser): boolean;
}

/** Longer than the clocks can be apart by which a user's age is judged. */
const KEPT_MS = 60_000;

export const createRecentUsers = (nowMs: () => number = Date.now): RecentUsers => {
  const made = new Map<string, { readonly createdAt: string | null; readonly until: number }>();
  const keyOf = ({ account, vendorClusterId }: Target, { username }: VendorUser): string =>
    JSON.stringify([account.name, vendorClusterId, username]);

  return {
    add: (target, user) => {
      const now = nowMs();
      for (const [key, { until }] of made) {
        if (until > now) break;
        made.delete(key);
      }
      const key = keyOf(target, user);
      made.delete(key);
      made.set(key, { createdAt: user.createdAt, until: now + KEPT_MS });
    },
    has: (target, user) => {
      const known = made.get(keyOf(target, user));
      if (!known || known.until <= nowMs()) return false;
      return known.createdAt === null || user.createdAt === null || known.createdAt === user.createdAt;
    },
  };
};
