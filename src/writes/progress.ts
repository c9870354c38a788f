import type { Clock } from '../clock.js';
import type { GatewayError } from '../errors.js';
import { afterCall, isOutcome, type StepOutcome } from '../journal/item.js';
import type { Journal, Work } from '../journal/journal.js';
import { type ItemRecord, isDone, type LoadedOperation } from '../journal/records.js';
import { inViewOf } from './outcome.js';
import type { Site } from './resource.js';

/** The items of an operation that this process works on, as the journal has them. */
export interface Progress {
  item(index: number): ItemRecord;
  /** In the order of the request. */
  unsettled(): ItemRecord[];
  /** The first item that is not done as asked, where that stops all after it; else infinity. */
  stopsAt(): number;
  /** Stores what came of items. @throws OwnershipLost */
  settle(outcomes: ReadonlyMap<number, StepOutcome>): Promise<void>;
  /** Takes over what the journal has stored already. */
  update(items: readonly ItemRecord[]): void;
  isCancelled(): Promise<boolean>;
  /** Whether the last item was settled, and the operation has ended with it. */
  readonly isOver: boolean;
  /** An error after which nothing more is sent. */
  fatal: GatewayError | undefined;
}

/** Operations of which there is news; their worker looks at them then. */
export type News = Set<string>;

export interface ProgressDeps {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly news: News;
}

/** How often an operation is looked at without news: they may be lost. */
const LOOK_MS = 2_000;

export const createProgress = (
  operation: LoadedOperation,
  work: Work,
  /** Undefined where the cluster is no longer served. */
  site: Site | undefined,
  { journal, clock, news }: ProgressDeps,
): Progress => {
  const { id } = operation;
  const items = new Map(operation.items.map((item) => [item.index, item]));
  const item = (index: number): ItemRecord => items.get(index) as ItemRecord;
  let isOver = false;
  let isCancelled = operation.cancelling;
  let lookedAt = clock.now();

  return {
    item,
    get isOver() {
      return isOver;
    },
    unsettled: () => [...items.values()].filter(({ outcome }) => outcome === undefined),
    stopsAt: () => {
      if (operation.stopOnError) for (const { index, outcome } of items.values()) if (outcome && !isDone(outcome)) return index;
      return Number.POSITIVE_INFINITY;
    },
    settle: async (given) => {
      if (given.size === 0) return;
      const outcomes = new Map(
        [...given].map(
          ([index, outcome]) => [index, site && isOutcome(outcome) ? inViewOf(item(index), outcome, site) : outcome] as const,
        ),
      );
      isOver = await journal.settle(work, [...outcomes.keys()].map(item), outcomes);
      for (const [index, outcome] of outcomes) items.set(index, afterCall(item(index), outcome));
    },
    update: (changed) => {
      for (const record of changed) items.set(record.index, record);
    },
    isCancelled: async () => {
      const isDue = news.delete(id) || clock.now() - lookedAt >= LOOK_MS;
      if (isCancelled || !isDue) return isCancelled;
      lookedAt = clock.now();
      isCancelled = (await journal.get(id))?.cancelling ?? true;
      return isCancelled;
    },
    fatal: undefined,
  };
};
