/** A store that gateways share, in memory: it can be out of reach of one of them, not answer it, and fail over to a replica that lags. */
import type { Clock } from '../../src/clock.js';
import { type Change, type Committed, createStore, isLower } from '../../src/store/backend.js';
import { type Store, storeUnavailable, type Window } from '../../src/store/store.js';

interface Lease {
  readonly holder: string;
  readonly until: number;
}

/** What a server has, and what a replica may lack. */
interface Data {
  readonly records: Map<string, string>;
  readonly indexes: Map<string, Set<string>>;
  readonly counters: Map<string, number>;
  readonly leases: Map<string, Lease>;
}

const copyOf = ({ records, indexes, counters, leases }: Data): Data => ({
  records: new Map(records),
  indexes: new Map([...indexes].map(([name, members]) => [name, new Set(members)])),
  counters: new Map(counters),
  leases: new Map(leases),
});

/** By the clock of the gateways. */
const LATENCY_MS = 4;
const WAIT_MS = 5_000;

/** One gateway's way to the server. */
export interface Link {
  readonly store: Store;
  state: 'well' | 'cut' | 'silent';
  /** The gateway has died: what it has not sent is not sent any more. */
  isDead: boolean;
}

export interface SharedServer {
  open(): Link;
  /** The replica gets nothing more. */
  lag(): void;
  /** The replica is the server from now on. */
  failOver(): void;
}

export const createSharedServer = (clock: Clock): SharedServer => {
  let data: Data = { records: new Map(), indexes: new Map(), counters: new Map(), leases: new Map() };
  let replica: Data | undefined;
  let generation = 1;
  const listeners = new Map<string, { readonly link: Link; onText(text: string): void }>();

  const commit = ({ expect, put, add, drop, count, rise }: Change): Committed => {
    const { records, indexes, counters } = data;
    if (expect.some(([key, text]) => records.get(key) !== text)) return 'refused';
    if (rise && !isLower(records.get(rise.key), rise)) return 'refused';
    const countOf = (name: string): number => counters.get(name) ?? 0;
    if (count.some(({ counter, by, atMost }) => by > 0 && atMost !== undefined && countOf(counter) + by > atMost)) return 'full';
    for (const { counter, by } of count) counters.set(counter, countOf(counter) + by);
    for (const [key, text] of put) {
      if (text === null) records.delete(key);
      else records.set(key, text);
    }
    for (const [name, member] of add) indexes.set(name, (indexes.get(name) ?? new Set()).add(member));
    for (const [name, member] of drop) indexes.get(name)?.delete(member);
    return 'done';
  };

  const members = (index: string, { order, limit, after }: Window): string[] => {
    const sorted = [...(data.indexes.get(index) ?? [])].sort();
    const ordered = order === 'ascending' ? sorted : sorted.reverse();
    const isLater = (member: string): boolean => after === undefined || (order === 'ascending' ? member > after : member < after);
    return ordered.filter(isLater).slice(0, limit);
  };

  const holderOf = (name: string): string | undefined => {
    const lease = data.leases.get(name);
    return lease && lease.until > clock.now() ? lease.holder : undefined;
  };

  const deliver = (holder: string | undefined, text: string): void => {
    const listener = holder === undefined ? undefined : listeners.get(holder);
    if (listener?.link.state === 'well') listener.onText(text);
  };

  const open = (): Link => {
    /** What is done while the way is open. A command that a silent server gets is not done later: its client has given it up. */
    const ask = async <T>(command: () => T, isChange = false): Promise<T> => {
      const since = clock.now();
      if (link.isDead) throw storeUnavailable('cannot be reached');
      while (link.state === 'silent' && !link.isDead) {
        if (clock.now() - since > WAIT_MS) throw storeUnavailable('does not answer', isChange ? 'open' : 'none');
        await clock.sleep(LATENCY_MS * 5);
      }
      if (link.state === 'cut' || link.isDead) throw storeUnavailable('cannot be reached');
      await clock.sleep(LATENCY_MS);
      const answer = command();
      await clock.sleep(LATENCY_MS);
      if (link.state !== 'well') throw storeUnavailable('does not answer', isChange ? 'open' : 'none');
      return answer;
    };

    const store = createStore({
      durable: true,
      shared: {
        hold: (name, holder, ms) =>
          ask(() => {
            const present = holderOf(name);
            if (present !== undefined && present !== holder) return false;
            data.leases.set(name, { holder, until: clock.now() + ms });
            return true;
          }),
        release: (name, holder) =>
          ask(() => {
            if (holderOf(name) === holder) data.leases.delete(name);
          }),
        notifyHolder: (name, text) => ask(() => deliver(holderOf(name), text)),
        notify: (holder, text) => ask(() => deliver(holder, text)),
        identity: () => ask(() => `server ${generation}`),
        get lastIdentity() {
          return `server ${generation}`;
        },
        listen: (holder, onText) => void listeners.set(holder, { link, onText }),
      },
      read: (keys) => ask(() => keys.map((key) => data.records.get(key))),
      commit: (change) => ask(() => commit(change), true),
      members: (index, window) => ask(() => members(index, window)),
      check: () => ask(() => undefined),
      close: async () => undefined,
    });
    const link: Link = { store, state: 'well', isDead: false };
    return link;
  };

  return {
    open,
    lag: () => {
      replica = copyOf(data);
    },
    failOver: () => {
      data = replica ?? data;
      replica = undefined;
      generation++;
    },
  };
};
