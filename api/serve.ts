/** The composition root: configuration → gateway → listen → drain on a signal. */
import { type Logger, pino } from 'pino';
import { adapters } from '../adapters/index.js';
import { environment, KNOWN_VARIABLES, unknownVariables } from '../src/config/environment.js';
import { ConfigError } from '../src/config/error.js';
import { checkConfig, loadConfig } from '../src/config/load.js';
import { isLoopback } from '../src/config/loopback.js';
import type { GatewayConfig } from '../src/config/schema.js';
import { isHttps } from '../src/config/urls.js';
import { didYouMean } from '../src/nearest.js';
import { version } from '../src/project.js';
import { createEvents } from '../src/telemetry/events.js';
import { isTracingAsked, startTracing, type Tracing } from '../src/telemetry/tracing.js';
import './heap.js';
import { type Demo, demoBanner, startDemo } from './demo.js';
import { createGateway, type Gateway } from './gateway.js';
import { openLogDestination } from './log-destination.js';
import { followTls, type TlsReload } from './tls-reload.js';

/** npm and a terminal may both pass on the same signal; one that comes later than this is meant. */
const SAME_SIGNAL_MS = 2_000;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const fail = (text: string): never => {
  process.stderr.write(`${text}\n`);
  process.exit(1);
};

interface Running {
  gateway?: Gateway;
  demo?: Demo | undefined;
  log?: Logger;
  tls?: TlsReload;
  tracing?: Tracing | undefined;
}

/** Finishes what is running and exits with 0; a second, later signal exits at once. */
const stopOnSignals = (running: Running): void => {
  let since: number | undefined;
  const stop = async (signal: string): Promise<void> => {
    if (since !== undefined) {
      if (Date.now() - since > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    since = Date.now();
    running.log?.info({ signal }, 'stopping');
    await running.gateway?.stop();
    await running.demo?.close();
    await running.tracing?.stop();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  // Its default action would end the process.
  process.on('SIGHUP', () => {
    running.tls?.look();
    running.log?.warn(
      `SIGHUP is ${running.tls ? 'for server.tls alone' : 'ignored'}: restart the gateway to load a changed configuration`,
    );
  });
};

export interface ServeOptions {
  /** The path of a configuration, in place of `HPC_GATEWAY_CONFIG`. */
  readonly config?: string | undefined;
  /** Whether to serve the demo, whatever the environment says. */
  readonly isDemo?: boolean;
}

/** Undefined for the demo. */
const configPath = ({ config, isDemo: isAsked = false }: ServeOptions): string | undefined => {
  const unknown = unknownVariables(environment).map(
    (name) => `${name} is not a known variable.${didYouMean(name, KNOWN_VARIABLES)}`,
  );
  if (unknown.length > 0) fail(unknown.join('\n'));
  if (isAsked) return undefined;
  const { HPC_GATEWAY_DEMO: demo, NODE_ENV: mode } = environment;
  const path = config ?? environment['HPC_GATEWAY_CONFIG'];
  if (path === '') fail('HPC_GATEWAY_CONFIG is set, but empty. Name a configuration, or unset it for the demo.');
  if (demo !== undefined && !['0', '1'].includes(demo)) fail('HPC_GATEWAY_DEMO has to be 1 or 0.');
  if (path !== undefined && demo === '1')
    fail('HPC_GATEWAY_CONFIG and HPC_GATEWAY_DEMO=1 contradict each other. Unset one of them.');
  const isDemo = demo === '1' || (demo === undefined && mode !== 'production');
  if (path === undefined && !isDemo)
    fail(
      'There is no configuration: HPC_GATEWAY_CONFIG has to name one. For the demo with simulated vendors, set HPC_GATEWAY_DEMO=1.',
    );
  return path;
};

/** A key that expires soon is to be replaced before. */
const SOON_MS = 14 * 24 * 60 * 60_000;

const warn = ({ accounts, clusters, auth, server }: GatewayConfig, log: Logger): void => {
  if (!isLoopback(server.host) && !isHttps(server))
    log.warn('keys and passwords of callers arrive in the clear: set server.tls, or server.publicUrl of a proxy with https');
  for (const { id, keys } of auth?.callers ?? [])
    for (const { expires } of keys)
      if (expires !== undefined && Date.parse(expires) < Date.now() + SOON_MS)
        log.warn({ caller: id, expires }, 'an API key has expired, or expires in less than 14 days');
  const discovering = Object.values(accounts).some(({ discover }) => discover);
  if (clusters.length === 0 && !discovering)
    log.warn('no cluster is served: name clusters, or set discover: true for an account');
};

const start = async (options: ServeOptions): Promise<void> => {
  const running: Running = {};
  stopOnSignals(running);
  const path = configPath(options);
  const demo = path === undefined ? await startDemo() : undefined;
  running.demo = demo;
  const config = path === undefined ? checkConfig(demo?.raw, adapters, environment) : loadConfig(path, adapters, environment);
  const log = pino({ level: config.log.level }, openLogDestination(config.log.format));
  running.log = log;
  warn(config, log);
  const events = createEvents();
  running.tracing = isTracingAsked(environment) ? await startTracing(events, version, environment, log) : undefined;
  const isRecording = running.tracing !== undefined;
  const gateway = createGateway(config, adapters, log, { isDemo: demo !== undefined, events, isRecording });
  running.gateway = gateway;
  const url = await gateway.listen();
  if (path !== undefined && config.server.tls) running.tls = followTls(path, config.server.tls, gateway, log);
  say(`HPC gateway at ${url}${config.server.docs.enabled ? ` · documentation at ${url}/docs` : ''}`);
  if (demo) say(demoBanner(url));
  else say(`${path}: ${Object.keys(config.accounts).length} accounts, ${config.clusters.length} configured clusters`);
};

const explain = (error: unknown): void => {
  if (error instanceof ConfigError)
    fail(`The configuration cannot be used:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') fail(`${message}. Set PORT, or server.port in the configuration, to a free port.`);
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    fail(
      `${message}. Set HOST and PORT, or server.host and server.port in the configuration, to what this machine can listen on.`,
    );
  }
  throw error;
};

/** Serves until a signal ends it; ends the process with 1 and a reason where it cannot. */
export const serve = (options: ServeOptions = {}): Promise<void> => start(options).catch(explain);
