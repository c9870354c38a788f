import type { GatewayError } from '../../errors.js';
import { afterCall, isOutcome, type StepOutcome } from './item.js';
import type { Ledger, Work } from './ledger.js';
import { type ItemRecord, isDone, type LoadedOperation } from './records.js';
import { inViewOf } from './steps.js';

/** How far an operation is that this process works on: its items as the ledger has them, and how things go. */
export interface Progress {
  item(index: number): ItemRecord;
  /** In the order of the request. */
  unsettled(): ItemRecord[];
  /** The first item that is not done as asked, where that stops all after it; else infinity. */
  stopsAt(): number;
  /** Writes down what came of items. @throws OwnershipLost */
  settle(outcomes: ReadonlyMap<number, StepOutcome>): Promise<void>;
  /** Takes over what the ledger has written down already. */
  update(items: readonly ItemRecord[]): void;
  isCancelled(): Promise<boolean>;
  /** Milliseconds since an item was done as asked, or since the work began. */
  idleMs(): number;
  /** How often the vendor refused to work since then; counts this time. */
  refusals(): number;
  /** The vendor asked to be left alone for so long. */
  keepQuiet(ms: number): void;
  /** Milliseconds left of that. */
  quietMs(): number;
  /** An error after which nothing more is sent. */
  fatal: GatewayError | undefined;
}

export const createProgress = (operation: LoadedOperation, work: Work, ledger: Ledger): Progress => {
  const items = new Map(operation.items.map((item) => [item.index, item]));
  let wentWellAt = Date.now();
  let refusals = 0;
  let quietUntil = 0;
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
      for (const [index, outcome] of outcomes) {
        items.set(index, afterCall(item(index), outcome));
        if (!isOutcome(outcome) || !isDone(outcome)) continue;
        wentWellAt = Date.now();
        refusals = 0;
      }
    },
    update: (changed) => {
      for (const record of changed) items.set(record.index, record);
    },
    isCancelled: async () => (await ledger.get(operation.id))?.cancelling ?? true,
    idleMs: () => Date.now() - wentWellAt,
    refusals: () => refusals++,
    keepQuiet: (ms) => {
      quietUntil = Math.max(quietUntil, Date.now() + ms);
    },
    quietMs: () => Math.max(quietUntil - Date.now(), 0),
    fatal: undefined,
  };
};
