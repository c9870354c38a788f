/** Which server a store is on, and since when: one that took its place may lack changes that the earlier one confirmed. */
import type { Clock } from '../clock.js';
import type { Shared } from '../store/store.js';
import type { DomainRecords } from './domains.js';

export interface StoreHistory {
  /** Asks which server it is. @returns its identity; '' for a store that one process has to itself */
  look(): Promise<string>;
  /** Whether the last server that answered is this one. */
  isOn(identity: string | undefined): boolean;
  /** Since when it is the one that was seen last, in milliseconds since 1970; 0 where there never was another. */
  readonly since: number;
  /** What was begun before then, the store may have lost. In milliseconds since 1970. */
  traceless(): number;
}

export const createStoreHistory = (
  shared: Shared | undefined,
  records: Pick<DomainRecords, 'noteGeneration'>,
  clock: Clock,
): StoreHistory => {
  let known = { identity: '', since: 0 };
  return {
    look: async () => {
      if (!shared) return '';
      const identity = await shared.identity();
      if (identity === known.identity) return identity;
      const since = await records.noteGeneration(identity, known.identity !== '');
      known = { identity, since: Math.max(since, known.since) };
      return identity;
    },
    isOn: (identity) => !shared || identity === shared.lastIdentity,
    get since() {
      return known.since;
    },
    // What was read just now may be of a server that nobody has looked at yet.
    traceless: () => (!shared || shared.lastIdentity === known.identity ? known.since : clock.now()),
  };
};
