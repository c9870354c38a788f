/** Rows that lists of a vendor had to leave out, for the log: it says so at most once a minute for a list. */
import type { Adapter } from '../adapter.js';
import type { Clock } from '../clock.js';

export interface Omission {
  readonly account: string;
  /** Undefined for the list of clusters. */
  readonly vendorClusterId?: string;
  /** In the last reading. */
  readonly rows: number;
}

export type OnOmission = (omission: Omission) => void;

const SILENCE_MS = 60_000;
const MAX_LISTS = 1_000;

/** The adapter, whose lists are watched. @param onRows hears of every one, for those who count */
export const watchOmissions = (
  adapter: Adapter,
  account: string,
  clock: Clock,
  onOmission: OnOmission,
  onRows: (rows: number) => void,
): Adapter => {
  const saidAt = new Map<string, number>();
  const note = (list: string, omission: Omission): void => {
    const last = saidAt.get(list);
    if (omission.rows > 0) onRows(omission.rows);
    if (omission.rows === 0 || (last !== undefined && clock.now() - last < SILENCE_MS)) return;
    saidAt.delete(list);
    saidAt.set(list, clock.now());
    if (saidAt.size > MAX_LISTS) saidAt.delete(saidAt.keys().next().value as string);
    onOmission(omission);
  };
  return {
    ...adapter,
    listClusters: async (call) => {
      const listing = await adapter.listClusters(call);
      note('', { account, rows: listing.omitted ?? 0 });
      return listing;
    },
    listUsers: async (vendorClusterId, window, call) => {
      const slice = await adapter.listUsers(vendorClusterId, window, call);
      note(vendorClusterId, { account, vendorClusterId, rows: slice.omitted ?? 0 });
      return slice;
    },
  };
};
