/**
 * The open operations of a domain, by cluster. Those of one cluster are loaded, and given to work, in the order in which they were added:
 * who works there has seen all that came before.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isFinal, type LoadedOperation, type OpenRef } from './records.js';

/** Operations of one cluster that are in memory. Most of them wait there; the others wait in the store. */
const MAX_LOADED = 2_000;
/** Each reads its items at once. */
const LOADED_AT_ONCE = 10;

export interface Lanes {
  /** Takes up operations, but those that it has. Resolves when they are given to work, or have to wait for room. */
  add(refs: readonly OpenRef[]): Promise<void>;
  /** Whether the operation is worked on. */
  has(id: string): boolean;
  readonly isEmpty: boolean;
  /** Takes up nothing more. */
  close(): void;
}

export interface LaneDeps {
  load(id: string): Promise<LoadedOperation | undefined>;
  /** Works on an operation until it is final, or to be left to others. Never rejects. */
  run(operation: LoadedOperation): Promise<void>;
  /** Of the store. What was loaded from another one is loaded again. */
  generation(): string;
  onFault(error: unknown): void;
}

interface Lane {
  readonly waiting: Set<string>;
  loaded: number;
  isPulling: boolean;
  pulled: Promise<void>;
}

export const createLanes = ({ load, run, generation, onFault }: LaneDeps): Lanes => {
  const lanes = new Map<string, Lane>();
  const working = new Set<string>();
  let isClosed = false;

  const laneOf = (key: string): Lane => {
    const lane = lanes.get(key) ?? { waiting: new Set(), loaded: 0, isPulling: false, pulled: Promise.resolve() };
    lanes.set(key, lane);
    return lane;
  };

  const loadSafely = async (id: string): Promise<LoadedOperation | undefined> => {
    try {
      const operation = await load(id);
      return operation && !isFinal(operation) && !isClosed ? operation : undefined;
    } catch (thrown) {
      // It is found again by the next look at what is open.
      onFault(thrown);
      return undefined;
    }
  };

  const loadAll = async (ids: readonly string[]): Promise<readonly (LoadedOperation | undefined)[]> => {
    for (;;) {
      const since = generation();
      const operations = await Promise.all(ids.map(loadSafely));
      if (generation() === since || isClosed) return operations;
    }
  };

  const end = (lane: Lane, id: string): void => {
    working.delete(id);
    lane.loaded--;
  };

  const pull = async (key: string, lane: Lane): Promise<void> => {
    lane.isPulling = true;
    while (lane.waiting.size > 0 && lane.loaded < MAX_LOADED && !isClosed) {
      const ids = [...lane.waiting].slice(0, Math.min(LOADED_AT_ONCE, MAX_LOADED - lane.loaded));
      for (const id of ids) {
        lane.waiting.delete(id);
        working.add(id);
        lane.loaded++;
      }
      for (const [at, operation] of (await loadAll(ids)).entries()) {
        const id = ids[at] as string;
        if (operation) void run(operation).then(() => onEnd(key, lane, id));
        else end(lane, id);
      }
      await nextTurn();
    }
    lane.isPulling = false;
    if (lane.loaded === 0 && lane.waiting.size === 0) lanes.delete(key);
  };

  const pullOn = (key: string, lane: Lane): Promise<void> => {
    if (!lane.isPulling) lane.pulled = pull(key, lane);
    return lane.pulled;
  };

  const onEnd = (key: string, lane: Lane, id: string): void => {
    end(lane, id);
    void pullOn(key, lane);
  };

  return {
    add: async (refs) => {
      const changed = new Map<string, Lane>();
      for (const { id, lane: key } of refs) {
        if (working.has(id) || isClosed) continue;
        const lane = laneOf(key);
        lane.waiting.add(id);
        changed.set(key, lane);
      }
      await Promise.all([...changed].map(([key, lane]) => pullOn(key, lane)));
    },
    has: (id) => working.has(id),
    get isEmpty() {
      return working.size === 0;
    },
    close: () => {
      isClosed = true;
    },
  };
};
