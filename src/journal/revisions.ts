/**
 * The revision of a cluster: it changes with every write to the cluster that has come to its end, in the very change that stores the end. What was
 * read before is out of date from then on, in every process that shares the store. It stays for good: one small record for each cluster.
 */
import { asGatewayError } from '../errors.js';
import { inTime } from '../store/in-time.js';
import type { Store, Value } from '../store/store.js';
import { type ClusterRef, keyOf } from './records.js';

interface RevisionRecord extends Value {
  readonly revision: string;
}

export interface Revisions {
  /** Of a cluster. Undefined where the store does not say in time. */
  of(resource: string, cluster: Pick<ClusterRef, 'key'>): Promise<string | undefined>;
}

/** Who asks can do without. */
const WAIT_MS = 250;

export const createRevisions = (store: Pick<Store, 'read' | 'shared'>): Revisions => ({
  of: async (resource, cluster) => {
    try {
      const [record] = await inTime(store.read<RevisionRecord>([keyOf.revision(resource, cluster)]), WAIT_MS);
      // A server that takes over may have an earlier one again.
      return `${store.shared?.lastIdentity ?? ''} ${record?.revision ?? ''}`;
    } catch (thrown) {
      if (asGatewayError(thrown).code === 'store_unavailable') return undefined;
      throw thrown;
    }
  },
});

/** What a change puts, so that what was read before is out of date. */
export const raised = (resource: string, cluster: ClusterRef, revision: string): Readonly<Record<string, RevisionRecord>> => ({
  [keyOf.revision(resource, cluster)]: { revision },
});
