/** Follows chains: their ends go to the log as anchors, and their records to a stream for collectors. */
import type { Store } from '../store/store.js';
import { type AuditRecord, keyOf, type LinkRecord } from './record.js';
import type { Anchor } from './verify.js';

export interface TailDeps {
  readonly store: Store;
  /** The chains that this process appends to. */
  chains(): readonly string[];
  /** Receives the end of a chain, at most once in a while. */
  anchor(end: Anchor): void;
  /** Receives every record, in the order of its chain; again where it is not known whether it has. Absent: nobody collects them. */
  readonly collect?: ((record: AuditRecord) => void) | undefined;
}

export interface Tail {
  /** One look at all chains. */
  look(): Promise<void>;
  /** The last look, with an anchor for each chain that has grown. */
  end(): Promise<void>;
}

const ANCHOR_MS = 60_000;
const SLICE = 500;
/** Slices of one chain in one look. */
const MAX_SLICES = 20;

export const createTail = ({ store, chains, anchor, collect }: TailDeps): Tail => {
  const anchored = new Map<string, { readonly seq: number; readonly at: number }>();

  const collectFrom = async (chain: string, head: LinkRecord, to: (record: AuditRecord) => void): Promise<void> => {
    const [collected] = await store.read<{ readonly seq: number }>([keyOf.collected(chain)]);
    let { seq } = collected ?? { seq: 0 };
    for (let slices = 0; seq < head.seq && slices < MAX_SLICES; slices++) {
      const next = Array.from({ length: Math.min(SLICE, head.seq - seq) }, (_, at) => seq + 1 + at);
      const records = await store.read<AuditRecord>(next.map((each) => keyOf.record(chain, each)));
      for (const record of records) if (record) to(record);
      seq = next.at(-1) as number;
      await store.change([], () => ({ result: undefined, put: { [keyOf.collected(chain)]: { seq } } }));
    }
  };

  const lookAt = async (chain: string, isLast: boolean): Promise<void> => {
    const [head] = await store.read<LinkRecord>([keyOf.head(chain)]);
    if (!head) return;
    if (collect) await collectFrom(chain, head, collect);
    const known = anchored.get(chain);
    const isDue = known === undefined || isLast || performance.now() - known.at >= ANCHOR_MS;
    if (!isDue || known?.seq === head.seq) return;
    anchored.set(chain, { seq: head.seq, at: performance.now() });
    anchor({ chain, seq: head.seq, mac: head.mac });
  };

  const all = async (isLast: boolean): Promise<void> => {
    for (const chain of chains()) await lookAt(chain, isLast);
  };
  return { look: () => all(false), end: () => all(true) };
};
