/** One vendor and one gateway in front of it, on one fast clock; the gateway can die and be followed by another on the same store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import type { CallRecord, Effect, Simulator } from '../../simulators/kit/index.js';
import { startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { createEncryptor } from '../../src/store/encryptor.js';
import { ehpcAccount, shanheAccount } from '../support/backends.js';
import { fastClock } from '../support/fast-clock.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { createSharedServer, type Link } from '../support/shared-server.js';
import { pause } from '../support/wait.js';
import { NAMES, type Role, type Setup, type Trouble } from './plan.js';

/** How much faster than real time all clocks run. */
export const SPEED = 20;
/** A late effect comes within 30 ms, which are 0.6 s of this clock. */
export const SETTLE_SECONDS = 2;
/** Of this clock: a busy machine renews in time. */
const LEASE_SECONDS = 12;
const NOTICED_MS = (LEASE_SECONDS + 2) * 1_000;
const ARRIVED_MS = 1_000;
/** Longer than a reading takes: what a vendor does later than it answers shows. */
const JOB_MS = 25;
const LISTING_MS = 5;

export const CLUSTER = 'main';
const VENDOR_CLUSTER = { 'alibaba-ehpc': 'ehpc-hz-model00001', 'shanhe-hpc': 'ehpc-model001' } as const;

export interface World {
  readonly setup: Setup;
  readonly simulator: Simulator;
  /** The id of the cluster at the vendor. */
  readonly clusterId: string;
  /** @param which of two */
  gateway(which?: 0 | 1): TestGateway;
  /** Resolves when it is over. */
  trouble(trouble: Trouble): Promise<void>;
  /** What the vendor's clock shows, in milliseconds since 1970. */
  vendorNow(): number;
  /** Waits for so long by the fast clock. */
  pass(ms: number): Promise<void>;
  /** The users as they are now at the vendor. */
  users(): Promise<ReadonlyMap<string, Role>>;
  calls(): readonly CallRecord[];
  effects(): readonly Effect[];
  /** The gateway dies, and another one takes over its store. */
  crash(which?: 0 | 1): Promise<void>;
  /** All that the gateways have logged. */
  logged(): string;
  secrets(): readonly string[];
  close(): Promise<void>;
}

const LONG_AGO = '2024-03-05T08:00:00.000Z';

const otherNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `other${String(index).padStart(3, '0')}`);

const startVendor = async (setup: Setup, now: () => Date) => {
  const pool = NAMES.filter((_, index) => setup.present[index]);
  // The pool stands among the others, so that listings have to be read to the end.
  const others = otherNames(setup.others);
  const half = Math.ceil(others.length / 2);
  const usernames = [...others.slice(0, half), ...pool, ...others.slice(half)];
  const id = VENDOR_CLUSTER[setup.vendor];
  if (setup.vendor === 'alibaba-ehpc') {
    const users = usernames.map((name) => ({ name, group: 'users' as const, addTime: LONG_AGO }));
    const clusters = [{ id, name: 'model', status: 'running', users }];
    const simulator = await startAlibabaEhpc({ now, clusters, asyncDelayMs: LISTING_MS, quirks: setup.quirks });
    return { simulator, account: { ...ehpcAccount(simulator), listing: setup.listing }, secret: simulator.accessKeySecret };
  }
  const users = usernames.map((username) => ({ username, role: 'member' as const, createTime: LONG_AGO }));
  const clusters = [{ id, name: 'model', type: 'ehpc' as const, status: 'active', users }];
  const simulator = await startShanheHpc({ now, clusters, jobMs: JOB_MS, quirks: setup.quirks });
  return { simulator, account: shanheAccount(simulator), secret: simulator.secretAccessKey };
};

/** A user as the simulator's side door shows them. */
interface Shown {
  readonly name?: string;
  readonly username?: string;
  readonly group?: string;
}

export const startWorld = async (setup: Setup, { durable }: { readonly durable: boolean }): Promise<World> => {
  const clock = fastClock(SPEED);
  const { simulator, account, secret } = await startVendor(setup, () => new Date(clock.now()));
  simulator.setClockSkew(setup.skewMs, { dateMs: setup.dateMs });
  const folder = durable && !setup.shared ? mkdtempSync(join(tmpdir(), 'gateway-model-')) : undefined;
  const clusterId = VENDOR_CLUSTER[setup.vendor];
  const raw = {
    server: { settleSeconds: SETTLE_SECONDS, drainSeconds: 0, deadlineSeconds: 30 },
    store:
      folder === undefined ? { kind: 'memory', leaseSeconds: LEASE_SECONDS } : { kind: 'lmdb', path: folder, leaseSeconds: 0.5 },
    accounts: { a: account },
    clusters: [{ id: CLUSTER, account: 'a', vendorClusterId: clusterId }],
  };
  const server = createSharedServer(clock);
  const links: Link[] = [];
  const logs: string[] = [];

  const start = (which: 0 | 1): Promise<TestGateway> => {
    if (!setup.shared) return startGateway(raw, { clock });
    const link = server.open();
    links[which] = link;
    return startGateway(raw, { clock, opened: { store: link.store, encryptor: createEncryptor(Buffer.alloc(32, 7)) } });
  };
  const gateways = [await start(0), ...(setup.shared ? [await start(1)] : [])];

  const stop = async (gateway: TestGateway): Promise<void> => {
    await gateway.stop();
    logs.push(gateway.logged());
  };

  return {
    setup,
    simulator,
    clusterId,
    gateway: (which = 0) => gateways[which] as TestGateway,
    trouble: async ({ kind, who, atMs, forMs }) => {
      await pause(atMs);
      const link = links[who] as Link;
      if (kind === 'failover') server.lag();
      else link.state = kind;
      await pause(forMs);
      link.state = 'well';
      if (kind === 'failover') server.failOver();
      // Whoever holds the domain notices within a third of its lease, and stores what it knows.
      if (kind === 'failover') await clock.sleep(NOTICED_MS);
    },
    vendorNow: () => clock.now() + setup.skewMs,
    pass: (ms) => clock.sleep(ms),
    users: async () => {
      const { origin } = new URL(simulator.endpoint);
      const answer = await fetch(`${origin}/_simulator/users?clusterId=${clusterId}`);
      const users = (await answer.json()) as readonly Shown[];
      return new Map(users.map(({ name, username, group }) => [name ?? username ?? '', group === 'wheel' ? 'admin' : 'member']));
    },
    calls: () => simulator.calls,
    effects: () => simulator.journal,
    crash: async (which = 0) => {
      const link = links[which];
      if (link) link.isDead = true;
      await stop(gateways[which] as TestGateway);
      gateways[which] = await start(which);
      // What the dead one had sent to the store arrives.
      if (setup.shared) await clock.sleep(ARRIVED_MS);
    },
    logged: () => [...logs, ...gateways.map((gateway) => gateway.logged())].join('\n'),
    secrets: () => [secret],
    close: async () => {
      await Promise.all(gateways.map(stop));
      await simulator.close();
      if (folder !== undefined) rmSync(folder, { recursive: true });
    },
  };
};
