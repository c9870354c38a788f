import type { Attack } from '../types.js';
import { bombsOf, invalidBatches, wideBodies, wideHeads } from './bodies.js';
import { capacity, flood } from './flood.js';
import { pipelining } from './pipelining.js';
import { idleConnections, slowBody, slowHeaders, slowReader } from './slow.js';

/** In the order in which they run. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'slow-headers': slowHeaders,
  'slow-body': slowBody,
  'slow-reader': slowReader,
  pipelining,
  'idle-connections': idleConnections,
  'bombs-gzip': bombsOf('gzip'),
  'bombs-deflate': bombsOf('deflate'),
  'bombs-br': bombsOf('br'),
  'wide-bodies': wideBodies,
  'wide-heads': wideHeads,
  'invalid-batches': invalidBatches,
  flood,
};

/** What an attacker process can do: the attacks, and measuring. */
export const ORDERS: Readonly<Record<string, Attack>> = { ...ATTACKS, capacity };
