#!/usr/bin/env node
/** The composition root: configuration → gateway → listen → drain on a signal. */
import { type Logger, pino } from 'pino';
import { adapters } from '../adapters/index.js';
import { environment, KNOWN_VARIABLES, unknownVariables } from '../src/config/environment.js';
import { ConfigError } from '../src/config/error.js';
import { checkConfig, loadConfig } from '../src/config/load.js';
import { isLoopback } from '../src/config/loopback.js';
import type { GatewayConfig } from '../src/config/schema.js';
import { didYouMean } from '../src/nearest.js';
import { type Demo, demoBanner, startDemo } from './demo.js';
import { createGateway, type Gateway } from './gateway.js';

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
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  // Its default action would end the process.
  process.on('SIGHUP', () => running.log?.warn('SIGHUP is ignored: restart the gateway to load a changed configuration'));
};

/** Undefined for the demo. */
const configPath = (): string | undefined => {
  if (process.argv.length > 2)
    fail('The gateway takes no arguments. HPC_GATEWAY_CONFIG names its configuration, HOST and PORT override it.');
  const unknown = unknownVariables(environment).map(
    (name) => `${name} is not a known variable.${didYouMean(name, KNOWN_VARIABLES)}`,
  );
  if (unknown.length > 0) fail(unknown.join('\n'));
  const { HPC_GATEWAY_CONFIG: path, HPC_GATEWAY_DEMO: demo, NODE_ENV: mode } = environment;
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

const warn = ({ server, accounts, clusters }: GatewayConfig, log: Logger): void => {
  if (!isLoopback(server.host))
    log.warn({ host: server.host }, 'listening beyond this machine: the gateway does not authenticate callers');
  const discovering = Object.values(accounts).some(({ discover }) => discover);
  if (clusters.length === 0 && !discovering)
    log.warn('no cluster is served: name clusters, or set discover: true for an account');
};

const start = async (): Promise<void> => {
  const running: Running = {};
  stopOnSignals(running);
  const path = configPath();
  const demo = path === undefined ? await startDemo() : undefined;
  running.demo = demo;
  const config = path === undefined ? checkConfig(demo?.raw, adapters, environment) : loadConfig(path, adapters, environment);
  const log = pino({ level: config.log.level }, pino.destination(2));
  running.log = log;
  warn(config, log);
  const gateway = createGateway(config, adapters, log, { isDemo: demo !== undefined });
  running.gateway = gateway;
  const url = await gateway.listen();
  say(`HPC gateway at ${url}${config.server.docs.enabled ? ` · documentation at ${url}/docs` : ''}`);
  if (demo) say(demoBanner(url));
  else say(`${path}: ${Object.keys(config.accounts).length} accounts, ${config.clusters.length} configured clusters`);
};

start().catch((error: unknown) => {
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
});
