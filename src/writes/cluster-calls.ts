/**
 * Calls that write to one cluster: how many at once, whose turn it is, and which of them share a vendor call. The first write of one item
 * goes alone at once; those that wait meanwhile go together.
 */
import type { Clock } from '../clock.js';
import { stepOf } from '../journal/item.js';
import type { ItemRecord } from '../journal/records.js';
import type { BatchSizes } from '../model.js';
import { clusterKey } from './context.js';
import { type Group, type Sent, send } from './flight.js';
import { createLanes, type Lanes } from './lanes.js';

export interface ClusterCalls {
  /** Sends a group of a batch. */
  batch(cluster: string, sizes: BatchSizes, group: Group): Promise<Sent>;
  /** Sends an item that is alone in its operation, perhaps together with such items of others. */
  single(cluster: string, sizes: BatchSizes, group: Group): Promise<Sent>;
}

/** After a shared call that was refused or failed, each item goes alone for so long. */
const APART_MS = 60_000;

const MAX_CLUSTERS = 10_000;

interface Waiting {
  readonly group: Group;
  readonly item: ItemRecord;
  resolve(sent: Sent): void;
  reject(error: unknown): void;
}

interface Cluster {
  readonly lanes: Lanes;
  readonly waiting: Waiting[];
  apartUntil: number;
}

/**
 * What a reading can settle after a word that may be about another item: a create where the user's age, or a reading before, shows whose
 * they are; a delete of a user who was seen; a role. A password cannot be read back.
 */
const canBeToldApart = ({ group: { context }, item }: Waiting): boolean => {
  const { baselines, offsets, target } = context;
  const baseline = baselines.of(item.username, undefined, true);
  switch (stepOf(item)) {
    case 'create':
      return offsets.isKnown(clusterKey(target)) || baseline !== 'unread';
    case 'delete':
      return baseline === 'present';
    case 'setRole':
      return true;
    case 'setPassword':
      return false;
  }
};

/** A second send is for the item alone, whose answer is about it then; so is one whose user has to be read right before. */
const mayShare = (waiting: Waiting): boolean =>
  waiting.item.ifMatch === undefined && (waiting.item.sends ?? 0) === 0 && canBeToldApart(waiting);

/** Words that are about no item. */
const ABOUT_NONE: ReadonlySet<string> = new Set(['applied', 'taken', 'busy_free', 'refused_all']);

const hasFailed = (sent: Sent): boolean =>
  typeof sent === 'object' && 'word' in sent && sent.together !== undefined && !ABOUT_NONE.has(sent.word);

export const createClusterCalls = (clock: Clock): ClusterCalls => {
  const clusters = new Map<string, Cluster>();

  const clusterOf = (name: string, { concurrency }: BatchSizes): Cluster => {
    const cluster = clusters.get(name) ?? { lanes: createLanes(concurrency), waiting: [], apartUntil: 0 };
    // One that is not used has no state that matters.
    if (clusters.size >= MAX_CLUSTERS && !clusters.has(name)) clusters.delete(clusters.keys().next().value as string);
    clusters.set(name, cluster);
    return cluster;
  };

  /** The one that waits longest, and those that can go with it. */
  const takeTogether = ({ waiting, apartUntil }: Cluster, sizes: BatchSizes): Waiting[] => {
    const first = waiting.shift();
    if (!first) return [];
    const step = stepOf(first.item);
    const size = clock.now() < apartUntil || !mayShare(first) ? 1 : (sizes[step] ?? 1);
    const taken = [first];
    const names = new Set([first.item.username]);
    for (const each of [...waiting]) {
      if (taken.length >= size) break;
      const { item } = each;
      if (stepOf(item) !== step || names.has(item.username) || !mayShare(each)) continue;
      names.add(item.username);
      taken.push(each);
      waiting.splice(waiting.indexOf(each), 1);
    }
    return taken;
  };

  const sendNext = async (cluster: Cluster, sizes: BatchSizes): Promise<void> => {
    const together = takeTogether(cluster, sizes);
    // Its item went with another one.
    if (together.length === 0) return;
    const ended = await send(together.map(({ group }) => group));
    // What the call means may have to be asked: others have their turn meanwhile.
    void ended().then((all) => {
      if (all.some((each) => each.status === 'fulfilled' && hasFailed(each.value))) cluster.apartUntil = clock.now() + APART_MS;
      for (const [at, { resolve, reject }] of together.entries()) {
        const each = all[at] as PromiseSettledResult<Sent>;
        if (each.status === 'fulfilled') resolve(each.value);
        else reject(each.reason);
      }
    });
  };

  return {
    batch: async (name, sizes, group) => {
      const ended = await clusterOf(name, sizes).lanes.run('batch', () => send([group]));
      const [sent] = await ended();
      if (sent?.status !== 'fulfilled') throw sent?.reason;
      return sent.value;
    },

    single: (name, sizes, group) => {
      const cluster = clusterOf(name, sizes);
      return new Promise((resolve, reject) => {
        cluster.waiting.push({ group, item: group.items[0] as ItemRecord, resolve, reject });
        void cluster.lanes.run('single', () => sendNext(cluster, sizes));
      });
    },
  };
};
