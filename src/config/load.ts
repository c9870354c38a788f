import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { AdapterModule, BudgetConfig } from '../adapter.js';
import { nearest } from '../nearest.js';
import { Secret } from '../secret.js';
import { isObject } from '../wire.js';
import { checkAuth, checkHost } from './check-auth.js';
import type { Environment } from './environment.js';
import { ConfigError, errnoOf } from './error.js';
import { type Path, type Problem, throwAny, UnusableConfig } from './problem.js';
import { type AccountConfig, coreSchema, type GatewayConfig, type TlsConfig } from './schema.js';
import { resolveSecrets } from './secrets.js';
import { checkTls } from './tls.js';
import { validate } from './validate.js';
import { wrapSecrets } from './wrap.js';

type Modules = Readonly<Record<string, AdapterModule>>;

interface CoreConfig extends Omit<GatewayConfig, 'accounts'> {
  readonly accounts: Record<string, CommonAccount & Record<string, unknown>>;
}

interface CommonAccount {
  readonly vendor: string;
  readonly discover: boolean;
  readonly domain?: string;
  readonly proxy?: Secret;
  readonly caFile?: string;
  readonly budget?: BudgetConfig;
}

/** Of every account, whatever its vendor. */
const ACCOUNT_KEYS = ['vendor', 'discover', 'domain', 'proxy', 'caFile', 'budget'];

interface Source {
  readonly value: unknown;
  /** The line of the key, or the nearest one around it. */
  lineOf(path: Path): number;
}

const offsetOf = (document: Document, path: Path): number => {
  let offset = document.contents?.range?.[0] ?? 0;
  let node: unknown = document.contents;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) break;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as { range?: readonly number[] } | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
};

const readYaml = (path: string): Source => {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`cannot be read (${errnoOf(error)})`]);
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  // By code: the messages quote the source, which may hold secrets. One mistake makes several: the first one of a line is reported.
  const faults = new Map<number, string>();
  for (const { code, pos } of [...document.errors, ...document.warnings])
    if (!faults.has(lineAt(pos[0]))) faults.set(lineAt(pos[0]), code);
  const sourceLines = source.split('\n');
  const problems = [...faults].map(([line, code]) => {
    const isUnquoted = /[{,:]\s*\$\{/.test(sourceLines[line - 1] ?? '');
    return `line ${line}: is not valid YAML (${code})${isUnquoted ? `; put \${env:NAME} in quotes` : ''}`;
  });
  visit(document, {
    Alias: (_, { range }) => {
      problems.push(`line ${lineAt(range?.[0] ?? 0)}: YAML aliases are not taken; put a text that begins with * in quotes`);
    },
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return { value: document.toJS() ?? {}, lineOf: (at) => lineAt(offsetOf(document, at)) };
};

/** In place of a file. */
const STANDARD_OUTPUT = '-';

const ENVIRONMENT_PORT = 'PORT (environment)';
const ENVIRONMENT_HOST = 'HOST (environment)';
const IN_ENVIRONMENT: ReadonlySet<unknown> = new Set([ENVIRONMENT_PORT, ENVIRONMENT_HOST]);

/** `HOST` and `PORT` override the file. */
const withOverrides = (raw: unknown, env: Environment, problems: Problem[]): unknown => {
  const { HOST: host, PORT: port } = env;
  const isPort = port !== undefined && /^\d+$/.test(port) && Number(port) <= 65535;
  if (port && !isPort) problems.push({ at: [ENVIRONMENT_PORT], reason: 'must be a port, 0 to 65535' });
  if (!isObject(raw) || (!host && !isPort)) return raw;
  const server = isObject(raw['server']) ? raw['server'] : {};
  return { ...raw, server: { ...server, ...(host && { host }), ...(isPort && { port: Number(port) }) } };
};

const suggestion = (text: string, known: readonly string[]): string => {
  const meant = nearest(text, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
};

/** @param accounts, clusters as far as they are what they have to be */
const checkReferences = (accounts: Readonly<Record<string, unknown>>, clusters: readonly unknown[]): Problem[] => {
  const problems: Problem[] = [];
  const ids = new Set<unknown>();
  const names = Object.keys(accounts);
  for (const [index, cluster] of clusters.entries()) {
    if (!isObject(cluster)) continue;
    const { id, account } = cluster;
    if (id !== undefined && ids.has(id)) problems.push({ at: ['clusters', index, 'id'], reason: `${id} is already taken` });
    ids.add(id);
    if (typeof account !== 'string' || Object.hasOwn(accounts, account)) continue;
    const reason = `there is no account ${account}; there are ${names.join(', ')}${suggestion(account, names)}`;
    problems.push({ at: ['clusters', index, 'account'], reason });
  }
  return problems;
};

/** Gateways that share a Redis have to share the key, too, and a file beside it is not there to be shared. */
const checkStore = (store: unknown): Problem[] => {
  if (!isObject(store) || store['kind'] !== 'redis') return [];
  const missing = (key: string, help: string): Problem[] =>
    store[key] === undefined ? [{ at: ['store', key], reason: `is missing; ${help}` }] : [];
  return [
    ...missing('url', 'redis needs one, such as redis://127.0.0.1:6379'),
    ...missing('encryptionKey', 'all gateways on one redis need the same, made with: openssl rand -base64 32'),
  ];
};

/** The certificates of an account; a problem where they cannot be had. */
const certificatesOf = (caFile: string, folder: string): { readonly ca: string } | { readonly reason: string } => {
  const path = resolve(folder, caFile);
  try {
    const ca = readFileSync(path, 'utf8');
    const certificates = ca.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    if (certificates.length === 0) return { reason: `the file ${path} has no certificate in PEM` };
    const damaged = certificates.findIndex((pem) => !isCertificate(pem));
    return damaged === -1 ? { ca } : { reason: `certificate ${damaged + 1} of the file ${path} cannot be read` };
  } catch (error) {
    return { reason: `the file ${path} cannot be read (${errnoOf(error)})` };
  }
};

const isCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
};

const checkCertificates = (name: string, account: unknown, folder: string): Problem[] => {
  if (!isObject(account) || typeof account['caFile'] !== 'string') return [];
  const certificates = certificatesOf(account['caFile'], folder);
  return 'reason' in certificates ? [{ at: ['accounts', name, 'caFile'], reason: certificates.reason }] : [];
};

/** The settings of an account, by its vendor's schema. */
const checkAccount = (name: string, account: unknown, modules: Modules): Problem[] => {
  if (!isObject(account) || typeof account['vendor'] !== 'string') return [];
  const { vendor } = account;
  const known = Object.keys(modules);
  if (!Object.hasOwn(modules, String(vendor)))
    return [
      {
        at: ['accounts', name, 'vendor'],
        reason: `there is no vendor ${vendor}; there are ${known.join(', ')}${suggestion(String(vendor), known)}`,
      },
    ];
  return validate((modules[String(vendor)] as AdapterModule).configSchema, settingsOf(account), ['accounts', name], ACCOUNT_KEYS);
};

/** The settings are taken out of the account once, since defaults are filled into them. */
const settings = new WeakMap<object, Record<string, unknown>>();
const settingsOf = (account: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const known =
    settings.get(account) ?? Object.fromEntries(Object.entries(account).filter(([key]) => !ACCOUNT_KEYS.includes(key)));
  settings.set(account, known);
  return known;
};

/** The settings as an adapter takes them. */
const wrappedSettings = ({ configSchema }: AdapterModule, account: object): unknown =>
  wrapSecrets(configSchema, settingsOf(account as Readonly<Record<string, unknown>>));

/** A cluster is written to for one domain: two would not know of each other's writes. @param accounts those in order, as given */
const checkOwners = (clusters: readonly unknown[], accounts: ReadonlyMap<string, CommonAccount>, modules: Modules): Problem[] => {
  const owners = new Map<string, string>();
  const domainOf = (name: string): string => accounts.get(name)?.domain ?? name;
  return clusters.flatMap((cluster, index) => {
    const { account: name, vendorClusterId } = isObject(cluster) ? cluster : {};
    const account = accounts.get(String(name));
    const module = account && modules[account.vendor];
    if (typeof name !== 'string' || typeof vendorClusterId !== 'string' || !account || !module?.clusterKey) return [];
    const key = `${account.vendor} ${module.clusterKey(wrappedSettings(module, account), vendorClusterId)}`;
    const owner = owners.get(key) ?? name;
    owners.set(key, owner);
    if (domainOf(owner) === domainOf(name)) return [];
    const reason = `${vendorClusterId} is the same cluster for the accounts ${owner} and ${name}; give both the same domain (accounts.NAME.domain)`;
    return [{ at: ['clusters', index, 'account'], reason }];
  });
};

/**
 * A configuration that can be used, or all that is wrong with it.
 * @param raw what the YAML says
 * @param folder what relative paths in it begin at; without one, the working directory
 * @throws ConfigError
 */
export const checkConfig = (raw: unknown, modules: Modules, env: Environment, folder?: string): GatewayConfig => {
  const problems: Problem[] = [];
  // A secret that cannot be resolved stays the text that it was, so that all the rest is checked too.
  const value = resolveSecrets(withOverrides(raw, env, problems), env, folder ?? '.', (problem) => problems.push(problem));
  const core = isObject(value) ? value : {};
  problems.push(...validate(coreSchema, value));
  const given = isObject(core['accounts']) ? core['accounts'] : {};
  const inOrder = new Map<string, CommonAccount>();
  for (const [name, account] of Object.entries(given)) {
    const wrong = checkAccount(name, account, modules);
    problems.push(...wrong, ...checkCertificates(name, account, folder ?? '.'));
    if (wrong.length === 0) inOrder.set(name, account as CommonAccount);
  }
  const clusters: readonly unknown[] = Array.isArray(core['clusters']) ? core['clusters'] : [];
  problems.push(
    ...checkReferences(given, clusters),
    ...checkOwners(clusters, inOrder, modules),
    ...checkStore(core['store']),
    ...checkAuth(core['auth']),
    ...checkHost(core['auth'], core['server'], env['HOST'] ? [ENVIRONMENT_HOST] : ['server', 'host']),
    ...checkTls(core['server']),
  );
  throwAny(problems);

  const usable = wrapSecrets(coreSchema, value) as CoreConfig;
  const accounts = Object.fromEntries(
    Object.entries(usable.accounts).map(([name, account]): [string, AccountConfig] => {
      const module = modules[account.vendor] as AdapterModule;
      const { vendor, discover, domain = name, proxy, caFile, budget = module.budget } = account;
      const certificates = caFile === undefined ? undefined : certificatesOf(caFile, folder ?? '.');
      const network = {
        ...(proxy !== undefined && { proxy }),
        ...(certificates && 'ca' in certificates && { ca: certificates.ca }),
      };
      const settings = wrappedSettings(module, given[name] as object);
      return [name, { vendor, discover, domain, ...(budget && { budget }), ...network, settings }];
    }),
  );
  const { store, audit } = usable;
  const inFolder = (path: string): string => (folder === undefined ? path : resolve(folder, path));
  const { stream } = audit;
  const isFile = stream !== undefined && stream !== STANDARD_OUTPUT;
  return {
    ...usable,
    accounts,
    store: { ...store, path: inFolder(store.path) },
    audit: isFile ? { stream: inFolder(stream) } : audit,
  };
};

/** @throws ConfigError, each of whose problems names the file, and the line where it can */
export const loadConfig = (path: string, modules: Modules, env: Environment): GatewayConfig => {
  let source: Source | undefined;
  try {
    source = readYaml(path);
    return checkConfig(source.value, modules, env, dirname(path));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const known = source;
    const lines =
      error instanceof UnusableConfig && known
        ? error.found.map(({ at }) => (IN_ENVIRONMENT.has(at[0]) ? '' : `line ${known.lineOf(at)}: `))
        : [];
    throw new ConfigError(error.problems.map((problem, index) => `${path}: ${lines[index] ?? ''}${problem}`));
  }
};

/** The key and the certificate as the file and what it names have them now. @throws ConfigError */
export const loadTls = (path: string, env: Environment): TlsConfig | undefined => {
  const { value } = readYaml(path);
  const server = isObject(value) ? value['server'] : undefined;
  const problems: Problem[] = [];
  const resolved = resolveSecrets(isObject(server) ? server['tls'] : undefined, env, dirname(path), (problem) =>
    problems.push({ ...problem, at: ['server', 'tls', ...problem.at] }),
  );
  problems.push(...checkTls({ tls: resolved }));
  throwAny(problems);
  if (!isObject(resolved)) return undefined;
  return { key: new Secret(String(resolved['key'])), certificate: String(resolved['certificate']) };
};
