/** One more look at things whose end is not known, for somebody who asks again. Reads only; nothing is sent. */
import type { Call } from '../adapter.js';
import { GatewayError, restoreError } from '../errors.js';
import { isOutcome, stepOf } from '../journal/item.js';
import type { ItemOutcome, ItemRecord, LoadedOperation } from '../journal/records.js';
import { type Deps, newContext, siteOf } from './context.js';
import { type Doubt, reconcile } from './evidence.js';
import type { Flight } from './flight.js';
import { createProgress } from './progress.js';
import type { Site } from './resource.js';

export type LookAgain = (operation: LoadedOperation, call: Call) => Promise<ReadonlyMap<number, ItemOutcome>>;

/**
 * What can be known after so long. That something is not done now does not show that it was never done: somebody may have undone it, and
 * it must not be done a second time.
 */
const PROVEN: ReadonlySet<string> = new Set(['created', 'already_exists', 'updated', 'deleted']);

/** What is not there now may have been there when it was to be changed. */
const isProven = ({ op }: ItemRecord, { status }: ItemOutcome): boolean =>
  PROVEN.has(status) || (op === 'delete' && status === 'not_found');

const lost = (): GatewayError => new GatewayError('vendor_timeout', 'The vendor did not answer.');

/** The send of an item whose answer was lost, long over. */
const flightOf = (site: Site, item: ItemRecord): Flight => ({
  step: site.step(stepOf(item)),
  items: [item],
  sentAt: 0,
  endedAt: 0,
  word: 'none',
  job: 'unknown',
  recovered: true,
  goesOn: false,
  isOver: true,
  error: item.outcome?.error ? restoreError(item.outcome.error) : lost(),
});

/** @returns what is known now of the items of a final operation that were `unknown`; those that stay so are left out */
export const createLookAgain =
  (deps: Deps): LookAgain =>
  async (operation, call) => {
    const { id, domain, resource, cluster } = operation;
    const site = siteOf(deps, operation);
    const unknown = operation.items.filter(({ outcome }) => outcome?.status === 'unknown');
    if (!site || unknown.length === 0) return new Map();
    const work = { id, domain, epoch: 0, process: '', resource, cluster };
    const progress = createProgress(operation, work, site, deps);
    const context = newContext(deps, {
      work,
      holding: undefined,
      site,
      progress,
      call,
      isBatch: false,
      inOrder: false,
      pause: call.signal,
    });
    const doubts = unknown.map((item): Doubt => ({ item, flight: flightOf(site, item) }));
    const outcomes = new Map<number, ItemOutcome>();
    for (const { doubt, decision } of await reconcile(context, doubts, false))
      if (decision.kind === 'settled' && isOutcome(decision.outcome) && isProven(doubt.item, decision.outcome))
        outcomes.set(doubt.item.index, decision.outcome);
    return outcomes;
  };
