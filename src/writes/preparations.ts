/** What items need before their turn: a reading of what is there, of whether it is as `If-Match` says, or of what is to be done. */
import type { Board } from './board.js';
import { endForeseen, plan } from './planning.js';
import { nextOfBatch } from './queue.js';
import type { Limits } from './resource.js';
import { check, prepare } from './sending.js';
import { type Entry, isFull, isToBePlanned, mayGoOn, stepNameOf, stepNow, type Work } from './work.js';

/** Readings at once, of those that are next. */
const BATCHES_PREPARED = 4;
const SINGLES_PREPARED = 10;

/** An operation whose items can be prepared together. */
export interface Preparable {
  readonly work: Work;
  /** What was there before is being read, for all its items. */
  isPreparing: boolean;
}

export const wantsBaseline = ({ desk }: Board, entry: Entry): boolean =>
  desk.baselines.wants(stepNow(entry).nature, entry.item.name);

export const isToBeChecked = ({ item, checkedAt }: Entry): boolean => item.ifMatch !== undefined && checkedAt === undefined;

const isQuiet = ({ paceOf }: Board, entry: Entry): boolean =>
  paceOf(stepNameOf(entry)).quietMs(entry.work.endurance.maxWaitMs) > 0;

/** Whether its reading is to wait. A single item waits for it, or is the item. */
const isPutOff = ({ desk }: Board, { work }: Entry): boolean => desk.clock.now() < work.planSoonAt;

/** Whether a call of the item's step may be made now. */
export const mayBeSent = (board: Board, { concurrency }: Limits, entry: Entry): boolean => {
  if (!mayGoOn(entry.work) || isQuiet(board, entry)) return false;
  return board.paceOf(stepNameOf(entry)).isProbing() ? board.sending === 0 : board.sending < concurrency;
};

/** @returns starts the preparations of batches, the next one first, of single items, and of those that these wait for */
export const createPreparations = (board: Board) => {
  const { queue, paceOf, sharing } = board;
  /** Single items that are being read, and batches that are being planned. */
  let preparing = 0;
  let planning = 0;

  const prepareBatches = (batches: Iterable<Preparable>, limits: Limits): void => {
    let next = 0;
    const blocked = new Set<string>();
    for (const held of batches) {
      if (next === BATCHES_PREPARED) break;
      const { work } = held;
      if (!mayGoOn(work)) continue;
      endForeseen(board, work);
      const group = held.isPreparing || isFull(work) ? [] : nextOfBatch(work, limits, queue, blocked);
      const [first] = group;
      if (first && isQuiet(board, first)) blocked.add(stepNameOf(first));
      if (!held.isPreparing && (!first || isQuiet(board, first))) continue;
      next++;
      if (first && isToBePlanned(first)) {
        if (planning === BATCHES_PREPARED) continue;
        planning++;
        plan(board, group, () => {
          planning--;
        });
        continue;
      }
      // A vendor in trouble is not asked for more than it has to be.
      const isProbing = group.some((entry) => paceOf(stepNameOf(entry)).isProbing());
      if (isProbing || !group.some((entry) => wantsBaseline(board, entry))) continue;
      held.isPreparing = true;
      prepare(board, [...work.entries.values()], work, () => {
        held.isPreparing = false;
      });
    }
  };

  const done = (): void => {
    preparing--;
  };

  const prepareSingle = (entry: Entry, limits: Limits): void => {
    if (wantsBaseline(board, entry)) {
      preparing++;
      board.move([entry], 'preparing');
      prepare(board, [entry], entry.work, () => {
        done();
        board.move([entry], 'waiting');
      });
    } else if (isToBeChecked(entry)) {
      if (!mayBeSent(board, limits, entry)) return;
      preparing++;
      check(board, entry, done);
    } else if (isToBePlanned(entry) && !entry.isUncertain && !isQuiet(board, entry) && !isPutOff(board, entry)) {
      preparing++;
      const others = queue.urgent().filter((other) => !isToBeChecked(other) && !other.isUncertain && !isPutOff(board, other));
      plan(board, sharing.groupOf(entry, others, limits.sizes[stepNameOf(entry)] ?? 1), done);
    }
  };

  return (batches: Iterable<Preparable>, limits: Limits): void => {
    prepareBatches(batches, limits);
    for (const entry of queue.urgent()) {
      if (preparing === SINGLES_PREPARED) break;
      if (entry.state === 'waiting' && mayGoOn(entry.work)) prepareSingle(entry, limits);
    }
  };
};
