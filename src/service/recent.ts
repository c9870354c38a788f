import type { Target } from '../registry.js';

/** Users made by this process lately. */
export interface RecentUsers {
  add(target: Target, username: string): void;
  forget(target: Target, username: string): void;
  has(target: Target, username: string): boolean;
}

/** Longer than the clocks can be apart by which a user's age is judged. */
const KEPT_MS = 60_000;

export const createRecentUsers = (nowMs: () => number = Date.now): RecentUsers => {
  const until = new Map<string, number>();
  const keyOf = ({ account, vendorClusterId }: Target, username: string): string =>
    JSON.stringify([account.name, vendorClusterId, username]);

  return {
    add: (target, username) => {
      const now = nowMs();
      for (const [key, end] of until) {
        if (end > now) break;
        until.delete(key);
      }
      const key = keyOf(target, username);
      until.delete(key);
      until.set(key, now + KEPT_MS);
    },
    forget: (target, username) => {
      until.delete(keyOf(target, username));
    },
    has: (target, username) => (until.get(keyOf(target, username)) ?? 0) > nowMs(),
  };
};
