/** An attack in as many processes as its connections need. */
import type { ChildProcess } from 'node:child_process';
import { ORDERS } from './attacks/index.js';
import { newTally } from './attacks/sockets.js';
import { end, nextMessage, start } from './children.js';
import type { RunningGateway } from './gateway.js';
import type { Order, Tally } from './types.js';
import { maxFiles } from './usage.js';

const MAX_PROCESSES = 16;
/** Files of an attacker that are no connections of the attack. */
const OWN_FILES = 100;
const MAX_CONNECTIONS_A_PROCESS = 5_000;
const READY_MS = 60_000;
const REPORT_MS = 20_000;

const add = (total: Tally, { opened, cut, sent, statuses, kinds }: Tally): Tally => {
  total.opened += opened;
  total.cut += cut;
  total.sent += sent;
  for (const [status, count] of Object.entries(statuses)) total.statuses[status] = (total.statuses[status] ?? 0) + count;
  Object.assign(total.kinds, kinds);
  return total;
};

export interface Attackers {
  /** Resolves with what they did, when they have ended. */
  go(): Promise<Tally>;
}

/** Starts the processes and waits until all are ready. @param rate requests per second, for the flood */
export const prepare = async (name: string, gateway: RunningGateway, ms: number, rate: number): Promise<Attackers> => {
  const known = ORDERS[name];
  if (known === undefined) throw new Error(`There is no attack ${name}.`);
  const maxConnections = Math.min(MAX_CONNECTIONS_A_PROCESS, maxFiles() - OWN_FILES);
  const parts = Math.min(MAX_PROCESSES, Math.ceil(known.connections / maxConnections));
  const target = gateway.targetOf(known.caller);
  const children = Array.from({ length: parts }, (_, part) => {
    const order: Order = { attack: name, target, ms, part, parts, maxConnections, rate };
    return start('./attacker.js', [JSON.stringify(order)]);
  });
  await Promise.all(children.map((child) => nextMessage(child, READY_MS)));
  const report = async (child: ChildProcess): Promise<Tally> => {
    child.send('go');
    const tally = await nextMessage<Tally>(child, ms + REPORT_MS);
    await end(child);
    return tally;
  };
  return { go: async () => (await Promise.all(children.map(report))).reduce(add, newTally()) };
};
