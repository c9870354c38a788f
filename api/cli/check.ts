/** `hpc-gateway check`: whether the configuration can be used, and each account answers. */
import { randomUUID } from 'node:crypto';
import { adapters } from '../../adapters/index.js';
import { systemClock } from '../../src/clock.js';
import { type Account, createRegistry, type Registry } from '../../src/clusters/registry.js';
import { environment } from '../../src/config/environment.js';
import { ConfigError } from '../../src/config/error.js';
import { loadConfig } from '../../src/config/load.js';
import type { GatewayConfig } from '../../src/config/schema.js';
import { asGatewayError, type GatewayError } from '../../src/errors.js';
import { version } from '../../src/project.js';
import { createTransports } from '../../src/vendor/transports.js';
import { EXIT } from './exit.js';
import { report } from './failure.js';
import { say, visible, write, writeJson } from './output.js';
import { UsageError } from './usage.js';

/** What to mend, by what the vendor refuses. */
const HELP: Readonly<Partial<Record<GatewayError['code'], string>>> = {
  vendor_credentials_rejected: 'Check the keys of the account, and that they are enabled.',
  vendor_permission_denied: "Give the account's key the right to list clusters.",
  vendor_account_problem: 'Look at the account at its vendor.',
  vendor_clock_skew: 'Set the clock of this machine.',
  vendor_rate_limited: 'Try again later: the vendor throttles the account.',
  vendor_unavailable: 'Check the endpoint, the region or zone, and the proxy.',
  vendor_timeout: 'Check the endpoint, the proxy and the network.',
  vendor_bad_response: 'Check that the endpoint is that of the vendor.',
};

const CALL_MS = 30_000;
/** Of ids in one line. */
const MAX_SHOWN = 20;

interface Checked {
  readonly account: string;
  readonly vendor: string;
  readonly works: boolean;
  readonly text: string;
  readonly discovered: readonly string[];
}

const listed = (ids: readonly string[]): string =>
  ids.length === 0 ? '' : `: ${ids.slice(0, MAX_SHOWN).join(', ')}${ids.length > MAX_SHOWN ? ' …' : ''}`;

const reasonOf = (thrown: unknown): string => {
  const { code, message } = asGatewayError(thrown);
  return `${message} (${code}) ${HELP[code] ?? ''}`.trim();
};

const checkAccount = async (account: Account, { targets }: Registry): Promise<Checked> => {
  const { name, module, adapter, discover } = account;
  const common = { account: name, vendor: module.vendor };
  const call = () => ({ requestId: randomUUID(), signal: AbortSignal.timeout(CALL_MS) });
  try {
    const since = performance.now();
    const { clusters } = await adapter.listClusters(call());
    const ms = Math.round(performance.now() - since);
    const own = targets.filter((target) => target.account === account);
    const missing: string[] = [];
    // Not every cluster that works is listed.
    for (const { id, vendorClusterId } of own.filter(
      (target) => !clusters.some((cluster) => cluster.id === target.vendorClusterId),
    ))
      await adapter.getCluster(vendorClusterId, call()).catch((thrown: unknown) => missing.push(`${id}: ${reasonOf(thrown)}`));
    const configured = new Set(own.map(({ vendorClusterId }) => vendorClusterId));
    const others = clusters.map(({ id }) => id).filter((id) => !configured.has(id));
    const served = discover ? `${others.length} discovered` : `${others.length} not configured`;
    const text = `answers in ${ms} ms; ${own.length} configured clusters; ${served}${listed(others)}`;
    const works = missing.length === 0;
    return {
      ...common,
      works,
      text: works ? text : `${text}. Does not have ${missing.join(' ')}`,
      discovered: discover ? others : [],
    };
  } catch (thrown) {
    return { ...common, works: false, text: reasonOf(thrown), discovered: [] };
  }
};

export interface CheckOptions {
  readonly config?: string;
  readonly json?: true;
}

const checkAccounts = async (config: GatewayConfig): Promise<Checked[]> => {
  const transports = createTransports(`hpc-gateway/${version}`, systemClock);
  try {
    const registry = createRegistry(config, adapters, transports.of);
    return await Promise.all(registry.accounts.map((account) => checkAccount(account, registry)));
  } finally {
    transports.close();
  }
};

/** @throws UsageError */
export const checkSetup = async ({ config: given, json }: CheckOptions): Promise<number> => {
  const path = given ?? environment['HPC_GATEWAY_CONFIG'];
  if (!path) throw new UsageError('Name the configuration: --config FILE, or HPC_GATEWAY_CONFIG.');
  let config: GatewayConfig;
  try {
    config = loadConfig(path, adapters, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    report(error);
    return EXIT.usage;
  }
  say(`${path} can be used: ${Object.keys(config.accounts).length} accounts, ${config.clusters.length} configured clusters`);
  const accounts = await checkAccounts(config);
  if (json) writeJson({ accounts });
  else
    for (const { account, vendor, works, text } of accounts)
      write(`${works ? 'ok  ' : 'FAIL'}  ${account} (${vendor}): ${visible(text)}\n`);
  return accounts.every(({ works }) => works) ? EXIT.done : EXIT.notDone;
};
