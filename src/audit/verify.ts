/** Whether the trail is whole: every record follows the one before it, none is changed, and none is missing at either end. */
import type { Encryptor } from '../store/encryptor.js';
import type { Store } from '../store/store.js';
import { type AuditRecord, CHAINS, keyOf, type LinkRecord, START } from './record.js';
import { sealOf } from './retention.js';
import { macOf } from './trail.js';

/** The end of a chain as a log has it, out of reach of those who can write to the store. */
export interface Anchor {
  readonly chain: string;
  readonly seq: number;
  readonly mac: string;
}

export interface ChainReport {
  readonly chain: string;
  readonly records: number;
  /** What is wrong, the first of it; undefined where all is well. */
  readonly fault?: string;
}

const SLICE = 500;
const MAX_CHAINS = 100_000;

const chainsIn = async (store: Pick<Store, 'read' | 'members'>, anchors: readonly Anchor[]): Promise<string[]> => {
  const chains = new Set(anchors.map(({ chain }) => chain));
  for (let after = ''; chains.size < MAX_CHAINS; ) {
    const slice = await store.members(CHAINS, { order: 'ascending', limit: SLICE, after });
    for (const chain of slice) chains.add(chain);
    if (slice.length < SLICE) break;
    after = slice.at(-1) as string;
  }
  return [...chains].sort();
};

const verifyChain = async (
  store: Pick<Store, 'read' | 'members'>,
  mac: Encryptor['mac'],
  chain: string,
  anchors: readonly Anchor[],
): Promise<ChainReport> => {
  const [base = START, head = START] = await store.read<LinkRecord>([keyOf.base(chain), keyOf.head(chain)]);
  const report = (records: number, fault?: string): ChainReport => ({ chain, records, ...(fault !== undefined && { fault }) });
  if (base.seq > 0 && base.seal !== sealOf(mac, chain, base))
    return report(0, 'its beginning was not made by a gateway with this key');
  const wanted = new Map(anchors.map((anchor) => [anchor.seq, anchor.mac]));
  let last: LinkRecord = base;
  while (last.seq < head.seq) {
    const seqs = Array.from({ length: Math.min(SLICE, head.seq - last.seq) }, (_, at) => last.seq + 1 + at);
    const records = await store.read<AuditRecord>(seqs.map((seq) => keyOf.record(chain, seq)));
    for (const [at, record] of records.entries()) {
      const seq = seqs[at] as number;
      const checked = last.seq - base.seq;
      if (!record) return report(checked, `the record ${seq} is missing`);
      const { mac: given, ...content } = record;
      if (record.chain !== chain || record.seq !== seq || given !== macOf(mac, last.mac, content))
        return report(checked, `the record ${seq} (${record.id}) was changed, or does not follow the one before it`);
      const anchored = wanted.get(seq);
      if (anchored !== undefined && anchored !== given)
        return report(checked, `the record ${seq} is another than the log has seen`);
      last = record;
    }
  }
  const records = last.seq - base.seq;
  if (head.seq > 0 && head.mac !== last.mac) return report(records, 'its end was changed');
  const beyond = anchors.find(({ seq }) => seq > head.seq);
  if (beyond) return report(records, `it ends at ${head.seq}, and the log has seen the record ${beyond.seq}`);
  return report(records);
};

/** @param anchors what logs have of ends of chains; without them, records that were removed from an end are not missed */
export const verifyTrail = async (
  store: Pick<Store, 'read' | 'members'>,
  mac: Encryptor['mac'],
  anchors: readonly Anchor[],
): Promise<ChainReport[]> => {
  const reports: ChainReport[] = [];
  for (const chain of await chainsIn(store, anchors)) {
    const own = anchors.filter((anchor) => anchor.chain === chain);
    const first = await verifyChain(store, mac, chain, own);
    // A gateway may have removed old records meanwhile.
    reports.push(first.fault === undefined ? first : await verifyChain(store, mac, chain, own));
  }
  return reports;
};
