import { randomBytes } from 'node:crypto';
import type { Adapter, AdapterModule } from '../adapter.js';
import { type Clock, systemClock } from '../clock.js';
import type { AccountConfig, GatewayConfig } from '../config/schema.js';
import { pause } from '../deadline.js';
import { asGatewayError } from '../errors.js';
import type { ClusterRef } from '../journal/records.js';
import { type Secret, secretsIn } from '../secret.js';
import { proxySecrets } from '../vendor/agents.js';
import { createHttpClient, type HttpClient } from '../vendor/client.js';
import { createVendorClock } from '../vendor/clock.js';
import { guardAdapter } from '../vendor/guard.js';
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
  send: (build, read, options) =>
    http.send(build, read, options).catch((thrown: unknown) => {
      const error = asGatewayError(thrown);
      throw error.code.startsWith('vendor_')
        ? error.withMessage(`${error.message.replace(/\.$/, '')} (account ${account}).`)
        : error;
    }),
});

/** Configuration and adapter modules become live accounts and clusters. Calls no vendor. */
export const createRegistry = (
  config: GatewayConfig,
  modules: Readonly<Record<string, AdapterModule>>,
  transportOf: (account: Pick<AccountConfig, 'proxy' | 'ca'>) => Transport,
  clock: Clock = systemClock,
  onOmission: OnOmission = () => undefined,
): Registry => {
  const accounts = new Map<string, Account>();
  // Of all accounts: several may lead to the same clusters.
  const recent = createRecentSecrets(clock);
  for (const [name, account] of Object.entries(config.accounts)) {
    const { vendor, discover, domain, settings } = account;
    const module = modules[vendor];
    if (!module) throw new TypeError(`There is no adapter ${vendor}.`);
    const vendorClock = createVendorClock(clock);
    const adapter = module.create({
      config: settings,
      http: naming(name, createHttpClient(transportOf(account), vendorClock, clock)),
      now: vendorClock.now,
      sleep: (ms, signal) => pause(ms, signal, clock),
      nonce: () => randomBytes(16).toString('hex'),
    });
    const { maxListUsers } = config.limits;
    const secrets = [...secretsIn(account), ...(account.proxy ? proxySecrets(account.proxy) : [])];
    accounts.set(name, {
      name,
      module,
      adapter: watchOmissions(guardAdapter(adapter, secrets, recent), name, clock, onOmission),
      settings,
      discover,
      domain,
      maxListUsers,
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
