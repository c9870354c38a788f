/** Which writes of one item share a vendor call. The first goes alone at once; those that wait meanwhile go together. */
import type { Desk } from './desk.js';
import { isShared, type VendorCall } from './vendor-call.js';
import { type Entry, stepNameOf, stepNow } from './work.js';

/** After a shared call that was refused or failed, each item goes alone for so long. */
const APART_MS = 60_000;

/** Words that are about no item. */
const ABOUT_NONE: ReadonlySet<string> = new Set(['applied', 'taken', 'busy_free', 'refused_all']);

/**
 * What a reading can settle after a word that may be about another item: an add where the thing's age, or a reading before, shows whose
 * it is; a removal of what was seen; a property that can be read back.
 */
const canBeToldApart = ({ baselines, offsets, site }: Desk, entry: Entry): boolean => {
  const baseline = baselines.of(entry.item.name, undefined, true);
  const step = stepNow(entry);
  if (step.plan) return true;
  switch (step.nature) {
    case 'add':
      return offsets.isKnown(site.key) || baseline !== 'unread';
    case 'remove':
      return baseline === 'present';
    case 'set-visible':
      return true;
    case 'set-hidden':
      return false;
  }
};

export interface Sharing {
  /** Those that go in one call with the first, it included. @param ready single items that may be sent now, in order */
  groupOf(first: Entry, ready: readonly Entry[], size: number): Entry[];
  note(call: VendorCall): void;
}

export const createSharing = (desk: Desk): Sharing => {
  let apartUntil = 0;

  /** Which call an item can go in: one account asks for one step. */
  const kindOf = (entry: Entry): string => {
    const { account, clusterId } = entry.work.site;
    return JSON.stringify([account.name, clusterId, stepNameOf(entry)]);
  };

  /** A second send is for the item alone, whose answer is about it then; so is one whose thing has to be read right before. */
  const mayShare = (entry: Entry): boolean =>
    !entry.work.isBatch && entry.item.ifMatch === undefined && (entry.item.sends ?? 0) === 0 && canBeToldApart(desk, entry);

  return {
    groupOf: (first, ready, size) => {
      if (size <= 1 || desk.clock.now() < apartUntil || !mayShare(first)) return [first];
      const others = ready.filter((entry) => entry !== first && kindOf(entry) === kindOf(first) && mayShare(entry));
      return [first, ...others.slice(0, size - 1)];
    },
    note: (call) => {
      if (isShared(call) && !ABOUT_NONE.has(call.word)) apartUntil = desk.clock.now() + APART_MS;
    },
  };
};
