/** Whether a store is available, from what became of its last uses; each turn is reported once. */
import type { StoreEvents } from './store.js';

export interface Health {
  /** Why it is unavailable; undefined where it is not. */
  reason(): string | undefined;
  up(): void;
  down(reason: string): void;
}

export const createHealth = ({ unavailable, available }: StoreEvents): Health => {
  let known: string | undefined;
  return {
    reason: () => known,
    up: () => {
      if (known === undefined) return;
      known = undefined;
      available();
    },
    down: (reason) => {
      if (known === undefined) unavailable(reason);
      known = reason;
    },
  };
};
