/**
 * Pieces of work that take the processor for a while: they come by turns of their owners, as many in a turn of the event loop as are quick, so that
 * what is small comes in between, and nobody waits behind all of another's. New connections go first, of which Node takes one in a turn: while they arrive, there
 * is one piece of anybody's now and then.
 */
/** While connections arrive, a piece begins this often at least. */
const PATIENCE_MS = 2;
/** A turn takes no more pieces after so long, nor more rounds than these. */
const TURN_MS = 0.5;
const ROUNDS = 8;

/** By owner. */
const waiting = new Map<string, (() => void)[]>();
let isScheduled = false;
let hasArrived = false;
/** When the last turn that took a piece began. */
let begunAt = 0;

/** Of so many owners one each; who has more is the last one next time. */
const begin = (owners: number): void => {
  let left = owners;
  for (const [of, pieces] of waiting) {
    if (left-- === 0) return;
    pieces.shift()?.();
    waiting.delete(of);
    if (pieces.length > 0) waiting.set(of, pieces);
  }
};

const first = (): void => {
  const now = performance.now();
  if (hasArrived && now - begunAt < PATIENCE_MS) return;
  begunAt = now;
  begin(hasArrived ? 1 : waiting.size);
};

/** In the same turn, after what the pieces before it did at once. */
const another = (): void => {
  if (!hasArrived && performance.now() - begunAt < TURN_MS) begin(waiting.size);
};

const last = (): void => {
  hasArrived = false;
  schedule();
};

const schedule = (): void => {
  isScheduled = waiting.size > 0;
  if (!isScheduled) return;
  setImmediate(first);
  const most = Math.max(...[...waiting.values()].map(({ length }) => length));
  for (let round = 1; round < Math.min(most, ROUNDS); round++) setImmediate(another);
  setImmediate(last);
};

/** Resolves when it is the turn of the owner. @param of whose piece it is */
export const ownTurn = (of = ''): Promise<void> =>
  new Promise((resolve) => {
    const pieces = waiting.get(of) ?? [];
    pieces.push(resolve);
    waiting.set(of, pieces);
    if (!isScheduled) schedule();
  });

/** A connection has arrived; more may be waiting behind it. */
export const noteArrival = (): void => {
  hasArrived = true;
};
