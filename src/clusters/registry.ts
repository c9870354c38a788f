import { randomUUID } from 'node:crypto';
import type { Adapter, AdapterModule } from '../adapter.js';
import { type Clock, systemClock } from '../clock.js';
import type { AccountConfig, GatewayConfig } from '../config/schema.js';
import { pause } from '../deadline.js';
import { asGatewayError } from '../errors.js';
import type { ClusterRef } from '../journal/records.js';
import { createLimiters, type Limiters } from '../limiters.js';
import { type Secret, secretsIn } from '../secret.js';
import { createEvents, type Events } from '../telemetry/events.js';
import type { Traces } from '../telemetry/trace.js';
import { type Budget, createBudget } from '../vendor/budget.js';
import { type CallSeen, createHttpClient, type HttpClient } from '../vendor/client.js';
import { createVendorClock } from '../vendor/clock.js';
import { proxySecrets } from '../vendor/connector.js';
import { guardAdapter } from '../vendor/guard.js';
import { createHealths, type Healths } from '../vendor/health.js';
import { createLines, type Lines } from '../vendor/lines.js';
import { createRecentSecrets } from '../vendor/recent-secrets.js';
import type { Transport } from '../vendor/transport.js';
import { type OnOmission, watchOmissions } from './omissions.js';

/** A live vendor account. */
export interface Account {
  readonly name: string;
  readonly module: AdapterModule;
  readonly adapter: Adapter;
  readonly settings: unknown;
  readonly discover: boolean;
  /** The write domain that it belongs to. */
  readonly domain: string;
  /** A longer list of users is refused. */
  readonly maxListUsers: number;
  /** Undefined where its calls are not counted. */
  readonly budget: Budget | undefined;
  readonly health: Omit<Healths, 'note'>;
  readonly lines: Pick<Lines, 'breakers'>;
  /** The `Date` of the vendor's answers less our clock, in milliseconds; null before the first answer. */
  readonly dateOffsetMs: () => number | null;
  /** Hides secrets in what the vendor says from now on, for a while: an earlier process has sent them. */
  conceal(secrets: readonly Secret[]): void;
}

/** A cluster of the gateway, at its vendor. */
export interface Target {
  readonly id: string;
  readonly account: Account;
  readonly vendorClusterId: string;
  readonly discovered: boolean;
  /** An account of another write domain, which shows the same cluster: here it is read only. */
  readonly writtenBy?: string;
}

/** What a cluster is known by, whichever account it is asked through. */
export const clusterKeyOf = (
  { module, settings, name }: Pick<Account, 'module' | 'settings' | 'name'>,
  vendorClusterId: string,
): string => `${module.vendor} ${module.clusterKey?.(settings, vendorClusterId) ?? JSON.stringify([name, vendorClusterId])}`;

export const clusterRefOf = ({ account, vendorClusterId }: Target): ClusterRef => ({
  account: account.name,
  vendorClusterId,
  key: clusterKeyOf(account, vendorClusterId),
});

export interface Registry {
  readonly modules: Readonly<Record<string, AdapterModule>>;
  readonly accounts: readonly Account[];
  /** The configured clusters, in the order of the configuration. */
  readonly targets: readonly Target[];
}

/** What is wrong between us and a vendor is for the operator, who has to know the account. */
const naming = (account: string, http: HttpClient): HttpClient => ({
  send: (build, read, options, nameOf) =>
    http.send(build, read, options, nameOf).catch((thrown: unknown) => {
      const error = asGatewayError(thrown);
      throw error.code.startsWith('vendor_')
        ? error.withMessage(`${error.message.replace(/\.$/, '')} (account ${account}).`)
        : error;
    }),
});

export interface RegistryOptions {
  readonly onOmission?: OnOmission;
  /** Count the calls of accounts. */
  readonly limiters?: Limiters;
  readonly events?: Events;
  readonly traces?: Traces;
}

/** Configuration and adapter modules become live accounts and clusters. Calls no vendor. */
export const createRegistry = (
  config: GatewayConfig,
  modules: Readonly<Record<string, AdapterModule>>,
  transportOf: (account: Pick<AccountConfig, 'proxy' | 'ca'>) => Transport,
  clock: Clock = systemClock,
  { onOmission = () => undefined, limiters = createLimiters(undefined), events = createEvents(), traces }: RegistryOptions = {},
): Registry => {
  const accounts = new Map<string, Account>();
  // Of all accounts: several may lead to the same clusters.
  const recent = createRecentSecrets(clock);
  for (const [name, account] of Object.entries(config.accounts)) {
    const { vendor, discover, domain, settings } = account;
    const module = modules[vendor];
    if (!module) throw new TypeError(`There is no adapter ${vendor}.`);
    const vendorClock = createVendorClock(clock);
    const budget = account.budget && createBudget(name, account.budget, limiters, clock);
    const lines = createLines(clock, {
      budget,
      onBreaker: (cluster, isDown) => {
        const health = cluster === undefined ? healths.ofAccount() : healths.ofCluster(cluster);
        events.emit('breaker', { account: name, vendor, cluster, isDown, health });
      },
    });
    const healths = createHealths(lines.breakerOf, clock);
    const onCall = (call: CallSeen): void => {
      healths.note(call);
      events.emit('vendorCall', { account: name, vendor, ...call });
    };
    const adapter = module.create({
      config: settings,
      http: naming(name, createHttpClient(transportOf(account), vendorClock, clock, { lines, onCall })),
      now: vendorClock.now,
      sleep: (ms, signal) => pause(ms, signal, clock),
      nonce: () => randomUUID().replaceAll('-', ''),
    });
    const { maxListUsers } = config.limits;
    const secrets = [...secretsIn(account), ...(account.proxy ? proxySecrets(account.proxy) : [])];
    accounts.set(name, {
      name,
      module,
      adapter: watchOmissions(guardAdapter(adapter, secrets, recent, traces?.of), name, clock, onOmission, (rows) =>
        events.emit('omission', { vendor, rows }),
      ),
      settings,
      discover,
      domain,
      maxListUsers,
      budget,
      health: healths,
      lines,
      dateOffsetMs: vendorClock.dateOffsetMs,
      conceal: recent.note,
    });
  }
  const targets = config.clusters.map(({ id, account: name, vendorClusterId }): Target => {
    const account = accounts.get(name);
    if (!account) throw new TypeError(`There is no account ${name}.`);
    return { id, account, vendorClusterId, discovered: false };
  });
  return { modules, accounts: [...accounts.values()], targets };
};
