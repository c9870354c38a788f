/**
 * Pieces of work that take the processor for a while, in slices: in each turn of the event loop one of them, or some where everything else
 * takes long, so that neither holds up the other. Those of many owners come by turns, so that nobody waits behind all of another's. New
 * connections go first, of which Node takes one in a turn: many at once would wait for as many slices.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** A turn in which everything else takes longer has more than one piece: in part of the time beyond it, and not for long. */
const LONG_MS = 10;
const SHARE = 0.5;
const MAX_SLICE_MS = 10;
/** While connections arrive, a piece begins this often at least. */
const PATIENCE_MS = 2;

/** By owner; the first one is next. */
const waiting = new Map<string, (() => void)[]>();
const owner = new AsyncLocalStorage<string>();
let isScheduled = false;
let hasArrived = false;
let endedAt = 0;

const schedule = (): void => {
  isScheduled = waiting.size > 0;
  if (isScheduled) setImmediate(beginSlice);
};

const beginOne = (): void => {
  for (const [of, pieces] of waiting) {
    waiting.delete(of);
    const begin = pieces.shift();
    if (pieces.length > 0) waiting.set(of, pieces);
    begin?.();
    return;
  }
};

/** A tick comes when the piece before it has done what it can do at once. */
const goOn = (until: number): void => {
  beginOne();
  process.nextTick(() => {
    endedAt = performance.now();
    if (waiting.size > 0 && endedAt < until) goOn(until);
    else schedule();
  });
};

const beginSlice = (): void => {
  const now = performance.now();
  const others = now - endedAt;
  const isEarly = hasArrived && others < PATIENCE_MS;
  const slice = Math.min(Math.max(0, others - LONG_MS) * SHARE, MAX_SLICE_MS);
  hasArrived = false;
  if (isEarly) schedule();
  else goOn(now + slice);
};

/** Resolves in a slice. @param of whose piece it is; by default the one that `workFor` names */
export const ownTurn = (of = owner.getStore() ?? ''): Promise<void> =>
  new Promise((resolve) => {
    const pieces = waiting.get(of) ?? [];
    pieces.push(resolve);
    waiting.set(of, pieces);
    if (!isScheduled) schedule();
  });

export const workFor = <T>(of: string, work: () => T): T => owner.run(of, work);

/** A connection has arrived; more may be waiting behind it. */
export const noteArrival = (): void => {
  hasArrived = true;
};
