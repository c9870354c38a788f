/** The runners of this process: each operation is given to that of its cluster. */
import { setMaxListeners } from 'node:events';
import { onAbort } from '../deadline.js';
import { GatewayError } from '../errors.js';
import type { Claim } from '../journal/claim.js';
import type { Holding } from '../journal/holding.js';
import { isFinal, keyOf, type LoadedOperation } from '../journal/records.js';
import type { Secret } from '../secret.js';
import { createDesk, type Deps, siteOf } from './desk.js';
import { failedWith, withDetail } from './outcome.js';
import type { Site } from './resource.js';
import { createRunner, type Runner } from './runner.js';

export interface Signals {
  /** Begin nothing more; calls under way end. */
  readonly pause: AbortSignal;
  /** Let go of everything. */
  readonly abandon: AbortSignal;
}

export interface Executor {
  /** Resolves when the operation is final, or to be left to others. @throws OwnershipLost */
  execute(operation: LoadedOperation, holding: Holding, signals: Signals): Promise<void>;
  /** What other processes have sent for the operation, its vendor may repeat to this one. */
  conceal(operation: LoadedOperation): void;
  /** Somebody may have asked for the operation to be stopped. */
  look(id: string): void;
  /** Items that have not ended, by account, and since when the oldest one waits, in milliseconds since 1970. */
  open(): ReadonlyMap<string, Backlog>;
  /** Stores again what is known of all operations of a domain. @throws OwnershipLost */
  restore(holding: Holding): Promise<void>;
}

export interface Backlog {
  readonly items: number;
  readonly oldestAt: number;
}

/** The cluster is not served any more: nobody can ask it, nor what became of what was sent to it. */
const giveUp = async (operation: LoadedOperation, claim: Claim, { journal }: Deps): Promise<void> => {
  const message = `The cluster ${operation.clusterId} is no longer served, or is another one than when this write began.`;
  const error = new GatewayError('cluster_not_found', message);
  const open = operation.items.filter(({ outcome }) => !outcome);
  const outcomes = open.map(({ index, sends = 0 }) => {
    const isSent = sends > 0;
    return [
      index,
      isSent ? failedWith(withDetail(error, 'What was sent before cannot be read back.', 'open'), 'unknown') : failedWith(error),
    ] as const;
  });
  await journal.settle(claim, open, new Map(outcomes));
};

/** Of items that may have been sent, and have not ended; those that cannot be opened nobody knows. */
const sentSecrets = ({ encryptor }: Deps, { id, items, ownKeys }: LoadedOperation): Secret[] =>
  items.flatMap(({ index, secret, outcome, sends = 0 }) => {
    if (secret === undefined || outcome || sends === 0) return [];
    try {
      return [encryptor.open(secret, keyOf.item(id, index), ownKeys?.get(index) ?? '')];
    } catch {
      return [];
    }
  });

interface Running {
  readonly runner: Runner;
  works: number;
  stop(): void;
}

export const createExecutor = (deps: Deps): Executor => {
  const runners = new Map<Holding, Map<string, Running>>();

  const begin = (site: Site, holding: Holding, { pause, abandon }: Signals): Running => {
    // Of this runner alone, so that nothing that listens outlives it.
    const giving = new AbortController();
    setMaxListeners(0, giving.signal);
    const stops = [abandon, holding.lost].map((signal) => onAbort(signal, () => giving.abort()));
    const runner = createRunner(createDesk(deps, { site, holding, signal: giving.signal }), pause);
    const stop = (): void => {
      for (const each of stops) each();
      runner.close();
    };
    return { runner, works: 0, stop };
  };

  /** The work with the runner of the cluster, which lives as long as there is any. */
  const withRunner = async (key: string, holding: Holding, make: () => Running, work: (runner: Runner) => Promise<void>) => {
    const own = runners.get(holding) ?? new Map<string, Running>();
    runners.set(holding, own);
    const running = own.get(key) ?? make();
    own.set(key, running);
    running.works++;
    try {
      await work(running.runner);
    } finally {
      running.works--;
      if (running.works === 0) {
        running.stop();
        own.delete(key);
        if (own.size === 0) runners.delete(holding);
      }
    }
  };

  return {
    execute: async (operation, holding, signals) => {
      if (isFinal(operation) || signals.abandon.aborted) return;
      const { id, resource, cluster } = operation;
      const { domain, process } = holding;
      const claim: Claim = {
        ...{ id, domain, process, resource, cluster },
        get epoch() {
          return holding.epoch;
        },
      };
      const site = siteOf(deps, operation);
      if (!site) return giveUp(operation, claim, deps);
      const make = (): Running => begin(site, holding, signals);
      return withRunner(`${resource} ${site.key}`, holding, make, (runner) => runner.work(operation, claim, site));
    },

    restore: async (holding) => {
      for (const { runner } of runners.get(holding)?.values() ?? []) await runner.restore();
    },

    open: () => {
      const open = new Map<string, Backlog>();
      const works = [...runners.values()].flatMap((own) => [...own.values()]).flatMap(({ runner }) => runner.works());
      for (const { site, entries, askedAt } of works) {
        const { items = 0, oldestAt = askedAt } = open.get(site.account.name) ?? {};
        open.set(site.account.name, { items: items + entries.size, oldestAt: Math.min(oldestAt, askedAt) });
      }
      return open;
    },

    conceal: (operation) => {
      const site = siteOf(deps, operation);
      const secrets = sentSecrets(deps, operation);
      if (secrets.length > 0) site?.conceal?.(secrets);
    },

    look: (id) => {
      for (const own of runners.values()) for (const { runner } of own.values()) runner.look(id);
    },
  };
};
