import type { StoreConfig } from '../config/schema.js';
import { redisUrlOf } from './open.js';
import { connect } from './redis.js';

/** A connection for what gateways count together, apart from the store's: what is counted must not hold up what is stored. */
export interface Counters {
  readonly client: unknown;
  close(): void;
}

/** Undefined where one process has the store to itself. */
export const openCounters = (config: StoreConfig): Counters | undefined => {
  if (config.kind !== 'redis') return undefined;
  const client = connect(redisUrlOf(config));
  // The store reports what is wrong with the server.
  client.on('error', () => undefined);
  return { client, close: () => client.disconnect() };
};
