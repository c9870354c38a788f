/**
 * Which process works for which write domain. The right is an epoch in the store: the process that takes a domain raises it, and every change of work
 * names it. The lease, where processes share the store, only says whether another one should take over.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { GatewayError } from '../errors.js';
import type { Shared } from '../store/store.js';
import { createLease, type Holding, type Lease, LONG_AGO, type Moment, momentOf, OwnershipLost } from './holding.js';
import { createLanes, type Lanes } from './lanes.js';
import type { LoadedOperation, OpenRef } from './records.js';
import { createStoreHistory } from './store-history.js';

/** The right of this process to a domain, where the store may have lost it. */
export interface Ownership {
  /** Whether the store is the one that the domain was taken in. */
  isCurrent(domain: string): boolean;
  /** Takes the domain again, with all that is known of it, where the store has lost it. False where another process has it. */
  reclaim(domain: string): Promise<boolean>;
}

/** What the records say. */
export interface DomainRecords {
  /** Raises the epoch, above this one at least. @returns the new one */
  takeDomain(domain: string, process: string, above?: number): Promise<number>;
  /**
   * Notes the identity of the store.
   * @param isChange whether it had another one before, as far as the caller knows
   * @returns since when it has this one, in milliseconds since 1970; 0 where it never had another
   */
  noteGeneration(identity: string, isChange: boolean): Promise<number>;
  /** Domains that ever had an operation. */
  domains(): Promise<string[]>;
  /** Open operations, oldest first. */
  openIn(domain: string): Promise<OpenRef[]>;
  load(id: string): Promise<LoadedOperation | undefined>;
}

export interface DomainTools {
  readonly records: DomainRecords;
  readonly shared: Shared | undefined;
  readonly clock: Clock;
  /** Another process takes over after this long without a sign of life. */
  readonly leaseMs: number;
  /** How long a call to a vendor may take. */
  readonly callMs: number;
  /** Works on an operation until it is final or to be left to others. @throws OwnershipLost */
  run(operation: LoadedOperation, holding: Holding): Promise<void>;
  /** Stores again what is known here of the operations of a domain: the store may have lost it. @throws OwnershipLost */
  restore(holding: Holding): Promise<void>;
  /** An operation was asked to stop, or has ended, elsewhere. */
  onNews(id: string): void;
  onFault(error: unknown): void;
}

export interface Domains extends Ownership {
  /** The name of this process among those that share the store. */
  readonly process: string;
  /** Sees to it that the process that holds the domain, or this one, works on the operation. */
  wake(domain: string, operation: OpenRef): Promise<void>;
  /** Notifies the process that works for the domain of news of an operation. */
  notifyWorker(domain: string, id: string): Promise<void>;
  /** Notifies a process that an operation, for which it may wait, has ended. */
  notifyProcess(process: string, id: string): Promise<void>;
  isRunning(id: string): boolean;
  /** Domains that this process works for. */
  held(): readonly string[];
  /** What was begun before then, the store may have lost. In milliseconds since 1970. */
  traceless(): number;
  /** Resolves when nothing is worked on here. */
  idle(): Promise<void>;
  /** Takes nothing more. */
  pause(): void;
  /** Lets go of all domains. */
  close(): Promise<void>;
}

/** What processes send each other: an operation to work on, or news of one. */
type Message = { readonly domain: string; readonly operation: OpenRef } | { readonly news: string };

/** How often open operations that nobody works on are looked for: a wake-up may be lost. */
const LOOK_MS = 2_500;
/** A store that is unavailable while a domain is taken again is tried so often. */
const RECLAIM_MS = 200;
/** A domain without work is let go after this time. */
const IDLE_MS = 60_000;

interface Held {
  readonly lease: Lease;
  readonly lanes: Lanes;
  /** The identity of the store when it was taken. */
  identity: string;
  reclaiming: Promise<boolean> | undefined;
  idleSince: number;
}

export const createDomains = (tools: DomainTools): Domains => {
  const { records, shared, clock, leaseMs, callMs, run, restore, onNews, onFault } = tools;
  const process = randomUUID();
  const closing = new AbortController();
  const history = createStoreHistory(shared, records, clock);
  const held = new Map<string, Held>();
  const taking = new Map<string, Promise<Held | undefined>>();
  /** Also of domains that were lost meanwhile. */
  const all = new Set<Promise<void>>();
  let isPaused = false;

  const lose = ({ lease, lanes }: Held): void => {
    // It may have been taken again meanwhile.
    if (held.get(lease.domain)?.lease === lease) held.delete(lease.domain);
    lanes.close();
    lease.giveUp();
  };

  const letGo = async (holding: Held): Promise<void> => {
    lose(holding);
    await shared?.release(holding.lease.domain, process);
  };

  const isCurrent = (domain: string): boolean => history.isOn(held.get(domain)?.identity);

  /** @throws OwnershipLost */
  const requireCurrent = async (domain: string): Promise<void> => {
    if (!isCurrent(domain) && !(await reclaim(domain))) throw new OwnershipLost();
  };

  const hold = (lease: Lease, identity: string): Held => {
    const onThrown = (thrown: unknown): void => {
      if (thrown instanceof OwnershipLost) lose(holding);
      else onFault(thrown);
    };
    const work = async (operation: LoadedOperation): Promise<void> => {
      const ended = requireCurrent(lease.domain)
        .then(() => run(operation, lease))
        .catch(onThrown);
      all.add(ended);
      await ended;
      all.delete(ended);
      holding.idleSince = clock.monotonic();
      // Others may begin as soon as nothing is under way.
      if (isPaused) setImmediate(() => void leaveIfEmpty(holding));
    };
    const load = async (id: string): Promise<LoadedOperation | undefined> => {
      await requireCurrent(lease.domain);
      return records.load(id);
    };
    const lanes = createLanes({ load, run: work, generation: () => holding.identity, onFault: onThrown });
    const holding: Held = { lease, lanes, identity, reclaiming: undefined, idleSince: clock.monotonic() };
    held.set(lease.domain, holding);
    return holding;
  };

  const leaveIfEmpty = async (holding: Held): Promise<void> => {
    if (holding.lanes.isEmpty) await letGo(holding).catch(onFault);
  };

  const adopt = ({ lease, lanes }: Held, open: readonly OpenRef[]): void => {
    lease.adopting = lanes.add(open);
  };

  const tryToTake = async (domain: string): Promise<Held | undefined> => {
    const identity = await history.look();
    // The earlier holder, if it lives, takes it again first, or finds out that it is lost.
    await clock.sleep(Math.max(history.since + leaseMs - clock.now(), 0));
    if (shared && !(await shared.hold(domain, process, leaseMs))) return undefined;
    const epoch = await records.takeDomain(domain, process);
    const open = await records.openIn(domain);
    const confirmed = momentOf(clock);
    // It may have taken longer than the lease: then another process has a higher epoch, or will have.
    if (shared && !(await shared.hold(domain, process, leaseMs))) return undefined;
    if (isPaused || !history.isOn(identity)) {
      await shared?.release(domain, process);
      return undefined;
    }
    const { traceless } = history;
    const lease = createLease({ domain, process, epoch, confirmed }, { clock, leaseMs: shared && leaseMs, callMs, traceless });
    const holding = hold(lease, identity);
    adopt(holding, open);
    return holding;
  };

  /** Undefined where another process holds the domain. */
  const take = (domain: string): Promise<Held | undefined> => {
    if (isPaused) return Promise.resolve(undefined);
    const known = held.get(domain);
    if (known) return Promise.resolve(known);
    const attempt =
      taking.get(domain) ??
      tryToTake(domain).finally(() => {
        taking.delete(domain);
      });
    taking.set(domain, attempt);
    return attempt;
  };

  const renew = async (holding: Held): Promise<void> => {
    if (!shared) return;
    const begun: Moment = momentOf(clock);
    if (await shared.hold(holding.lease.domain, process, leaseMs)) holding.lease.confirmed = begun;
    else lose(holding);
  };

  const takeAgain = async (holding: Held): Promise<boolean> => {
    const { lease } = holding;
    const identity = await history.look();
    // Nothing was lost.
    if (holding.identity === identity) return !lease.lost.aborted;
    // Until all is stored again, nothing is sent.
    lease.confirmed = LONG_AGO;
    const confirmed = momentOf(clock);
    if (!(await shared?.hold(lease.domain, process, leaseMs))) return false;
    lease.epoch = await records.takeDomain(lease.domain, process, lease.epoch);
    await restore(lease);
    const open = await records.openIn(lease.domain);
    holding.identity = identity;
    // What had ended, and is open again, comes before all that is accepted from now on.
    adopt(holding, open);
    lease.confirmed = confirmed;
    return true;
  };

  /** What only this process knows must not get lost because the store is unavailable for a moment. Ends with the domain or the process. */
  const untilAvailable = async (holding: Held): Promise<boolean> => {
    for (;;) {
      try {
        return await takeAgain(holding);
      } catch (thrown) {
        const isAway = thrown instanceof GatewayError && thrown.code === 'store_unavailable';
        if (!isAway || holding.lease.lost.aborted || closing.signal.aborted) throw thrown;
      }
      await clock.sleep(RECLAIM_MS, closing.signal);
    }
  };

  const reclaim = async (domain: string): Promise<boolean> => {
    const holding = held.get(domain);
    if (!holding || !shared) return false;
    holding.reclaiming ??= untilAvailable(holding).finally(() => {
      holding.reclaiming = undefined;
    });
    return holding.reclaiming;
  };

  const renewAll = async (): Promise<void> => {
    const identity = held.size > 0 ? await history.look() : '';
    const keep = async (holding: Held): Promise<void> => {
      const isIdle = holding.lanes.isEmpty && clock.monotonic() - holding.idleSince > IDLE_MS;
      if (isIdle) await letGo(holding);
      else if (holding.identity === identity) await renew(holding);
      else if (!(await reclaim(holding.lease.domain))) lose(holding);
    };
    await Promise.all([...held.values()].map((holding) => keep(holding).catch(onFault)));
  };

  const look = async (): Promise<void> => {
    for (const domain of await records.domains()) {
      const open = await records.openIn(domain);
      const holding = held.get(domain);
      if (holding) adopt(holding, open);
      else if (open.length > 0) await take(domain);
    }
  };

  /** Does the work at intervals, until this process lets go of all. */
  const every = async (ms: number, work: () => Promise<void>): Promise<void> => {
    for (;;) {
      await clock.sleep(ms, closing.signal);
      if (closing.signal.aborted) return;
      await work().catch(onFault);
    }
  };
  void every(LOOK_MS, async () => {
    if (!isPaused) await look();
  });
  // The next renewal does not wait for one that hangs.
  void every(leaseMs / 3, async () => void renewAll().catch(onFault));
  // The identity is noted before anything can be lost.
  void history.look().then(look).catch(onFault);

  const wakeHere = async (domain: string, operation: OpenRef): Promise<boolean> => {
    const holding = await take(domain);
    void holding?.lanes.add([operation]);
    return holding !== undefined;
  };

  const tell = (message: Message): string => JSON.stringify(message);

  shared?.listen(process, (text) => {
    const message = JSON.parse(text) as Message;
    if ('news' in message) onNews(message.news);
    else void wakeHere(message.domain, message.operation).catch(onFault);
  });

  return {
    process,
    wake: async (domain, operation) => {
      if (await wakeHere(domain, operation)) return;
      await shared?.notifyHolder(domain, tell({ domain, operation }));
    },
    notifyWorker: async (domain, id) => {
      onNews(id);
      if (!held.has(domain)) await shared?.notifyHolder(domain, tell({ news: id }));
    },
    notifyProcess: async (other, id) => {
      if (other !== process) await shared?.notify(other, tell({ news: id }));
    },
    isCurrent,
    reclaim,
    traceless: history.traceless,
    held: () => [...held.keys()],
    isRunning: (id) => [...held.values()].some(({ lanes }) => lanes.has(id)),
    idle: async () => {
      while (all.size > 0) await Promise.allSettled(all);
    },
    pause: () => {
      isPaused = true;
      for (const holding of [...held.values()]) {
        holding.lanes.close();
        void leaveIfEmpty(holding);
      }
    },
    close: async () => {
      isPaused = true;
      closing.abort();
      await Promise.allSettled([...held.values()].map(letGo));
    },
  };
};
