/**
 * Calls that write to one cluster: how many at once, whose turn it is, and which of them share a vendor call. The first write of one item
 * goes alone at once; those that wait meanwhile go together.
 */
import type { Clock } from '../clock.js';
import { stepOf } from '../journal/item.js';
import type { ItemRecord } from '../journal/records.js';
import { type Group, type Sent, send } from './flight.js';
import { createLanes, type Lanes } from './lanes.js';
import type { Limits } from './resource.js';

export interface ClusterCalls {
  /** Sends a group of a batch. */
  batch(limits: Limits, group: Group): Promise<Sent>;
  /** Sends an item that is alone in its operation, perhaps together with such items of others. */
  single(limits: Limits, group: Group): Promise<Sent>;
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
 * What a reading can settle after a word that may be about another item: an add where the thing's age, or a reading before, shows whose
 * it is; a removal of what was seen; a property that can be read back.
 */
const canBeToldApart = ({ group: { context }, item }: Waiting): boolean => {
  const { baselines, offsets, site } = context;
  const baseline = baselines.of(item.name, undefined, true);
  switch (site.step(stepOf(item)).nature) {
    case 'add':
      return offsets.isKnown(site.key) || baseline !== 'unread';
    case 'remove':
      return baseline === 'present';
    case 'set-visible':
      return true;
    case 'set-hidden':
      return false;
  }
};

/** A second send is for the item alone, whose answer is about it then; so is one whose thing has to be read right before. */
const mayShare = (waiting: Waiting): boolean =>
  waiting.item.ifMatch === undefined && (waiting.item.sends ?? 0) === 0 && canBeToldApart(waiting);

/** Words that are about no item. */
const ABOUT_NONE: ReadonlySet<string> = new Set(['applied', 'taken', 'busy_free', 'refused_all']);

const hasFailed = (sent: Sent): boolean =>
  typeof sent === 'object' && 'word' in sent && sent.together !== undefined && !ABOUT_NONE.has(sent.word);

export const createClusterCalls = (clock: Clock): ClusterCalls => {
  const clusters = new Map<string, Cluster>();

  const clusterOf = (name: string, { concurrency }: Limits): Cluster => {
    const cluster = clusters.get(name) ?? { lanes: createLanes(concurrency), waiting: [], apartUntil: 0 };
    // One that is not used has no state that matters.
    if (clusters.size >= MAX_CLUSTERS && !clusters.has(name)) clusters.delete(clusters.keys().next().value as string);
    clusters.set(name, cluster);
    return cluster;
  };

  /** The one that waits longest, and those that can go with it. */
  const takeTogether = ({ waiting, apartUntil }: Cluster, limits: Limits): Waiting[] => {
    const first = waiting.shift();
    if (!first) return [];
    const step = stepOf(first.item);
    const size = clock.now() < apartUntil || !mayShare(first) ? 1 : (limits.sizes[step] ?? 1);
    const taken = [first];
    const names = new Set([first.item.name]);
    for (const each of [...waiting]) {
      if (taken.length >= size) break;
      const { item } = each;
      if (stepOf(item) !== step || names.has(item.name) || !mayShare(each)) continue;
      names.add(item.name);
      taken.push(each);
      waiting.splice(waiting.indexOf(each), 1);
    }
    return taken;
  };

  const sendNext = async (cluster: Cluster, limits: Limits): Promise<void> => {
    const together = takeTogether(cluster, limits);
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
    batch: async (limits, group) => {
      const ended = await clusterOf(group.context.site.key, limits).lanes.run('batch', () => send([group]));
      const [sent] = await ended();
      if (sent?.status !== 'fulfilled') throw sent?.reason;
      return sent.value;
    },

    single: (limits, group) => {
      const cluster = clusterOf(group.context.site.key, limits);
      return new Promise((resolve, reject) => {
        cluster.waiting.push({ group, item: group.items[0] as ItemRecord, resolve, reject });
        void cluster.lanes.run('single', () => sendNext(cluster, limits));
      });
    },
  };
};
