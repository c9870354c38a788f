/** All attacks on a gateway with one kind of store. */
import { prepare } from './attackers.js';
import type { Quiet } from './bounds.js';
import { end, nextMessage, start } from './children.js';
import { type RunningGateway, startGateway } from './gateway.js';
import type { Options } from './options.js';
import { measureQuiet, type Result, runTrial } from './trial.js';
import type { Vendors } from './vendors.js';

const FULL = { attackMs: 12_000, floodMs: 60_000, recoveryMs: 10_000, quietMs: 5_000, capacityMs: 3_000 };
const QUICK = { attackMs: 3_000, floodMs: 3_000, recoveryMs: 3_000, quietMs: 1_000, capacityMs: 1_000 };
const VENDORS_MS = 20_000;
const FLOOD_FACTOR = 10;

export interface StoreReport {
  readonly store: string;
  /** Which configuration the gateway took. */
  readonly variant: string;
  readonly quiet: Quiet;
  /** Requests that it answers per second, where the flood was asked for. */
  readonly capacity: number | undefined;
  readonly results: readonly Result[];
}

/** Answers of 200 per second to callers that wait for each. */
const measureCapacity = async (gateway: RunningGateway, ms: number): Promise<number> => {
  const { statuses } = await (await prepare('capacity', gateway, ms, 0)).go();
  return ((statuses['200'] ?? 0) / ms) * 1_000;
};

export const runStage = async (
  store: string,
  { attacks, isQuick }: Options,
  say: (text: string) => void,
): Promise<StoreReport> => {
  const times = isQuick ? QUICK : FULL;
  const vendors = start('./vendors.js', ['serve']);
  const { accounts } = await nextMessage<Vendors>(vendors, VENDORS_MS);
  let gateway = await startGateway(accounts, store);
  say(`${store}: gateway on port ${gateway.port}, ${gateway.variant}`);
  let quiet = await measureQuiet(gateway, times.quietMs);
  const first = { quiet, variant: gateway.variant };
  const results: Result[] = [];
  let capacity: number | undefined;
  for (const name of attacks) {
    if (results.at(-1)?.recovered === false) {
      // The next attack is judged alone.
      await gateway.stop();
      gateway = await startGateway(accounts, store);
      quiet = await measureQuiet(gateway, times.quietMs);
    }
    if (name === 'flood') capacity = await measureCapacity(gateway, times.capacityMs);
    const attackMs = name === 'flood' ? times.floodMs : times.attackMs;
    const rate = (capacity ?? 0) * FLOOD_FACTOR;
    const result = await runTrial(name, gateway, quiet, { attackMs, recoveryMs: times.recoveryMs }, rate);
    say(`${store}: ${name}: ${result.isWithinBounds ? 'within bounds' : 'OUT OF BOUNDS'}`);
    results.push(result);
  }
  await gateway.stop();
  await end(vendors);
  return { store, ...first, capacity, results };
};
