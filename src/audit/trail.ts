/** Appending to chains of records: part of the change that is recorded, so that neither is without the other. */
import type { Encryptor } from '../store/encryptor.js';
import type { Member, Store, Value } from '../store/store.js';
import { createTurns } from '../store/turns.js';
import { type AuditEvent, type AuditRecord, CHAINS, INDEX, idOf, keyOf, type LinkRecord, placesOf, START } from './record.js';

/** What a change has to write with its own. */
export interface Appended {
  readonly put: Readonly<Record<string, Value>>;
  readonly add: readonly Member[];
}

export interface Trail {
  /** What a change reads, to append. */
  headKey(chain: string): string;
  /** @param head as it was read. Pure but for the time */
  append(chain: string, head: Value | undefined, events: readonly AuditEvent[]): Appended;
  /**
   * Makes a change that appends to a chain. On a store that others write to as well, changes of one chain are made one after the other, since
   * each needs the one before it. @throws store_unavailable where its turn does not come in time
   */
  inTurn<T>(chain: string, change: () => Promise<T>): Promise<T>;
  /** Records events by themselves. */
  record(chain: string, events: readonly AuditEvent[]): Promise<void>;
  /** The chains that it was appended to, here. */
  chains(): readonly string[];
}

/** A keyed hash over everything that a record says, in a fixed order. */
export const macOf = (mac: Encryptor['mac'], before: string, record: Omit<AuditRecord, 'mac'>): string => {
  const { id, at, chain, seq, type, caller, address, requestId, clusterId, vendor, action, things, operationId } = record;
  const { vendorRequestIds, code } = record;
  const content = [id, at, chain, seq, type, caller, address, requestId, clusterId, vendor, action, operationId, code];
  return mac(JSON.stringify(['audit', before, content, things.map(({ name, status }) => [name, status]), vendorRequestIds]));
};

/** @param maxWaitMs how long a change waits for its turn; one that is patient with the store is patient here, too */
export const createTrail = (store: Store, { mac }: Pick<Encryptor, 'mac'>, nowMs: () => number, maxWaitMs: number): Trail => {
  const takeTurn = createTurns(maxWaitMs);
  const chains = new Set<string>();

  const append: Trail['append'] = (chain, head, events) => {
    const put: Record<string, Value> = {};
    const add: Member[] = [];
    if (events.length > 0) chains.add(chain);
    let last = (head as LinkRecord | undefined) ?? START;
    if (last.seq === 0 && events.length > 0) add.push([CHAINS, chain]);
    for (const event of events) {
      const ms = nowMs();
      const seq = last.seq + 1;
      const bare = { ...event, id: idOf(ms, chain, seq), at: new Date(ms).toISOString(), chain, seq };
      const record: AuditRecord = { ...bare, mac: macOf(mac, last.mac, bare) };
      put[keyOf.record(chain, seq)] = record;
      for (const place of placesOf(record)) add.push([INDEX, place]);
      last = { seq, mac: record.mac };
    }
    if (events.length > 0) put[keyOf.head(chain)] = last;
    return { put, add };
  };

  const inTurn: Trail['inTurn'] = (chain, change) => (store.shared ? takeTurn(chain, change) : change());

  return {
    headKey: keyOf.head,
    chains: () => [...chains],
    append,
    inTurn,
    record: (chain, events) =>
      inTurn(chain, () => store.change([keyOf.head(chain)], ([head]) => ({ result: undefined, ...append(chain, head, events) }))),
  };
};
