/** Runs work of one key in turn: what comes later sees what came before. */
import { storeUnavailable } from './store.js';

export type Turns = <Value>(key: string, work: () => Promise<Value>) => Promise<Value>;

/** @param maxWaitMs work that waited longer for its turn fails as `store_unavailable`, and does not begin */
export const createTurns = (maxWaitMs = Number.POSITIVE_INFINITY): Turns => {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const asked = performance.now();
    const begin = () => {
      if (performance.now() - asked > maxWaitMs) throw storeUnavailable('is too slow');
      return work();
    };
    const turn = (last.get(key) ?? Promise.resolve()).then(begin, begin);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    last.set(key, settled);
    settled.then(() => {
      if (last.get(key) === settled) last.delete(key);
    });
    return turn;
  };
};
