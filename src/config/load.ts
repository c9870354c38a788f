import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument, visit } from 'yaml';
import type { AdapterModule } from '../adapter.js';
import { isObject } from '../wire.js';
import type { Environment } from './environment.js';
import { ConfigError, errnoOf } from './error.js';
import { type AccountConfig, coreSchema, type GatewayConfig } from './schema.js';
import { resolveSecrets } from './secrets.js';
import { validate } from './validate.js';

type Modules = Readonly<Record<string, AdapterModule>>;

interface CoreConfig extends Omit<GatewayConfig, 'accounts'> {
  readonly accounts: Record<string, { vendor: string; discover: boolean; domain?: string } & Record<string, unknown>>;
}

const readYaml = (path: string): unknown => {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`cannot be read (${errnoOf(error)})`]);
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const lineOf = (offset: number): number => lines.linePos(offset).line;
  // By code: the messages quote the source, which may hold secrets.
  const problems = [...document.errors, ...document.warnings].map(
    ({ code, pos }) => `line ${lineOf(pos[0])}: is not valid YAML (${code})`,
  );
  visit(document, {
    Alias: (_, { range }) => {
      problems.push(`line ${lineOf(range?.[0] ?? 0)}: YAML aliases are not taken; put a text that begins with * in quotes`);
    },
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return document.toJS() ?? {};
};

/** `HOST` and `PORT` override the file. */
const withOverrides = (raw: unknown, env: Environment, problems: string[]): unknown => {
  const { HOST: host, PORT: port } = env;
  if (port && !(/^\d+$/.test(port) && Number(port) <= 65535)) problems.push('PORT (environment): must be a port, 0 to 65535');
  if (!isObject(raw) || (!host && !port)) return raw;
  const server = isObject(raw['server']) ? raw['server'] : {};
  return { ...raw, server: { ...server, ...(host && { host }), ...(port && { port: Number(port) }) } };
};

const checkReferences = ({ accounts, clusters }: CoreConfig): string[] => {
  const problems: string[] = [];
  const ids = new Set<string>();
  clusters.forEach(({ id, account }, index) => {
    if (ids.has(id)) problems.push(`clusters[${index}].id: ${id} is already taken`);
    ids.add(id);
    if (!Object.hasOwn(accounts, account)) {
      problems.push(`clusters[${index}].account: there is no account ${account}; there are ${Object.keys(accounts).join(', ')}`);
    }
  });
  return problems;
};

/** Gateways that share a Redis have to share the key, too, and a file beside it is not there to be shared. */
const checkStore = ({ store }: CoreConfig): string[] => {
  if (store.kind !== 'redis') return [];
  return [
    ...(store.url === undefined ? ['store.url: is missing; redis needs one, such as redis://127.0.0.1:6379'] : []),
    ...(store.encryptionKey === undefined
      ? ['store.encryptionKey: is missing; all gateways on one redis need the same, made with: openssl rand -base64 32']
      : []),
  ];
};

/** A cluster is written to for one domain: two would not know of each other's writes. */
const checkOwners = (
  clusters: CoreConfig['clusters'],
  accounts: Readonly<Record<string, AccountConfig>>,
  modules: Modules,
): string[] => {
  const owners = new Map<string, string>();
  return clusters.flatMap(({ account: name, vendorClusterId }, index) => {
    const { vendor, settings, domain } = accounts[name] as AccountConfig;
    const module = modules[vendor];
    if (!module?.clusterKey) return [];
    const key = `${vendor} ${module.clusterKey(settings, vendorClusterId)}`;
    const owner = owners.get(key) ?? name;
    owners.set(key, owner);
    if (accounts[owner]?.domain === domain) return [];
    return [
      `clusters[${index}].account: ${vendorClusterId} is the same cluster for the accounts ${owner} and ${name}; give both the same domain (accounts.NAME.domain)`,
    ];
  });
};

/**
 * A configuration that can be used, or all that is wrong with it.
 * @param raw what the YAML says
 * @throws ConfigError
 */
export const checkConfig = (raw: unknown, modules: Modules, env: Environment): GatewayConfig => {
  const problems: string[] = [];
  const overridden = withOverrides(raw, env, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  // A secret that cannot be resolved stays the text that it was, so that all the rest is checked too.
  const value = resolveSecrets(overridden, env, (path, reason) => problems.push(`${path}: ${reason}`));
  const unusable = validate(coreSchema, value);
  if (unusable.length > 0) throw new ConfigError([...problems, ...unusable]);

  const core = value as CoreConfig;
  const accounts: Record<string, AccountConfig> = {};
  for (const [name, { vendor, discover, domain = name, ...settings }] of Object.entries(core.accounts)) {
    const module = Object.hasOwn(modules, vendor) ? modules[vendor] : undefined;
    if (module) problems.push(...validate(module.configSchema, settings, `accounts.${name}`));
    else problems.push(`accounts.${name}.vendor: there is no vendor ${vendor}; there are ${Object.keys(modules).join(', ')}`);
    accounts[name] = { vendor, discover, domain, settings };
  }
  problems.push(...checkReferences(core), ...checkStore(core));
  if (problems.length > 0) throw new ConfigError(problems);
  const shared = checkOwners(core.clusters, accounts, modules);
  if (shared.length > 0) throw new ConfigError(shared);
  return { ...core, accounts };
};

/** @throws ConfigError */
export const loadConfig = (path: string, modules: Modules, env: Environment): GatewayConfig => {
  try {
    return checkConfig(readYaml(path), modules, env);
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(error.problems.map((problem) => `${path}: ${problem}`));
    throw error;
  }
};
