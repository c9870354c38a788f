/** Changes of one chain, one after the other; none begins long after it was asked for. */
import { storeUnavailable } from '../store/store.js';

export type Turn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export const createTurns = (maxWaitMs: number): Turn => {
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
