/**
 * Works on one cluster, for all operations of the domain that this process holds. Whatever has ended pumps: a turn starts all that may
 * start now, and sets a timer for what comes with time. docs/design/durable-writes.md has the states and the rules.
 */
import { asGatewayError, type GatewayError } from '../errors.js';
import type { Claim } from '../journal/claim.js';
import type { StepOutcome } from '../journal/item.js';
import type { LoadedOperation } from '../journal/records.js';
import { type Board, createBoard } from './board.js';
import { boundedCall, type Desk } from './desk.js';
import { failedWith, noAnswer, withDetail } from './outcome.js';
import { createPreparations, isToBeChecked, mayBeSent, type Preparable, wantsBaseline } from './preparations.js';
import { isBegun, leastSent, nextOfBatch } from './queue.js';
import { startReadings } from './reading.js';
import type { Limits, Site } from './resource.js';
import { resume, send } from './sending.js';
import { markRivals, resumeInTurn } from './uncertain.js';
import { tracelessAt } from './vendor-call.js';
import { createWork, type Entry, isFull, isToBePlanned, mayGoOn, stepNameOf, stepNow, type Work } from './work.js';

export interface Runner {
  /** Works on an operation. Resolves when it is final, or to be left to others. @throws OwnershipLost */
  work(operation: LoadedOperation, claim: Claim, site: Site): Promise<void>;
  /** Somebody may have asked for the operation to be stopped. */
  look(id: string): void;
  /** Stores again what is known of all operations. @throws OwnershipLost */
  restore(): Promise<void>;
  /** What it works on. */
  works(): readonly Work[];
  /** Listens to nothing any more. */
  close(): void;
}

const SINGLES_PER_BATCH = 4;
/** News may be lost: operations are looked at without them, a few at a time. */
const LOOK_MS = 2_000;
const LOOKS_AT_ONCE = 20;
/** What depends on the vendor's health or on a reading is looked at so often. */
const TROUBLED_MS = 500;
const MIN_TIMER_MS = 20;

/** What becomes of an item, once the vendor is given up. */
const notDone = (fatal: GatewayError, { item: { sends = 0 } }: Entry): StepOutcome =>
  failedWith(
    withDetail(fatal, sends === 0 ? 'This item was not sent.' : 'This item was not done, and is not sent again.', 'none'),
  );

/** An operation here, and who waits for its end. */
interface Held extends Preparable {
  lookedAt: number;
  isLooking: boolean;
  /** What it ends with is being stored. */
  isEnding: boolean;
  resolve(): void;
  reject(fault: unknown): void;
}

/** @param pause aborts when nothing more is to be begun; calls under way end */
export const createRunner = (desk: Desk, pause: AbortSignal): Runner => {
  const { clock, journal, report } = desk;
  const all = new Map<string, Held>();
  const faults = new Map<Work, unknown>();
  /** The one whose turn is next comes first. */
  const batches = new Set<Held>();
  let limits: Limits = { concurrency: 1, sizes: {} };
  let singlesInARow = 0;
  let timer = new AbortController();
  /** Operations begin in order, so that nothing is sent for a later one before an earlier one is in the queue. */
  let begun: Promise<unknown> = Promise.resolve();

  const works = (): Work[] => [...all.values()].map(({ work }) => work);

  const turn = (): void => {
    try {
      for (const held of [...all.values()]) endIfOver(held);
      timer.abort();
      if (all.size === 0) return;
      if (!board.stopping.aborted) {
        startReadings(board, limits);
        resumeInTurn(board, works());
        startPreparations(batches, limits);
        startCalls();
      }
      setTimer();
    } catch (thrown) {
      // A fault of ours must not stop the cluster.
      report(asGatewayError(thrown), 'operations');
      setTimer();
    }
  };

  const board: Board = createBoard({ desk, pause, onTurn: turn, onFault: (work, fault) => faults.set(work, fault) });
  const { queue, doubts, paceOf } = board;
  const startPreparations = createPreparations(board);
  const maySend = (entry: Entry): boolean => mayBeSent(board, limits, entry);

  // ---- ends

  const leave = ({ work, resolve, reject }: Held): void => {
    all.delete(work.id);
    for (const held of batches) if (held.work === work) batches.delete(held);
    for (const entry of work.entries.values()) {
      queue.remove(entry);
      doubts.delete(entry);
    }
    if (faults.has(work)) reject(faults.get(work));
    else resolve();
    faults.delete(work);
  };

  /** The last word on what was not done, and on the whole. Nothing of it is under way. */
  const conclude = (held: Held): void => {
    const { work } = held;
    const open = [...work.entries.values()];
    // What was, or may have been, sent without a word, is not sent again, and can be read back.
    const unread = open.filter((entry) => {
      const { sends = 0 } = entry.item;
      return !entry.isReadAtEnd && (entry.isUncertain || (sends > 0 && stepNow(entry).nature === 'set-visible'));
    });
    if (unread.length > 0) {
      const now = clock.now();
      if (unread.some(({ isUncertain }) => isUncertain)) markRivals(board, works());
      for (const entry of unread) {
        entry.isReadAtEnd = true;
        if (entry.isUncertain && entry.item.job !== undefined) {
          resume(board, entry);
          continue;
        }
        const sentAt = entry.isUncertain ? (entry.item.underWay ?? tracelessAt(desk, work)) : now;
        const endedAt = entry.isUncertain ? (desk.holding?.quietAfter(sentAt) ?? now) : now;
        const call = { step: stepNow(entry), entries: [entry], sentAt, endedAt, word: 'none', job: 'unknown' } as const;
        board.putInDoubt(entry, { ...call, tired: new Set([work]), error: work.fatal ?? noAnswer() });
      }
      return;
    }
    held.isEnding = true;
    board.move(open, 'deciding');
    const end = async (): Promise<void> => {
      const { fatal } = work;
      const outcomes = open.map((entry) => [entry, fatal ? notDone(fatal, entry) : ({ status: 'cancelled' } as const)] as const);
      if (open.length > 0) await work.settle(new Map(outcomes));
      else await journal.finish(work.claim);
      work.isOver = true;
    };
    board.run(open, () => end().catch((thrown: unknown) => board.fail(work, thrown)));
  };

  const endIfOver = (held: Held): void => {
    const { work } = held;
    const isLeft = board.stopping.aborted || work.isGone;
    const inDoubt = isLeft ? [...work.entries.values()].filter((entry) => doubts.has(entry)).length : 0;
    if (work.busy > inDoubt) return;
    if (work.isOver || work.isGone || board.stopping.aborted) {
      leave(held);
      return;
    }
    if (held.isEnding || !work.isReady) return;
    giveUpIfTired(work);
    const [first] = work.entries.values();
    // All that comes before an item that stops the rest is settled.
    const isAtEnd = !first || first.item.index >= work.stopsAt;
    if (!mayGoOn(work) || isAtEnd) {
      for (const entry of work.entries.values()) if (entry.state === 'waiting') queue.remove(entry);
      if (work.busy === 0) conclude(held);
    }
  };

  /** Others have found the vendor in trouble for longer than this operation waits. */
  const giveUpIfTired = (work: Work): void => {
    if (work.busy > 0 || !mayGoOn(work) || !board.lastError) return;
    const [first] = work.entries.values();
    const pace = first && paceOf(stepNameOf(first));
    const trouble = pace?.trouble();
    if (trouble && !work.endurance.isLeftFor(trouble, pace?.quietMs(work.endurance.maxWaitMs) ?? 0))
      board.giveUp(work, board.lastError.withoutVendorMessage());
  };

  // ---- what comes next

  const nextSingles = (): readonly Entry[] => {
    const isReady = (entry: Entry): boolean =>
      entry.state === 'waiting' &&
      !entry.isUncertain &&
      !wantsBaseline(board, entry) &&
      !isToBeChecked(entry) &&
      !isToBePlanned(entry) &&
      maySend(entry);
    const ready = queue.urgent().filter(isReady);
    const [first] = ready;
    if (!first) return [];
    const step = stepNameOf(first);
    return board.sharing.groupOf(first, ready, paceOf(step).isFailing() ? 1 : (limits.sizes[step] ?? 1));
  };

  const nextOfBatches = (): readonly Entry[] => {
    // Many batches wait for the same step: what holds one of them back holds back all.
    const held = new Set<string>();
    for (const each of batches) {
      const { work } = each;
      if (each.isPreparing || !mayGoOn(work) || isFull(work)) continue;
      const group = nextOfBatch(work, limits, queue, held);
      const [first] = group;
      if (!first) continue;
      if (!maySend(first)) {
        held.add(stepNameOf(first));
        continue;
      }
      const pace = paceOf(stepNameOf(first));
      // Prepared in the next turn.
      if (!pace.isProbing() && group.some((entry) => wantsBaseline(board, entry))) continue;
      batches.delete(each);
      batches.add(each);
      if (!pace.isFailing()) return group;
      return [work.inOrder ? first : leastSent(group)];
    }
    return [];
  };

  const startCalls = (): void => {
    for (let calls = 0; calls <= limits.concurrency && board.sending < limits.concurrency; calls++) {
      const isBatchTurn = singlesInARow >= SINGLES_PER_BATCH;
      const batch = isBatchTurn ? nextOfBatches() : [];
      const singles = batch.length === 0 ? nextSingles() : [];
      const group = [batch, singles, isBatchTurn ? [] : nextOfBatches()].find(({ length }) => length > 0);
      if (!group) return;
      singlesInARow = group === singles ? singlesInARow + 1 : 0;
      send(board, group);
    }
  };

  const begin = (held: Held): void => {
    const { work } = held;
    work.isReady = true;
    if (work.isBatch) batches.add(held);
    for (const entry of work.entries.values()) {
      if (entry.isUncertain) board.uncertain.add(entry);
      else resume(board, entry);
    }
    board.pump();
  };

  // ---- time

  const lookAt = async (held: Held): Promise<void> => {
    if (held.isLooking) return;
    held.isLooking = true;
    held.lookedAt = clock.now();
    const record = await journal.get(held.work.id).finally(() => {
      held.isLooking = false;
    });
    // A record that is missing is for the next change to find: the store may have lost it.
    held.work.isCancelling ||= record?.cancelling ?? false;
  };

  /** Operations that nothing was stored for lately. */
  const lookAround = (): void => {
    const old = [...all.values()].filter(({ lookedAt }) => clock.now() - lookedAt >= LOOK_MS).slice(0, LOOKS_AT_ONCE);
    for (const held of old) board.run([], () => lookAt(held));
  };

  const setTimer = (): void => {
    timer = new AbortController();
    const { signal: over } = timer;
    const waits = [LOOK_MS];
    for (const { work } of all.values()) {
      const [first] = work.entries.values();
      const quiet = first ? paceOf(stepNameOf(first)).quietMs(work.endurance.maxWaitMs) : 0;
      if (quiet > 0) waits.push(quiet);
      if (work.unplanned > 0) waits.push(TROUBLED_MS);
    }
    if (doubts.size > 0) waits.push(TROUBLED_MS);
    void clock.sleep(Math.max(Math.min(...waits), MIN_TIMER_MS), over).then(() => {
      if (over.aborted) return;
      lookAround();
      board.pump();
    });
  };

  return {
    work: async (operation, claim, own) => {
      const onSettled = (entry: Entry): void => {
        queue.remove(entry);
        const { account } = own;
        const afterMs = Math.max(0, clock.now() - work.askedAt);
        desk.onItem({ vendor: account.vendor, step: stepNameOf(entry), status: entry.item.outcome?.status ?? '', afterMs });
      };
      const work: Work = createWork(operation, claim, { ...desk, site: own, onSettled });
      let held: Held | undefined;
      const ended = new Promise<void>((resolve, reject) => {
        const flags = { isLooking: false, isPreparing: false, isEnding: false };
        held = { work, lookedAt: clock.now(), ...flags, resolve, reject };
        all.set(work.id, held);
      });
      // At once: who comes later finds it there.
      for (const entry of work.entries.values()) if (!work.inOrder || isBegun(entry)) queue.add(entry);
      board.pump();
      const before = begun;
      const known = own.limits(boundedCall(desk, operation));
      begun = Promise.all([before, known, desk.holding?.adopting]).catch(() => undefined);
      limits = await known;
      await begun;
      if (held && all.get(work.id) === held) begin(held);
      await ended;
    },

    restore: async () => {
      for (const { work } of [...all.values()]) if (!work.isOver) await journal.restore(work.claim, work.known());
    },

    works,

    close: board.close,

    look: (id) => {
      const held = all.get(id);
      if (held) board.run([], () => lookAt(held));
    },
  };
};
