/**
 * Pieces of work that take the processor for a while: in each turn of the event loop one of each owner, so that what is small comes in
 * between, and nobody waits behind all of another's. New connections go first, of which Node takes one in a turn: while they arrive, there
 * is one piece of anybody's now and then.
 */
/** While connections arrive, a piece begins this often at least. */
const PATIENCE_MS = 2;

/** By owner. */
const waiting = new Map<string, (() => void)[]>();
let isScheduled = false;
let hasArrived = false;
let begunAt = 0;

const schedule = (): void => {
  isScheduled = waiting.size > 0;
  if (isScheduled) setImmediate(next);
};

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

const next = (): void => {
  const now = performance.now();
  if (!hasArrived || now - begunAt >= PATIENCE_MS) {
    begunAt = now;
    begin(hasArrived ? 1 : waiting.size);
  }
  hasArrived = false;
  schedule();
};

/** Resolves in a turn that no other piece of the owner has. @param of whose piece it is */
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
