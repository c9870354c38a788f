/** An open operation in the runner of its cluster, and its items. */

import type { Tally } from '../adapter.js';
import { type Clock, SKEW_MS } from '../clock.js';
import type { GatewayError } from '../errors.js';
import type { Claim, Stored } from '../journal/claim.js';
import type { Holding } from '../journal/holding.js';
import { isOutcome, type StepOutcome, stepOf } from '../journal/item.js';
import type { Journal } from '../journal/journal.js';
import { type ItemOutcome, type ItemRecord, isDone, type LoadedOperation } from '../journal/records.js';
import type { OwnKey } from '../store/encryptor.js';
import { inViewOf } from './outcome.js';
import { BATCH_PATIENCE, createEndurance, type Endurance, singlePatience } from './pace.js';
import type { Planned, Site, Step, Unread } from './resource.js';

/**
 * What is done for an item now. `waiting`: nothing. `preparing`, `checking`: its thing is read before the send. `sending`: from the moment
 * before it is stored as sent to the vendor's word. `following`: a job. `deciding`: what that means. `doubt`: to be read back. `reading`: is
 * being read back. `resting`: for a moment.
 */
export type EntryState =
  | 'waiting'
  | 'preparing'
  | 'checking'
  | 'sending'
  | 'following'
  | 'deciding'
  | 'doubt'
  | 'reading'
  | 'resting';

export interface Plan {
  readonly planned: Exclude<Planned, Unread>;
  /** Whether it is still true, as far as this process knows. */
  isUsable(): boolean;
}

/** An item that is not settled. */
export interface Entry {
  readonly work: Work;
  /** As the journal has it. */
  item: ItemRecord;
  state: EntryState;
  /** When the thing met the conditions of the item, by our clock. */
  checkedAt: number | undefined;
  checks: number;
  /** The store may have lost what was done for it: it may have been sent, and more, without a trace. */
  isUncertain: boolean;
  /** So may another item at its thing: what is found may be that one's work. */
  hasRival: boolean;
  /** A later item at its thing may have been sent: it must not be sent any more, and what is missing may be that one's work. */
  isSuperseded: boolean;
  /** Sent, not to be sent again, and read back for the last word. */
  isReadAtEnd: boolean;
  /** What was decided by a reading, until it is sent or ended. */
  plan: Plan | undefined;
  /** How often it was read without being enough for a plan. */
  unread: number;
  /** What the vendor said when somebody else had come before what was planned; once. */
  overtakenBy: 'already_exists' | 'not_found' | undefined;
  /** The vendor's names of the requests that were made for it, as far as this process knows. */
  readonly requestIds: Set<string>;
}

export interface Work {
  readonly id: string;
  /** What was accepted later has a higher one. */
  readonly order: number;
  readonly claim: Claim;
  readonly requestId: string;
  /** Calls to the vendor, those of earlier processes included as far as they are known. */
  readonly tally: Tally;
  /** Its cluster, as its account sees it. */
  readonly site: Site;
  /** A batch is patient with the vendor; a caller waits for a single item. */
  readonly isBatch: boolean;
  /** Whether nothing may be sent before all items before it are settled. */
  readonly inOrder: boolean;
  /** When it was asked for, and when the work on it began here. By our clock, in milliseconds since 1970. */
  readonly askedAt: number;
  readonly startedAt: number;
  /** Of secrets, by the index of their items. A backup of the store may lack them. */
  readonly ownKeys: ReadonlyMap<number, OwnKey>;
  /** By index, in the order of the request. */
  readonly entries: ReadonlyMap<number, Entry>;
  /** How many of them are not waiting, and how many of these are only being read before their turn. */
  readonly busy: number;
  readonly readAhead: number;
  /** Nothing after this index is sent. */
  readonly stopsAt: number;
  /** How much its cluster takes is known, and all that was accepted before has begun. */
  isReady: boolean;
  /** Somebody asked for it to be stopped. */
  isCancelling: boolean;
  /** Nothing more is sent for this reason. */
  fatal: GatewayError | undefined;
  /** The last item was settled, and the operation has ended with it. */
  isOver: boolean;
  /** Its part in this process is over: another one has it, or it failed here. */
  isGone: boolean;
  /** Before then, nothing is read back again, by our clock. */
  readAt: number;
  /** Readings in a row that gave no answer. */
  unreadable: number;
  /** Whether some of its items have to be planned. */
  readonly isPlanned: boolean;
  /** Before then, nothing of it is planned, by our clock; and where a single item waits for one of its items. */
  planAt: number;
  planSoonAt: number;
  /** Readings for a plan in a row that were not enough, and how long they are made again. */
  unplanned: number;
  readonly planning: Endurance;
  /** Smaller groups, of items that were refused together. */
  readonly apart: Entry[][];
  /** How long it waits for a vendor in trouble. */
  readonly endurance: Endurance;
  /** The operation as the journal has it, as far as this process knows. */
  known(): LoadedOperation;
  move(entry: Entry, state: EntryState): void;
  /** Takes over what the journal has stored. */
  update(stored: Stored): void;
  /** Stores what came of items. @throws OwnershipLost */
  settle(outcomes: ReadonlyMap<Entry, StepOutcome>): Promise<void>;
}

export interface WorkDeps {
  readonly journal: Journal;
  readonly site: Site;
  readonly clock: Clock;
  readonly singlePatienceMs: number;
  readonly holding: Pick<Holding, 'traceless'> | undefined;
  /** An item is settled. */
  onSettled(entry: Entry): void;
}

export const createEntry = (work: Work, item: ItemRecord): Entry => ({
  work,
  item,
  state: 'waiting',
  checkedAt: undefined,
  checks: 0,
  isUncertain: false,
  hasRival: false,
  isSuperseded: false,
  isReadAtEnd: false,
  plan: undefined,
  unread: 0,
  overtakenBy: undefined,
  requestIds: new Set(),
});

const isReadAhead = (state: EntryState): boolean => state === 'preparing' || state === 'checking';

/** What follows is known. */
const CERTAIN = { isUncertain: false, hasRival: false, isSuperseded: false } as const;

export const createWork = (
  operation: LoadedOperation,
  claim: Claim,
  { journal, site, clock, singlePatienceMs, holding, onSettled }: WorkDeps,
): Work => {
  const { id, order, requestId, isBatch, stopOnError, createdAt, ownKeys = new Map<number, OwnKey>() } = operation;
  const askedAt = Date.parse(createdAt);
  const isUncertain = holding !== undefined && askedAt <= holding.traceless + SKEW_MS;
  const patience = isBatch ? BATCH_PATIENCE : singlePatience(singlePatienceMs);
  const entries = new Map<number, Entry>();
  const records = new Map(operation.items.map((item) => [item.index, item]));
  let busy = 0;
  let readAhead = 0;
  let isPlanned = false;
  let stopsAt = Number.POSITIVE_INFINITY;

  const noteOutcome = ({ index, outcome }: ItemRecord): void => {
    if (stopOnError && outcome && !isDone(outcome)) stopsAt = Math.min(stopsAt, index);
  };

  const move = (entry: Entry, state: EntryState): void => {
    busy += Number(state !== 'waiting') - Number(entry.state !== 'waiting');
    readAhead += Number(isReadAhead(state)) - Number(isReadAhead(entry.state));
    entry.state = state;
  };

  const work: Work = {
    id,
    order,
    claim,
    requestId,
    tally: { calls: operation.calls?.made ?? 0 },
    site,
    isBatch,
    inOrder: stopOnError,
    askedAt,
    startedAt: clock.now(),
    ownKeys,
    entries,
    get busy() {
      return busy;
    },
    get readAhead() {
      return readAhead;
    },
    get stopsAt() {
      return stopsAt;
    },
    isReady: false,
    isOver: false,
    isCancelling: operation.cancelling,
    fatal: undefined,
    isGone: false,
    readAt: 0,
    unreadable: 0,
    get isPlanned() {
      return isPlanned;
    },
    planAt: 0,
    planSoonAt: 0,
    unplanned: 0,
    planning: createEndurance(clock, patience),
    apart: [],
    endurance: createEndurance(clock, patience),
    known: () => ({ ...operation, cancelling: work.isCancelling, items: [...records.values()] }),
    move,
    update: ({ items, isCancelling }) => {
      work.isCancelling ||= isCancelling;
      for (const item of items) {
        records.set(item.index, item);
        const entry = entries.get(item.index);
        if (entry) entry.item = item;
      }
    },
    settle: async (given) => {
      if (given.size === 0) return;
      const outcomes = new Map(
        [...given].map(([{ item }, outcome]) => {
          const end = isOutcome(outcome) ? inViewOf(item, outcome, site) : outcome;
          return [item.index, end] as const;
        }),
      );
      const stored = await journal.settle(
        claim,
        [...given.keys()].map(({ item }) => item),
        outcomes,
        new Map([...given.keys()].map(({ item, requestIds }) => [item.index, [...requestIds]])),
        work.tally.calls,
      );
      work.isOver = stored.isOver;
      work.update(stored);
      for (const entry of given.keys()) {
        // The next step follows at once.
        if (given.get(entry)?.status !== 'step_done') entry.checkedAt = undefined;
        if (!entry.item.outcome) {
          // What is not done was not followed by anything either.
          if (given.get(entry)?.status === 'again') Object.assign(entry, CERTAIN);
          else entry.isReadAtEnd = false;
          continue;
        }
        ownKeys.delete(entry.item.index);
        noteOutcome(entry.item);
        move(entry, 'waiting');
        entries.delete(entry.item.index);
        onSettled(entry);
      }
    },
  };
  for (const item of operation.items) {
    noteOutcome(item);
    if (item.outcome) continue;
    const entry = { ...createEntry(work, item), isUncertain };
    entries.set(item.index, entry);
    isPlanned ||= isToBePlanned(entry);
  }
  return work;
};

/** Jobs of a vendor's that one operation has open at once: as many as one look at them shows. */
const MAX_OPEN_JOBS = 100;

export const isFull = ({ site, busy, readAhead }: Work): boolean => site.hasJobs && busy - readAhead >= MAX_OPEN_JOBS;

export const stepsOf = ({ item, plan }: Entry): readonly string[] =>
  plan?.planned.status === 'planned' ? plan.planned.steps : item.steps;

export const stepNameOf = ({ item, plan }: Entry): string =>
  plan?.planned.status === 'planned' ? (plan.planned.steps[0] ?? '') : stepOf(item);

/** What it ends with when all before it are settled, without a call: of an operation in order. */
export const foreseenOf = ({ plan }: Entry): ItemOutcome | undefined =>
  plan && plan.planned.status !== 'planned' ? plan.planned : undefined;

export const stepNow = (entry: Entry): Step => entry.work.site.step(stepNameOf(entry));

/** A plan that is not true any more is made again. */
export const dropStalePlan = (entry: Entry): void => {
  if (entry.plan?.isUsable() === false) entry.plan = undefined;
};

/** Whether it has to be read first what is to be done. */
export const isToBePlanned = (entry: Entry): boolean => entry.plan === undefined && stepNow(entry).plan !== undefined;

/** Whether this item may be sent, as far as its operation is concerned. */
export const mayGoOn = ({ isReady, fatal, isCancelling, isGone }: Work): boolean => isReady && !fatal && !isCancelling && !isGone;
