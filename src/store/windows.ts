/** Windows over an index, newest first, of which filters leave out some. */
import type { Store, Value } from './store.js';

/** What is asked for is found by its id, which sorts by time. */
interface Identified extends Value {
  readonly id: string;
}

export interface WindowQuery<Found extends Identified> {
  readonly index: string;
  /** What the members begin with, before the id. */
  readonly prefix?: string;
  /** The least id that is asked for. */
  readonly first: string;
  /** The window begins with the next lower id; absent: with the newest. */
  readonly after: string | undefined;
  readonly limit: number;
  keyOf(id: string): string;
  fits(record: Found): boolean;
}

export interface FoundWindow<Found> {
  readonly found: readonly Found[];
  /** Where the next window begins; null on the last one. There may be fewer than asked for in a window before it. */
  readonly next: string | null;
}

/** Records that are read for one window, whatever its filters leave out. */
const MAX_LOOKED_THROUGH = 1_000;
/** Read at once at least: a short window with filters would take a question for every few. */
const MIN_SLICE = 50;
/** Sorts after every id. */
const END = '~';

export const readWindow = async <Found extends Identified>(
  store: Pick<Store, 'read' | 'members'>,
  { index, prefix = '', first, after, limit, keyOf, fits }: WindowQuery<Found>,
): Promise<FoundWindow<Found>> => {
  const found: Found[] = [];
  const slice = Math.max(limit + 1, MIN_SLICE);
  let at = after ?? END;
  for (let looked = 0; looked < MAX_LOOKED_THROUGH; looked += slice) {
    const members = await store.members(index, { order: 'descending', limit: slice, after: `${prefix}${at}` });
    const ids = members.filter((member) => member.startsWith(prefix)).map((member) => member.slice(prefix.length));
    const records = await store.read<Found>(ids.map(keyOf));
    for (const [position, id] of ids.entries()) {
      if (id < first) return { found, next: null };
      // One may be gone since the index was read.
      const record = records[position];
      const isListed = record !== undefined && fits(record);
      // What the caller may not see is no reason for another window.
      if (isListed && found.length === limit) return { found, next: found.at(-1)?.id ?? null };
      at = id;
      if (isListed) found.push(record);
    }
    if (ids.length < slice) return { found, next: null };
  }
  return { found, next: at };
};
