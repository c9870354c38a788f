import { pino } from 'pino';
import { adapters } from '../adapters/index.js';
import { createGateway, type Gateway } from '../api/gateway.js';
import { checkConfig } from '../src/config/load.js';

/** Benchmarks measure the work, not what strangers are refused. */
const UNLIMITED = { maxRequestsInFlight: 100_000, maxConnections: 100_000 };

/** A quiet gateway on a free port. */
export const serve = async (raw: object): Promise<{ url: string; gateway: Gateway }> => {
  // What is kept would hide what reading costs.
  const basis = { store: { kind: 'memory' }, cache: { seconds: 0 }, limits: UNLIMITED };
  const config = checkConfig({ ...basis, ...raw, server: { port: 0, drainSeconds: 1 } }, adapters, {});
  const gateway = createGateway(config, adapters, pino({ level: 'silent' }));
  return { url: await gateway.listen(), gateway };
};
