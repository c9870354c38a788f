/** How long the event loop of the gateway is blocked, as seen from outside: the time of `/healthz` on a connection of its own. */
import { Agent } from 'node:http';
import { timed } from './legitimate.js';
import type { Target } from './types.js';

const EVERY_MS = 20;

export interface Probe {
  /** The longest answer since the last call, in milliseconds. */
  takeLongest(): number;
  stop(): void;
}

export const startProbe = (target: Target): Probe => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let longest = 0;
  let since: number | undefined;
  const timer = setInterval(async () => {
    if (since !== undefined) return;
    since = performance.now();
    const { ms } = await timed(target, { method: 'GET', path: '/healthz' }, agent);
    longest = Math.max(longest, ms);
    since = undefined;
  }, EVERY_MS);
  return {
    takeLongest: () => {
      // One that is still without an answer counts for what it has taken so far.
      const taken = Math.max(longest, since === undefined ? 0 : performance.now() - since);
      longest = 0;
      return taken;
    },
    stop: () => {
      clearInterval(timer);
      agent.destroy();
    },
  };
};
