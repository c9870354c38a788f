/** A store for work that continues: where it is unavailable, it is waited for, as long as the process works. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../errors.js';
import type { Store } from './store.js';

const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 500;

const isUnavailable = (thrown: unknown): boolean => thrown instanceof GatewayError && thrown.code === 'store_unavailable';

/** @param signal aborts when nobody waits any more */
export const patient = (store: Store, signal: AbortSignal): Store => {
  const untilDone = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
      try {
        return await work();
      } catch (thrown) {
        if (!isUnavailable(thrown) || signal.aborted) throw thrown;
      }
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  };

  return {
    ...store,
    read: (keys) => untilDone(() => store.read(keys)),
    change: (keys, decide) => untilDone(() => store.change(keys, decide)),
    members: (index, window) => untilDone(() => store.members(index, window)),
  };
};
