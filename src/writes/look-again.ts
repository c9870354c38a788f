/** One more look at things whose end is not known, for somebody who asks again. Reads only; nothing is sent. */
import type { Call } from '../adapter.js';
import { restoreError } from '../errors.js';
import { isOutcome } from '../journal/item.js';
import type { ItemOutcome, ItemRecord, LoadedOperation } from '../journal/records.js';
import { createDesk, type Deps, siteOf } from './desk.js';
import { type Doubt, reconcile } from './evidence.js';
import { noAnswer } from './outcome.js';
import type { VendorCall } from './vendor-call.js';
import { createEntry, createWork, type Entry, stepNow } from './work.js';

export type LookAgain = (operation: LoadedOperation, call: Call) => Promise<ReadonlyMap<number, ItemOutcome>>;

/**
 * What can be known after so long. That something is not done now does not show that it was never done: somebody may have undone it, and
 * it must not be done a second time.
 */
const PROVEN: ReadonlySet<string> = new Set(['created', 'already_exists', 'updated', 'deleted']);

/** What is not there now may have been there when it was to be changed. */
const isProven = ({ op }: ItemRecord, { status }: ItemOutcome): boolean =>
  PROVEN.has(status) || (op === 'delete' && status === 'not_found');

/** The call of an item whose answer was lost, long over. */
const callOf = (entry: Entry): VendorCall => ({
  step: stepNow(entry),
  entries: [entry],
  sentAt: 0,
  endedAt: 0,
  word: 'none',
  job: 'unknown',
  isRecovered: true,
  tired: new Set([entry.work]),
  isOver: true,
  error: entry.item.outcome?.error ? restoreError(entry.item.outcome.error) : noAnswer(),
});

/** @returns what is known now of the items of a final operation that were `unknown`; those that stay so are left out */
export const createLookAgain =
  (deps: Deps): LookAgain =>
  async (operation, { signal }) => {
    const { id, domain, resource, cluster } = operation;
    const site = siteOf(deps, operation);
    const unknown = operation.items.filter(({ outcome }) => outcome?.status === 'unknown');
    if (!site || unknown.length === 0) return new Map();
    const claim = { id, domain, epoch: 0, process: '', resource, cluster };
    const work = createWork({ ...operation, isBatch: false, items: [] }, claim, {
      ...deps,
      site,
      holding: undefined,
      onSettled: () => undefined,
    });
    const doubts = unknown.map((item): Doubt => {
      const { doubt } = item;
      const entry = { ...createEntry(work, item), isUncertain: doubt !== undefined, hasRival: doubt === 'rival' };
      return { entry, call: callOf(entry) };
    });
    const outcomes = new Map<number, ItemOutcome>();
    const desk = createDesk(deps, { site, holding: undefined, signal });
    for (const { doubt, decision } of await reconcile(desk, doubts)) {
      const { item } = doubt.entry;
      if (decision.kind === 'settled' && isOutcome(decision.outcome) && isProven(item, decision.outcome))
        outcomes.set(item.index, decision.outcome);
    }
    return outcomes;
  };
