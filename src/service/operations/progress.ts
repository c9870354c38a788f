import type { GatewayError } from '../../errors.js';
import { afterCall, inViewOf, isOutcome, type StepOutcome } from './item.js';
import type { Ledger, Work } from './ledger.js';
import { type ItemRecord, isDone, type LoadedOperation } from './records.js';

/** The items of an operation that this process works on, as the ledger has them. */
export interface Progress {
  item(index: number): ItemRecord;
  /** In the order of the request. */
  unsettled(): ItemRecord[];
  /** The first item that is not done as asked, where that stops all after it; else infinity. */
  stopsAt(): number;
  /** Stores what came of items. @throws OwnershipLost */
  settle(outcomes: ReadonlyMap<number, StepOutcome>): Promise<void>;
  /** Takes over what the ledger has stored already. */
  update(items: readonly ItemRecord[]): void;
  isCancelled(): Promise<boolean>;
  /** An error after which nothing more is sent. */
  fatal: GatewayError | undefined;
}

export const createProgress = (operation: LoadedOperation, work: Work, ledger: Ledger): Progress => {
  const items = new Map(operation.items.map((item) => [item.index, item]));
  const item = (index: number): ItemRecord => items.get(index) as ItemRecord;

  return {
    item,
    unsettled: () => [...items.values()].filter(({ outcome }) => outcome === undefined),
    stopsAt: () => {
      if (operation.stopOnError) for (const { index, outcome } of items.values()) if (outcome && !isDone(outcome)) return index;
      return Number.POSITIVE_INFINITY;
    },
    settle: async (given) => {
      if (given.size === 0) return;
      const outcomes = new Map(
        [...given].map(([index, outcome]) => [index, isOutcome(outcome) ? inViewOf(item(index), outcome) : outcome] as const),
      );
      await ledger.settle(work, outcomes);
      for (const [index, outcome] of outcomes) items.set(index, afterCall(item(index), outcome));
    },
    update: (changed) => {
      for (const record of changed) items.set(record.index, record);
    },
    isCancelled: async () => (await ledger.get(operation.id))?.cancelling ?? true,
    fatal: undefined,
  };
};
