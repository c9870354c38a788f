#!/usr/bin/env node
/** The composition root: configuration → gateway → listen → drain on a signal. */
import { pino } from 'pino';
import { adapters } from '../adapters/index.js';
import { environment } from '../src/config/environment.js';
import { ConfigError } from '../src/config/error.js';
import { checkConfig, loadConfig } from '../src/config/load.js';
import { demoBanner, startDemo } from './demo.js';
import { createGateway } from './gateway.js';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const fail = (text: string): never => {
  process.stderr.write(`${text}\n`);
  process.exit(1);
};

const start = async (): Promise<void> => {
  const path = environment['HPC_GATEWAY_CONFIG'];
  const demo = path ? undefined : await startDemo();
  const config = path ? loadConfig(path, adapters, environment) : checkConfig(demo?.raw, adapters, environment);
  const log = pino({ level: demo && config.log.level === 'info' ? 'warn' : config.log.level }, pino.destination(2));
  const gateway = createGateway(config, adapters, log);
  const url = await gateway.listen();
  say(`HPC gateway at ${url} · documentation at ${url}/docs`);
  if (demo) say(demoBanner(url));

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    await gateway.stop();
    await demo?.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
};

start().catch((error: unknown) => {
  if (error instanceof ConfigError)
    fail(`The configuration cannot be used:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') fail(`${message}. Set PORT, or server.port in the configuration, to a free port.`);
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') fail(`The gateway cannot listen: ${message}`);
  throw error;
});
