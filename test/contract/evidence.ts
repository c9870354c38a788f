/** One simulated vendor behind a gateway, for tests that compare reports about users with what the vendor did. */
import { expect } from '@jest/globals';
import type { AlibabaEhpcOptions, AlibabaEhpcSimulator } from '../../simulators/alibaba-ehpc/index.js';
import type { Fault, Simulator } from '../../simulators/kit/index.js';
import type { ShanheHpcOptions, ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import {
  CLUSTER,
  EHPC_CLUSTER,
  ehpcAccount,
  SHANHE_CLUSTER,
  shanheAccount,
  startEhpc,
  startShanhe,
} from '../support/backends.js';
import { fastClock } from '../support/fast-clock.js';
import { startGateway, type TestAnswer, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

export const USERS = `/clusters/${CLUSTER}/users`;
export const PASSWORD = 'Abcdefg1@klmn';
export const OTHER_PASSWORD = 'Another7@pass';

export interface Item {
  readonly op: 'create' | 'update' | 'delete';
  readonly username: string;
  readonly password?: string;
  readonly role?: string;
}

export const creating = (username: string, password = PASSWORD): Item => ({ op: 'create', username, password });
export const deleting = (username: string): Item => ({ op: 'delete', username });

let fresh = 0;
/** Names that fit every vendor. */
export const newName = (): string => `ev${String(++fresh).padStart(6, '0')}`;
export const newNames = (count: number): string[] => Array.from({ length: count }, newName);

export const seconds = (count: number): number => count * 1_000;
export const minutes = (count: number): number => count * 60_000;

export interface Settings {
  /** How many times as fast as usual the clocks of the gateway and of the vendor run. */
  readonly speed?: number;
  readonly account?: object;
  readonly server?: object;
  readonly store?: object;
}

export interface Scene<Sim extends Simulator = Simulator> {
  readonly simulator: Sim;
  readonly gateway: TestGateway;
  /** The vendor's id of the cluster. */
  readonly cluster: string;
  /** Real milliseconds of a fault that lasts so long by the clock of the gateway. */
  real(ms: number): number;
  inject(...faults: Fault[]): void;
  create(username: string, headers?: Record<string, string>): Promise<TestAnswer>;
  remove(username: string, headers?: Record<string, string>): Promise<TestAnswer>;
  batch(items: readonly Item[], more?: object): Promise<TestAnswer>;
  /** Starts a batch and does not wait for its end. @returns the path of its operation */
  begin(items: readonly Item[]): Promise<string>;
  /** The operation at its end. */
  end(path: string): Promise<TestAnswer>;
  calls(action?: string): number;
  effects(username: string): string[];
  opens(username: string, password: string): boolean;
  /** Another gateway over the same vendor. */
  restart(more?: Settings): Promise<void>;
}

const cleanups: (() => Promise<void> | void)[] = [];

/** For `afterEach`. */
export const cleanUp = async (): Promise<void> => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
};
export const atCleanUp = (cleanup: () => Promise<void> | void): void => void cleanups.push(cleanup);

const sceneOf = async <Sim extends Simulator>(
  simulator: Sim,
  account: object,
  cluster: string,
  settings: Settings,
): Promise<Scene<Sim>> => {
  const speed = settings.speed ?? 1;
  const start = (more: Settings): Promise<TestGateway> =>
    startGateway(
      {
        accounts: { main: { ...account, ...settings.account, ...more.account } },
        clusters: [{ id: CLUSTER, account: 'main', vendorClusterId: cluster }],
        server: { settleSeconds: 0.5, drainSeconds: 0, ...settings.server, ...more.server },
        ...((more.store ?? settings.store) && { store: more.store ?? settings.store }),
      },
      speed === 1 ? {} : { speed },
    );
  let gateway = await start({});
  cleanups.push(
    () => simulator.close(),
    () => gateway.stop(),
  );
  return {
    simulator,
    get gateway() {
      return gateway;
    },
    cluster,
    real: (ms) => Math.ceil(ms / speed),
    inject: (...faults) => {
      for (const fault of faults) simulator.inject(fault);
    },
    create: (username, headers = {}) => gateway.request('POST', USERS, { body: { username, password: PASSWORD }, headers }),
    remove: (username, headers = {}) => gateway.request('DELETE', `${USERS}/${username}`, { headers }),
    batch: (items, more = {}) => gateway.post(`${USERS}/batch`, { items, ...more }),
    begin: async (items) => {
      const { status, headers } = await gateway.request('POST', `${USERS}/batch`, {
        body: { items },
        headers: { prefer: 'respond-async' },
      });
      expect(status).toBe(202);
      return headers.get('location') as string;
    },
    end: (path) =>
      until(
        () => gateway.get(path),
        ({ body }) => body.finishedAt !== null,
      ),
    calls: (action) => simulator.calls.filter((call) => action === undefined || call.action === action).length,
    effects: (username) => simulator.journal.filter((effect) => effect.username === username).map(({ effect }) => effect),
    opens: (username, password) => simulator.checkPassword(cluster, username, password),
    restart: async (more = {}) => {
      await gateway.stop();
      gateway = await start(more);
    },
  };
};

/** The vendor's clock runs as fast as the gateway's. */
const clockOf = ({ speed = 1 }: Settings): { now?: () => Date } => {
  if (speed === 1) return {};
  const clock = fastClock(speed);
  return { now: () => new Date(clock.now()) };
};

export const onEhpc = async (settings: Settings = {}, options: AlibabaEhpcOptions = {}): Promise<Scene<AlibabaEhpcSimulator>> => {
  const simulator = await startEhpc({ ...clockOf(settings), ...options });
  return sceneOf(simulator, { ...ehpcAccount(simulator), listing: 'sync' }, EHPC_CLUSTER, settings);
};

export const onShanhe = async (settings: Settings = {}, options: ShanheHpcOptions = {}): Promise<Scene<ShanheHpcSimulator>> => {
  const simulator = await startShanhe({ ...clockOf(settings), ...options });
  return sceneOf(simulator, shanheAccount(simulator), SHANHE_CLUSTER, settings);
};

/** A cluster of E-HPC with so many users, made long ago. */
export const ehpcWith = (count: number): Pick<AlibabaEhpcOptions, 'clusters'> => ({
  clusters: [
    {
      id: EHPC_CLUSTER,
      name: 'large',
      status: 'running',
      users: Array.from({ length: count }, (_, index) => ({
        name: `user.${String(index).padStart(5, '0')}`,
        group: 'users' as const,
        addTime: '2024-03-05T08:00:00.000Z',
      })),
    },
  ],
});

export const shanheWith = (count: number): Pick<ShanheHpcOptions, 'clusters'> => ({
  clusters: [
    {
      id: SHANHE_CLUSTER,
      name: 'large',
      type: 'ehpc',
      status: 'active',
      users: Array.from({ length: count }, (_, index) => ({
        username: `u${String(index).padStart(5, '0')}`,
        role: index === 0 ? ('admin' as const) : ('member' as const),
      })),
    },
  ],
});

export const statusesOf = ({ body }: TestAnswer): string[] =>
  (body.results as readonly { readonly status: string }[]).map(({ status }) => status);

/** How many results have each status. */
export const tally = (answer: TestAnswer): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const status of statusesOf(answer)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};
