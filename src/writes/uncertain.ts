/**
 * Items of which the store may have lost what was done for them, after a failover: they may have been sent, and more, without a trace. Each waits
 * for its turn at its thing, counts as sent from then on, and is read back.
 */
import type { Board } from './board.js';
import { isBefore } from './queue.js';
import { REST_MS, rest, resume } from './sending.js';
import { markTraceless } from './vendor-call.js';
import { type Entry, mayGoOn, type Work } from './work.js';

/**
 * Marks those that are at one thing: what is found there may be the work of any, and what is missing the work of a later one. So may it be
 * where a later item was sent by this process.
 */
export const markRivals = ({ sent: lastSent }: Board, works: Iterable<Work>): void => {
  const byName = new Map<string, Entry[]>();
  for (const { entries } of works)
    for (const entry of entries.values()) {
      if (!entry.isUncertain) continue;
      const known = byName.get(entry.item.name);
      if (known) known.push(entry);
      else byName.set(entry.item.name, [entry]);
    }
  for (const [name, entries] of byName) {
    const last = entries.reduce((one, other) => (isBefore(one, other) ? other : one));
    const sent = lastSent.get(name)?.order ?? Number.NEGATIVE_INFINITY;
    for (const entry of entries) {
      entry.isSuperseded ||= entry !== last || sent > entry.work.order;
      entry.hasRival ||= entries.length > 1 || entry.isSuperseded;
    }
  }
};

const resumeUncertain = (board: Board, entry: Entry): void => {
  board.move([entry], 'deciding');
  board.run([entry], async () => {
    if (entry.item.underWay !== undefined || (await markTraceless(board.desk, entry))) {
      resume(board, entry);
      return;
    }
    board.uncertain.add(entry);
    rest(board, [entry], REST_MS);
  });
};

/** Resumes those whose turn it is. */
export const resumeInTurn = (board: Board, works: Iterable<Work>): void => {
  const { uncertain, queue } = board;
  if (uncertain.size === 0) return;
  markRivals(board, works);
  for (const entry of uncertain) {
    const { work, item } = entry;
    if (item.outcome || !mayGoOn(work)) uncertain.delete(entry);
    else if (entry.state === 'waiting') {
      // Of an operation in order, only the first one waits in the queue.
      if (work.inOrder && work.entries.values().next().value === entry) queue.add(entry);
      if (!queue.isNext(entry)) continue;
      uncertain.delete(entry);
      resumeUncertain(board, entry);
    }
  }
};
