/** Removing records whose time is over. Where a chain begins then is kept, sealed: nobody else can shorten it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Encryptor } from '../store/encryptor.js';
import type { Member, Store, Value } from '../store/store.js';
import { type AuditRecord, INDEX, idsFrom, keyOf, type LinkRecord, placesOf, prefixOf } from './record.js';

const SLICE = 100;

export const sealOf = (mac: Encryptor['mac'], chain: string, { seq, mac: link }: LinkRecord): string =>
  mac(JSON.stringify(['audit base', chain, seq, link]));

/** The end of a chain stays: a process that is idle continues it, and a chain that is gone as a whole is one that somebody removed. */
const removeOf = (store: Store, mac: Encryptor['mac'], chain: string, records: readonly AuditRecord[]): Promise<void> =>
  store.change<Value, undefined>([keyOf.base(chain)], ([known]) => {
    const last = records.reduce((latest, record) => (record.seq > latest.seq ? record : latest));
    const base: LinkRecord = { seq: last.seq, mac: last.mac };
    const isLater = last.seq > ((known as LinkRecord | undefined)?.seq ?? 0);
    return {
      result: undefined,
      put: {
        ...Object.fromEntries(records.map(({ seq }) => [keyOf.record(chain, seq), null] as const)),
        ...(isLater && { [keyOf.base(chain)]: { ...base, seal: sealOf(mac, chain, base) } }),
      },
      drop: records.flatMap((record) => placesOf(record).map((place): Member => [INDEX, place])),
    };
  });

/** @returns how many were due, and are gone */
const sweepSlice = async (store: Store, mac: Encryptor['mac'], end: string): Promise<number> => {
  const prefix = prefixOf.all();
  const members = await store.members(INDEX, { order: 'ascending', limit: SLICE, after: prefix });
  const ids = members
    .filter((member) => member.startsWith(prefix))
    .map((member) => member.slice(prefix.length))
    .filter((id) => id < end);
  const found = await store.read<AuditRecord>(ids.map(keyOf.byId));
  const chains = new Map<string, AuditRecord[]>();
  for (const record of found) if (record) chains.set(record.chain, [...(chains.get(record.chain) ?? []), record]);
  for (const [chain, own] of chains) await removeOf(store, mac, chain, own);
  const lost = ids.filter((_, at) => found[at] === undefined);
  if (lost.length > 0)
    await store.change([], () => ({ result: undefined, drop: lost.map((id): Member => [INDEX, `${prefix}${id}`]) }));
  return ids.length;
};

export const sweepRecords = async (store: Store, mac: Encryptor['mac'], beforeMs: number): Promise<void> => {
  const end = idsFrom(beforeMs);
  // Each slice leaves the index, and nothing is recorded with a time that is over: this ends with what is due.
  while ((await sweepSlice(store, mac, end)) === SLICE) await nextTurn();
};
