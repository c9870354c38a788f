/** What items need before their turn: a reading of what is there, of whether it is as `If-Match` says, or of what is to be done. */
import { hasConditions } from '../journal/item.js';
import type { Board } from './board.js';
import { endForeseen, plan } from './planning.js';
import { nextOfBatch, nextToPlan } from './queue.js';
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

/** What has to be planned is checked with it. */
export const isToBeChecked = (entry: Entry): boolean =>
  hasConditions(entry.item) && entry.checkedAt === undefined && !isToBePlanned(entry);

const isQuiet = ({ paceOf }: Board, entry: Entry): boolean =>
  paceOf(stepNameOf(entry)).quietMs(entry.work.endurance.maxWaitMs) > 0;

/** Whether a call of the item's step may be made now. */
export const mayBeSent = (board: Board, { concurrency }: Limits, entry: Entry): boolean => {
  if (!mayGoOn(entry.work) || isQuiet(board, entry)) return false;
  return board.paceOf(stepNameOf(entry)).isProbing() ? board.sending === 0 : board.sending < concurrency;
};

/** Plans what is next, whether anything can be sent or not: readings that hang hold up nothing that needs none. */
const createPlanner = (board: Board) => {
  const { queue, sharing, desk } = board;
  let batchesRead = 0;
  let singlesRead = 0;

  const planBatches = (batches: Iterable<Preparable>): void => {
    for (const { work } of batches) {
      if (!mayGoOn(work)) continue;
      endForeseen(board, work);
      if (batchesRead === BATCHES_PREPARED) continue;
      const group = nextToPlan(work, queue, desk.clock.now());
      const [first] = group;
      if (!first || isQuiet(board, first)) continue;
      batchesRead++;
      plan(board, group, () => {
        batchesRead--;
      });
    }
  };

  /** Single items, and those of batches that they wait for: of one batch together. */
  const planSingles = (): void => {
    const now = desk.clock.now();
    const isReady = (entry: Entry): boolean =>
      isToBePlanned(entry) && !entry.isUncertain && now >= entry.work.planSoonAt && !isQuiet(board, entry);
    let ready = queue.urgent().filter(isReady);
    while (singlesRead < SINGLES_PREPARED) {
      const [first] = ready;
      if (!first) return;
      const { isBatch } = first.work;
      const group = isBatch ? ready.filter(({ work }) => work === first.work) : sharing.groupOf(first, ready, ready.length);
      ready = ready.filter((entry) => !group.includes(entry));
      singlesRead++;
      plan(board, group, () => {
        singlesRead--;
      });
    }
  };

  return (batches: Iterable<Preparable>): void => {
    planBatches(batches);
    planSingles();
  };
};

/** @returns starts the preparations of batches, the next one first, of single items, and of those that these wait for */
export const createPreparations = (board: Board) => {
  const { queue, paceOf } = board;
  const startPlanning = createPlanner(board);
  /** Single items that are being read. */
  let preparing = 0;

  const prepareBatches = (batches: Iterable<Preparable>, limits: Limits): void => {
    let next = 0;
    const blocked = new Set<string>();
    for (const held of batches) {
      if (next === BATCHES_PREPARED) break;
      const { work } = held;
      if (!mayGoOn(work)) continue;
      const group = held.isPreparing || isFull(work) ? [] : nextOfBatch(work, limits, queue, blocked);
      const [first] = group;
      if (first && isQuiet(board, first)) blocked.add(stepNameOf(first));
      if (!held.isPreparing && (!first || isQuiet(board, first))) continue;
      next++;
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
    } else if (isToBeChecked(entry) && mayBeSent(board, limits, entry)) {
      preparing++;
      check(board, entry, done);
    }
  };

  return (batches: Iterable<Preparable>, limits: Limits): void => {
    startPlanning(batches);
    prepareBatches(batches, limits);
    for (const entry of queue.urgent()) {
      if (preparing === SINGLES_PREPARED) break;
      if (entry.state === 'waiting' && mayGoOn(entry.work)) prepareSingle(entry, limits);
    }
  };
};
