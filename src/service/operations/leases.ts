/** Which processes are to be taken for alive. */
import type { Store } from '../../store/store.js';
import { expiring, type InstanceRecord, keyOf } from './records.js';

const DAY_MS = 24 * 60 * 60_000;

export interface Leases {
  /** Says that a process lives, for so long. */
  renew(instance: string, forMs: number): Promise<void>;
  isAlive(instance: string): Promise<boolean>;
}

export const createLeases = (store: Store, nowMs: () => number = Date.now): Leases => ({
  renew: (instance, forMs) => {
    const key = keyOf.instance(instance);
    const record: InstanceRecord = { until: nowMs() + forMs };
    // By the day, so that a process that lives long has few of them.
    const removal = (Math.ceil(record.until / DAY_MS) + 1) * DAY_MS;
    return store.change([], () => ({ result: undefined, put: { [key]: record }, add: [expiring(removal, key)] }));
  },

  isAlive: async (instance) => {
    const [record] = await store.read<InstanceRecord>([keyOf.instance(instance)]);
    return record !== undefined && record.until > nowMs();
  },
});
