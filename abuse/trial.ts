/** One attack on a running gateway, and what it did to the legitimate client and to the gateway. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { prepare } from './attackers.js';
import { sleep } from './attacks/sockets.js';
import { isRecovered, isWithinBounds, type Quiet, type Recovery } from './bounds.js';
import type { RunningGateway } from './gateway.js';
import { type Latencies, latenciesOf } from './latencies.js';
import { startClient } from './legitimate.js';
import { startProbe } from './probe.js';
import type { Tally } from './types.js';
import { connectionsTo, cpuOf, rssOf } from './usage.js';

const SAMPLE_MS = 100;
/** The last part of the recovery: by then all has to be as before. */
const CHECKED_MS = 3_000;
const CLOSED_MS = 500;
/** By then the kept connections are open. */
const KEPT_MS = 1_000;
const NS_PER_MS = 1e6;

export interface Result {
  readonly attack: string;
  readonly legitimate: Latencies;
  /** Of the above, by how they came. */
  readonly fresh: Latencies;
  readonly kept: Latencies;
  readonly rssPeakOverIdle: number;
  readonly cpuSeconds: number;
  readonly longestGapMs: number;
  /** Of the measuring loop itself; the gateway looks slower by as much. */
  readonly ownGapMs: number;
  readonly isAlive: boolean;
  readonly recovery: Recovery;
  readonly recovered: boolean;
  readonly isWithinBounds: boolean;
  readonly attackers: Tally;
}

export interface Times {
  readonly attackMs: number;
  readonly recoveryMs: number;
}

/** The peak of the resident memory. */
const watchRss = (pid: number) => {
  let peak = rssOf(pid) ?? 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, rssOf(pid) ?? 0);
  }, SAMPLE_MS);
  return { peak: () => peak, stop: () => clearInterval(timer) };
};

export const measureQuiet = async (gateway: RunningGateway, ms: number): Promise<Quiet> => {
  const target = gateway.targetOf('legitimate');
  const warmUp = startClient(target);
  await sleep(ms);
  await warmUp.stop();
  const [client, probe] = [startClient(target), startProbe(target)];
  await sleep(ms);
  const longestGapMs = probe.takeLongest();
  probe.stop();
  await client.stop();
  return { rss: rssOf(gateway.pid) ?? 0, legitimate: latenciesOf(client.samples), longestGapMs };
};

/** @param rate requests per second, for the flood */
export const runTrial = async (
  name: string,
  gateway: RunningGateway,
  quiet: Quiet,
  { attackMs, recoveryMs }: Times,
  rate: number,
): Promise<Result> => {
  const attackers = await prepare(name, gateway, attackMs, rate);
  const target = gateway.targetOf('legitimate');
  const [client, probe, rss] = [startClient(target), startProbe(target), watchRss(gateway.pid)];
  await sleep(KEPT_MS);
  probe.takeLongest();
  const ownDelay = monitorEventLoopDelay({ resolution: 10 });
  ownDelay.enable();
  const cpu = cpuOf(gateway.pid);
  const attackStart = performance.now();
  const tally = await attackers.go();
  const attackEnd = performance.now();
  const cpuSeconds = Math.max(0, cpuOf(gateway.pid) - cpu);
  const longestGapMs = probe.takeLongest();
  const ownGapMs = ownDelay.max / NS_PER_MS;
  ownDelay.disable();
  await sleep(recoveryMs);
  const isAlive = gateway.isRunning();
  rss.stop();
  probe.stop();
  const checkedFrom = performance.now() - Math.min(CHECKED_MS, recoveryMs / 2);
  await client.stop();
  await sleep(CLOSED_MS);
  const recovery: Recovery = {
    legitimate: latenciesOf(client.samples.filter(({ at }) => at >= checkedFrom)),
    rssOverIdle: (rssOf(gateway.pid) ?? 0) - quiet.rss,
    connections: connectionsTo(gateway.port),
  };
  const during = client.samples.filter(({ at }) => at >= attackStart && at < attackEnd);
  const legitimate = latenciesOf(during);
  const rssPeakOverIdle = rss.peak() - quiet.rss;
  const recovered = isAlive && isRecovered(recovery, quiet);
  return {
    attack: name,
    legitimate,
    fresh: latenciesOf(during.filter(({ connection }) => connection === 'fresh')),
    kept: latenciesOf(during.filter(({ connection }) => connection === 'kept')),
    rssPeakOverIdle,
    cpuSeconds,
    longestGapMs,
    ownGapMs,
    isAlive,
    recovery,
    recovered,
    isWithinBounds: isWithinBounds({ legitimate, rssPeakOverIdle, recovered }),
    attackers: tally,
  };
};
