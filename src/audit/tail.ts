/** Follows chains: their ends go to the log as anchors, and their records to a stream for collectors. */
import type { Store } from '../store/store.js';
import { type AuditRecord, CHAINS, keyOf, type LinkRecord } from './record.js';
import type { Anchor } from './verify.js';

type Collect = (records: readonly AuditRecord[]) => Promise<void>;

export interface TailDeps {
  readonly store: Store;
  /** The chains that this process appends to. */
  chains(): readonly string[];
  /** Receives the end of a chain, at most once in a while. */
  anchor(end: Anchor): void;
  /** Receives every record, in the order of its chain, and resolves when it is kept; again where it is not known whether it is. Absent: nobody collects them. */
  readonly collect?: Collect | undefined;
}

export interface Tail {
  /** One look at all chains. */
  look(): Promise<void>;
  /** The last look, with an anchor for each chain that has grown. */
  end(): Promise<void>;
}

const ANCHOR_MS = 60_000;
/** How often chains of other processes are looked at, and how long one of them rests until its process counts as gone. */
const OTHERS_MS = 10_000;
const REST_MS = 30_000;
const SLICE = 500;
/** Slices of one chain in one look. */
const MAX_SLICES = 20;
/** Slices of names of chains in one look. */
const MAX_NAMES_SLICES = 200;

interface Collected {
  readonly seq: number;
}

export const createTail = ({ store, chains, anchor, collect }: TailDeps): Tail => {
  const anchored = new Map<string, { readonly seq: number; readonly at: number }>();
  /** Chains of others that are not collected to their end, and since when they rest there. */
  let resting: ReadonlyMap<string, { readonly seq: number; readonly since: number }> = new Map();
  let othersAt = Number.NEGATIVE_INFINITY;
  let isFailing = false;

  const collectFrom = async (chain: string, head: LinkRecord, to: Collect): Promise<void> => {
    const [collected, base] = await store.read<Collected | LinkRecord>([keyOf.collected(chain), keyOf.base(chain)]);
    let seq = Math.max(collected?.seq ?? 0, base?.seq ?? 0);
    for (let slices = 0; seq < head.seq && slices < MAX_SLICES; slices++) {
      const next = Array.from({ length: Math.min(SLICE, head.seq - seq) }, (_, at) => seq + 1 + at);
      const records = await store.read<AuditRecord>(next.map((each) => keyOf.record(chain, each)));
      await to(records.filter((record) => record !== undefined));
      seq = next.at(-1) as number;
      await store.change([], () => ({ result: undefined, put: { [keyOf.collected(chain)]: { seq } } }));
    }
  };

  /** Chains that nobody else collects: their process was killed, or another one held their domain before. */
  const leftBehind = async (own: ReadonlySet<string>): Promise<(readonly [chain: string, head: LinkRecord])[]> => {
    const now = performance.now();
    const found: (readonly [string, LinkRecord])[] = [];
    const rests = new Map<string, { readonly seq: number; readonly since: number }>();
    for (let after = '', slices = 0; slices < MAX_NAMES_SLICES; slices++) {
      const names = await store.members(CHAINS, { order: 'ascending', limit: SLICE, after });
      const states = await store.read<LinkRecord | Collected>(
        names.flatMap((chain) => [keyOf.head(chain), keyOf.collected(chain), keyOf.base(chain)]),
      );
      for (const [at, chain] of names.entries()) {
        const [head, ...ends] = states.slice(3 * at, 3 * at + 3) as (LinkRecord | undefined)[];
        const seq = Math.max(...ends.map((end) => end?.seq ?? 0));
        if (own.has(chain) || !head || seq >= head.seq) continue;
        const known = resting.get(chain);
        const since = known?.seq === seq ? known.since : now;
        rests.set(chain, { seq, since });
        // A store of one process has no others.
        if (!store.shared || now - since >= REST_MS) found.push([chain, head]);
      }
      if (names.length < SLICE) break;
      after = names.at(-1) as string;
    }
    resting = rests;
    return found;
  };

  const anchorEnd = (chain: string, { seq, mac }: LinkRecord, isLast: boolean): void => {
    const known = anchored.get(chain);
    const isDue = known === undefined || isLast || performance.now() - known.at >= ANCHOR_MS;
    if (!isDue || known?.seq === seq) return;
    anchored.set(chain, { seq, at: performance.now() });
    anchor({ chain, seq, mac });
  };

  const collectAll = async (own: readonly (readonly [chain: string, head: LinkRecord])[], to: Collect): Promise<void> => {
    for (const [chain, head] of own) await collectFrom(chain, head, to);
    if (performance.now() - othersAt < OTHERS_MS) return;
    for (const [chain, head] of await leftBehind(new Set(chains()))) await collectFrom(chain, head, to);
    othersAt = performance.now();
  };

  const all = async (isLast: boolean): Promise<void> => {
    const names = chains();
    const heads = await store.read<LinkRecord>(names.map(keyOf.head));
    const own = names.flatMap((chain, at) => (heads[at] ? [[chain, heads[at]] as const] : []));
    for (const [chain, head] of own) anchorEnd(chain, head, isLast);
    if (!collect) return;
    try {
      await collectAll(own, collect);
      isFailing = false;
    } catch (error) {
      // Reported once: the next look tries again.
      if (isFailing) return;
      isFailing = true;
      throw error;
    }
  };
  return { look: () => all(false), end: () => all(true) };
};
