/** The state of the runner of a cluster, and how its tasks begin and end. */
import { setMaxListeners } from 'node:events';
import { onAbort } from '../deadline.js';
import { asGatewayError, type GatewayError } from '../errors.js';
import type { Desk } from './desk.js';
import { createPaces, type Pace } from './pace.js';
import { createQueue, type Queue } from './queue.js';
import { createSharing, type Sharing } from './sharing.js';
import { byWork, type VendorCall } from './vendor-call.js';
import type { Entry, EntryState, Work } from './work.js';

export interface Board {
  readonly desk: Desk;
  readonly queue: Queue;
  readonly paceOf: (step: string) => Pace;
  readonly sharing: Sharing;
  /** Items that have to be read back, with their last call. */
  readonly doubts: Map<Entry, VendorCall>;
  /** Items of which the store may have lost that they were sent, until it is their turn. */
  readonly uncertain: Set<Entry>;
  /** The order of the last operation that was sent for a thing, and the how manieth send that was. */
  readonly sent: Map<string, { readonly order: number; readonly at: number }>;
  /** How many sends there were. */
  sends: number;
  /** Calls to the vendor that are being made. */
  sending: number;
  /** The last failure that was no refusal. */
  lastError: GatewayError | undefined;
  /** Aborts when nothing more is to be begun; calls under way end. */
  readonly stopping: AbortSignal;
  /** Looks, soon, at what may start now. */
  pump(): void;
  move(entries: Iterable<Entry>, state: EntryState): void;
  putInDoubt(entry: Entry, call: VendorCall): void;
  /** Runs a task for items, which never rejects. A fault of it ends the part of their operations here. */
  run(entries: readonly Entry[], task: () => Promise<void>): void;
  /** The same for each operation on its own. @returns what went well */
  forEachWork<T>(entries: Iterable<Entry>, task: (work: Work, entries: readonly Entry[]) => Promise<T>): Promise<T[]>;
  /** The part of the operation in this process is over, for this reason. */
  fail(work: Work, fault: unknown): void;
  /** Listens to nothing any more. */
  close(): void;
  /** Nothing more of the operation is sent. */
  giveUp(work: Work, failure: GatewayError): void;
}

export interface BoardDeps {
  readonly desk: Desk;
  readonly pause: AbortSignal;
  /** Looks at what may start now. */
  onTurn(): void;
  /** The part of an operation in this process is over. */
  onFault(work: Work, fault: unknown): void;
}

const nothingMore = (failure: GatewayError): GatewayError =>
  failure.withMessage(`${failure.message} Nothing more was sent.`, failure.code, 'none');

export const createBoard = ({ desk, pause, onTurn, onFault }: BoardDeps): Board => {
  const doubts = new Map<Entry, VendorCall>();
  const stopper = new AbortController();
  const stopping = stopper.signal;
  setMaxListeners(0, stopping);
  const stops = [desk.signal, pause].map((signal) => onAbort(signal, () => stopper.abort()));
  let isDue = false;

  const move = (entries: Iterable<Entry>, state: EntryState): void => {
    for (const entry of entries) entry.work.move(entry, state);
  };

  const fail = (work: Work, fault: unknown): void => {
    // That is no fault: the next owner resumes it.
    if (stopping.aborted) return;
    work.isGone = true;
    onFault(work, fault);
  };

  const isLeft = ({ work }: Entry): boolean => work.isGone || stopping.aborted;

  const board: Board = {
    desk,
    queue: createQueue(),
    paceOf: createPaces(desk.clock),
    sharing: createSharing(desk),
    doubts,
    uncertain: new Set(),
    sent: new Map(),
    sends: 0,
    sending: 0,
    lastError: undefined,
    stopping,

    pump: () => {
      if (isDue) return;
      isDue = true;
      setImmediate(() => {
        isDue = false;
        onTurn();
      });
    },

    move,

    putInDoubt: (entry, call) => {
      entry.work.move(entry, 'doubt');
      doubts.set(entry, call);
    },

    run: (entries, task) => {
      void task()
        .catch((thrown: unknown) => {
          for (const work of byWork(entries).keys()) fail(work, thrown);
        })
        .finally(() => {
          // What ended early stays as it is stored.
          move(
            entries.filter((entry) => isLeft(entry) && !doubts.has(entry)),
            'waiting',
          );
          board.pump();
        });
    },

    forEachWork: async (entries, task) => {
      const ended = [...byWork(entries)].map(async ([work, own]) => {
        try {
          return [await task(work, own)];
        } catch (thrown) {
          fail(work, thrown);
          return [];
        }
      });
      return (await Promise.all(ended)).flat();
    },

    fail,

    close: () => {
      for (const stop of stops) stop();
    },

    giveUp: (work, failure) => {
      work.fatal ??= nothingMore(failure);
    },
  };
  return board;
};

/** Faults of the gateway itself are for the log. */
export const noteFault = ({ desk }: Board, error: unknown, requestId: string): void => {
  const fault = asGatewayError(error);
  if (fault.code === 'internal_error') desk.report(fault, requestId);
};
