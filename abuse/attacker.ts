/** One attacker in a process of its own: prepares one order, carries it out when the parent says so, reports and ends. */
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { ORDERS } from './attacks/index.js';
import { newTally } from './attacks/sockets.js';
import type { Order } from './types.js';

/** Below the measuring client: with few cores, the attacker's own work must not look like a slow gateway. */
const NICENESS = 10;
/** An attacker that does not end by then ends without a report. */
const GRACE_MS = 60_000;

process.on('disconnect', () => process.exit(1));
const order = JSON.parse(process.argv[2] ?? '{}') as Order;
setTimeout(() => process.exit(2), order.ms + GRACE_MS).unref();
setPriority(NICENESS);
const run = ORDERS[order.attack]?.prepare(order);
process.send?.('ready');
await once(process, 'message');
const tally = newTally();
await run?.(tally);
process.send?.(tally, () => process.exit(0));
