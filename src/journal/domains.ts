/**
 * Which process works for which write domain. The right is an epoch in the store: the process that takes a domain raises it, and every change of work
 * names it. The lease, where processes share the store, only says whether another one should take over.
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, SKEW_MS } from '../clock.js';
import { GatewayError } from '../errors.js';
import type { Shared } from '../store/store.js';

/** Another process works for the domain now: the caller must stop working on it. */
export class OwnershipLost extends Error {
  override readonly name = 'OwnershipLost';
}

/** The right of this process to a domain, where the store may have lost it. */
export interface Ownership {
  /** Whether the store is the one that the domain was taken in. */
  isCurrent(domain: string): boolean;
  /** Takes the domain again, with all that is known of it, where the store has lost it. False where another process has it. */
  reclaim(domain: string): Promise<boolean>;
}

/** A domain that this process works for. */
export interface Holding {
  readonly domain: string;
  /** The name of this process. */
  readonly process: string;
  readonly epoch: number;
  /** Whether a vendor may be written to, this very moment. */
  mayWrite(): boolean;
  /** From when on nothing that an earlier holder sent at `sentAt` is under way any more. Both in milliseconds since 1970. */
  quietAfter(sentAt: number): number;
  /** What was begun before then may have been sent without a trace: the store may have lost it. In milliseconds since 1970. */
  readonly traceless: number;
  /** Aborts when another process has taken the domain. */
  readonly lost: AbortSignal;
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
  /** Ids of open operations, oldest first. */
  openIn(domain: string): Promise<string[]>;
}

export interface DomainTools {
  readonly records: DomainRecords;
  readonly shared: Shared | undefined;
  readonly clock: Clock;
  /** Another process takes over after this long without a sign of life. */
  readonly leaseMs: number;
  /** How long a call to a vendor may take. */
  readonly callMs: number;
  /** Works on an operation until it is final or to be left to others. */
  run(id: string, holding: Holding): Promise<void>;
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
  wake(domain: string, id: string): Promise<void>;
  /** Notifies the process that works for the domain of news of an operation. */
  notifyWorker(domain: string, id: string): Promise<void>;
  /** Notifies a process that an operation, for which it may wait, has ended. */
  notifyProcess(process: string, id: string): Promise<void>;
  isRunning(id: string): boolean;
  /** What was begun before then, the store may have lost. In milliseconds since 1970. */
  traceless(): number;
  /** Resolves when nothing is worked on here. */
  idle(): Promise<void>;
  /** Takes nothing more. */
  pause(): void;
  /** Lets go of all domains. */
  close(): Promise<void>;
}

/** How often open operations that nobody works on are looked for: a wake-up may be lost. */
const LOOK_MS = 2_500;
/** A store that is unavailable while a domain is taken again is tried so often. */
const RECLAIM_MS = 200;
/** A domain without work is let go after this time. */
const IDLE_MS = 60_000;
/** Operations of one domain that are worked on at once. Most of them wait. */
const MAX_RUNNING = 1_000;
/** Those that were left by others take so many of these places; new ones, for which somebody may wait, find one. */
const MAX_ADOPTED = 200;
const ADOPTED_AT_ONCE = 5;
interface Held extends Holding {
  epoch: number;
  /** The identity of the store when it was taken. */
  identity: string;
  reclaiming: Promise<boolean> | undefined;
  readonly giveUp: AbortController;
  readonly running: Map<string, Promise<void>>;
  /** Open operations that have no place yet. */
  readonly waiting: Set<string>;
  /** When the last confirmed renewal began, by both clocks. */
  confirmed: { readonly monotonic: number; readonly wall: number };
  idleSince: number;
}

const LONG_AGO = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

export const createDomains = ({
  records,
  shared,
  clock,
  leaseMs,
  callMs,
  run,
  restore,
  onNews,
  onFault,
}: DomainTools): Domains => {
  const process = randomUUID();
  const closing = new AbortController();
  const moment = () => ({ monotonic: clock.monotonic(), wall: clock.now() });
  const held = new Map<string, Held>();
  const taking = new Map<string, Promise<Held | undefined>>();
  /** Also of domains that were lost meanwhile. */
  const all = new Set<Promise<void>>();
  let isPaused = false;
  /** The store's identity, and since when it has it. */
  let generation = { identity: '', since: 0 };

  /** A store that processes share may be another one than before: a replica that has not seen every change. */
  const lookAtStore = async (): Promise<string> => {
    if (!shared) return '';
    const identity = await shared.identity();
    if (identity === generation.identity) return identity;
    const since = await records.noteGeneration(identity, generation.identity !== '');
    generation = { identity, since: Math.max(since, generation.since) };
    return identity;
  };

  /** What was read just now may be of a server that nobody has looked at yet. */
  const traceless = (): number => (!shared || shared.lastIdentity === generation.identity ? generation.since : clock.now());

  const lose = (holding: Held): void => {
    // It may have been taken again meanwhile.
    if (held.get(holding.domain) === holding) held.delete(holding.domain);
    holding.giveUp.abort();
  };

  const letGo = async (holding: Held): Promise<void> => {
    lose(holding);
    await shared?.release(holding.domain, process);
  };

  const start = (holding: Held, id: string): void => {
    const { running, waiting } = holding;
    if (isPaused || running.has(id) || holding.lost.aborted) return;
    if (running.size >= MAX_RUNNING) {
      waiting.add(id);
      return;
    }
    const begin = async (): Promise<void> => {
      if (isCurrent(holding.domain) || (await reclaim(holding.domain))) await run(id, holding);
      else throw new OwnershipLost();
    };
    const work = begin()
      .catch((thrown: unknown) => {
        if (thrown instanceof OwnershipLost) lose(holding);
        else onFault(thrown);
      })
      .finally(() => {
        running.delete(id);
        all.delete(work);
        holding.idleSince = clock.monotonic();
        if (isPaused && running.size === 0) void letGo(holding).catch(onFault);
        const [next] = waiting;
        if (next === undefined) return;
        waiting.delete(next);
        start(holding, next);
      });
    running.set(id, work);
    all.add(work);
  };

  const isCurrent = (domain: string): boolean => !shared || held.get(domain)?.identity === shared.lastIdentity;

  /** Begins all that is open, a few at a time: each reads its items at once. */
  const adopt = async (holding: Held): Promise<void> => {
    for (const [at, id] of (await records.openIn(holding.domain)).entries()) {
      if (isPaused || holding.lost.aborted) return;
      if (holding.running.size < MAX_ADOPTED) start(holding, id);
      else if (!holding.running.has(id)) holding.waiting.add(id);
      if (at % ADOPTED_AT_ONCE === ADOPTED_AT_ONCE - 1) await nextTurn();
    }
  };

  const createHeld = (domain: string, epoch: number, confirmed: Held['confirmed'], identity: string): Held => {
    const giveUp = new AbortController();
    setMaxListeners(0, giveUp.signal);
    const since = clock.now();
    const holding: Held = {
      domain,
      process,
      epoch,
      identity,
      reclaiming: undefined,
      get traceless() {
        return traceless();
      },
      giveUp,
      lost: giveUp.signal,
      running: new Map(),
      waiting: new Set(),
      confirmed,
      idleSince: clock.monotonic(),
      // A clock that stood still, or was set, does not make a lease longer.
      mayWrite: () => {
        if (giveUp.signal.aborted) return false;
        if (!shared) return true;
        const { monotonic, wall } = holding.confirmed;
        const limit = leaseMs / 2;
        return clock.monotonic() - monotonic < limit && Math.abs(clock.now() - wall) < limit;
      },
      quietAfter: (sentAt) => {
        // Sent by this process, or by a clock that is ahead.
        if (sentAt >= since) return Math.min(sentAt, clock.now()) + callMs;
        // The earlier holder's fence has let nothing pass since the domain was taken. Where the store was its alone, it has even ended.
        return shared ? Math.min(sentAt + SKEW_MS, since) + callMs : Math.min(sentAt + callMs, since);
      },
    };
    return holding;
  };

  const tryToTake = async (domain: string): Promise<Held | undefined> => {
    const identity = await lookAtStore();
    // The earlier holder, if it lives, takes it again first, or finds out that it is lost.
    await clock.sleep(Math.max(generation.since + leaseMs - clock.now(), 0));
    if (shared && !(await shared.hold(domain, process, leaseMs))) return undefined;
    const epoch = await records.takeDomain(domain, process);
    const confirmed = moment();
    // It may have taken longer than the lease: then another process has a higher epoch, or will have.
    if (shared && !(await shared.hold(domain, process, leaseMs))) return undefined;
    if (isPaused || (shared && shared.lastIdentity !== identity)) {
      await shared?.release(domain, process);
      return undefined;
    }
    const holding = createHeld(domain, epoch, confirmed, identity);
    held.set(domain, holding);
    void adopt(holding).catch(onFault);
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
    const begun = moment();
    if (await shared.hold(holding.domain, process, leaseMs)) holding.confirmed = begun;
    else lose(holding);
  };

  const takeAgain = async (holding: Held): Promise<boolean> => {
    const { domain } = holding;
    const identity = await lookAtStore();
    // Nothing was lost.
    if (holding.identity === identity) return !holding.lost.aborted;
    // Until all is stored again, nothing is sent.
    holding.confirmed = LONG_AGO;
    const confirmed = moment();
    if (!(await shared?.hold(domain, process, leaseMs))) return false;
    holding.epoch = await records.takeDomain(domain, process, holding.epoch);
    await restore(holding);
    holding.identity = identity;
    holding.confirmed = confirmed;
    return true;
  };

  /** What only this process knows must not get lost because the store is unavailable for a moment. Ends with the domain or the process. */
  const untilAvailable = async (holding: Held): Promise<boolean> => {
    for (;;) {
      try {
        return await takeAgain(holding);
      } catch (thrown) {
        const isAway = thrown instanceof GatewayError && thrown.code === 'store_unavailable';
        if (!isAway || holding.lost.aborted || closing.signal.aborted) throw thrown;
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
    const identity = held.size > 0 ? await lookAtStore() : '';
    const keep = async (holding: Held): Promise<void> => {
      const isIdle = holding.running.size === 0 && clock.monotonic() - holding.idleSince > IDLE_MS;
      if (isIdle) await letGo(holding);
      else if (holding.identity === identity) await renew(holding);
      else if (!(await reclaim(holding.domain))) lose(holding);
    };
    await Promise.all([...held.values()].map((holding) => keep(holding).catch(onFault)));
  };

  const look = async (): Promise<void> => {
    for (const domain of await records.domains()) {
      const holding = held.get(domain);
      if (holding) await adopt(holding);
      else if ((await records.openIn(domain)).length > 0) await take(domain);
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
  void lookAtStore().then(look).catch(onFault);

  const wakeHere = async (domain: string, id: string): Promise<boolean> => {
    const holding = await take(domain);
    if (holding) start(holding, id);
    return holding !== undefined;
  };

  shared?.listen(process, (text) => {
    const { domain, id } = JSON.parse(text) as { domain?: string; id: string };
    if (domain === undefined) onNews(id);
    else void wakeHere(domain, id).catch(onFault);
  });

  return {
    process,
    wake: async (domain, id) => {
      if (await wakeHere(domain, id)) return;
      await shared?.notifyHolder(domain, JSON.stringify({ domain, id }));
    },
    notifyWorker: async (domain, id) => {
      onNews(id);
      if (!held.has(domain)) await shared?.notifyHolder(domain, JSON.stringify({ id }));
    },
    notifyProcess: async (other, id) => {
      if (other !== process) await shared?.notify(other, JSON.stringify({ id }));
    },
    isCurrent,
    reclaim,
    traceless,
    isRunning: (id) => [...held.values()].some(({ running }) => running.has(id)),
    idle: async () => {
      while (all.size > 0) await Promise.allSettled(all);
    },
    pause: () => {
      isPaused = true;
      // Others may begin at once where nothing is under way.
      for (const holding of [...held.values()]) if (holding.running.size === 0) void letGo(holding).catch(onFault);
    },
    close: async () => {
      isPaused = true;
      closing.abort();
      await Promise.allSettled([...held.values()].map(letGo));
    },
  };
};
