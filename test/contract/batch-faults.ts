/** What the results of a batch say when the vendor fails, against what really happened. Cases that both vendors owe. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Fault, Simulator } from '../../simulators/kit/index.js';
import type { Clock } from '../../src/clock.js';
import { type Backend, backendNamed, CLUSTER } from '../support/backends.js';
import { fastClock } from '../support/fast-clock.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';
import { agrees, answersInOrder, BATCH, type Item, type Result, statuses } from './batches.js';

export interface Vendor {
  readonly backend: string;
  readonly add: string;
  readonly remove: string;
  readonly list: string;
  /** Long enough for what a lost call may still bring about. */
  readonly settleSeconds: number;
  /** Users of a batch here. */
  readonly many: number;
  /** The vendor's code for a value that it does not take. */
  readonly invalid: string;
  /** The vendor's code for a key that it does not know. */
  readonly badKey: string;
  /** The vendor's word for a cluster that is not ready. */
  readonly stopped: string;
  /** A simulator whose cluster's state can be changed. */
  start(cluster: { status: string }, now: () => Date): Promise<Simulator>;
  readonly account: (simulator: Simulator) => object;
  readonly vendorClusterId: string;
}

export interface Stage {
  readonly backend: Backend;
  simulator: Simulator;
  gateway: TestGateway;
  /** The vendor's own record of the cluster: what is written here is so from now on. */
  cluster: { status: string };
  restart(server: Changed): Promise<void>;
  create(username: string, password?: string): Item;
  names(count: number): string[];
  calls(action: string): number;
  /** Sends a batch, and compares what it tells with what happened. */
  send(items: readonly Item[]): Promise<Result[]>;
}

/** Settings of the server; seconds are real ones. */
interface Changed {
  readonly settleSeconds?: number;
  readonly jobSeconds?: number;
}

/** How fast the clock of the gateway and of the vendor runs. */
const SPEED = 6;

/** A simulator and a gateway for each test. */
export const stageOf = (vendor: Vendor): Stage => {
  const backend = backendNamed(vendor.backend);
  let clock: Clock;
  /** In real seconds: waits of the gateway pass faster, calls of the vendor do not. */
  const serverOf = ({ settleSeconds = vendor.settleSeconds, jobSeconds = 10, ...changed }: Changed) => ({
    drainSeconds: 0,
    deadlineSeconds: 600,
    ...changed,
    settleSeconds: settleSeconds * SPEED,
    jobSeconds: jobSeconds * SPEED,
  });
  const begin = async (changed: Changed): Promise<TestGateway> =>
    startGateway({ ...raw(), server: serverOf(changed) }, { clock });
  const raw = () => ({
    accounts: { main: vendor.account(stage.simulator) },
    clusters: [{ id: CLUSTER, account: 'main', vendorClusterId: vendor.vendorClusterId }],
  });
  const stage = {
    backend,
    restart: async (changed: Changed) => {
      await stage.gateway.stop();
      stage.gateway = await begin(changed);
    },
    create: (username: string, password = backend.password): Item => ({ op: 'create', username, password }),
    names: (count: number) => Array.from({ length: count }, () => backend.newName()),
    calls: (action: string) => stage.simulator.calls.filter((call) => call.action === action).length,
    send: async (items: readonly Item[]) => {
      const since = stage.simulator.journal.length;
      const { status, body, text } = await stage.gateway.post(BATCH, { items });
      expect(status).toBe(200);
      answersInOrder(items, body);
      agrees(body.results, stage.simulator.journal.slice(since));
      expect(text).not.toContain(backend.password);
      expect(stage.gateway.logged()).not.toContain(backend.password);
      return body.results as Result[];
    },
  } as Stage;
  beforeEach(async () => {
    stage.cluster = { status: '' };
    clock = fastClock(SPEED);
    stage.simulator = await vendor.start(stage.cluster, () => new Date(clock.now()));
    stage.gateway = await begin({});
  });
  afterEach(async () => {
    await stage.gateway.stop();
    await stage.simulator.close();
  });
  return stage;
};

export const counted = (results: readonly Result[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const status of statuses(results)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** Cases with the same end at every vendor. */
export const batchFaults = (vendor: Vendor, stage: Stage): void => {
  const { add, remove, list, many } = vendor;
  /** One user a call. */
  const alone = many < 100;
  const { create, names, send } = stage;
  const inject = (fault: Fault) => stage.simulator.inject(fault);
  const seeded = (count: number): string[] => stage.backend.seeded.slice(10, 10 + count) as string[];

  it.each(['reset_after', 'cut_json'] as const)('finds the users of a call whose answer was lost (%s)', async (kind) => {
    inject({ kind, action: add });
    expect(counted(await send(names(many).map((name) => create(name))))).toEqual({ created: many });
  });

  it.each(['reset_after', 'cut_json'] as const)('finds users gone whose delete had no answer (%s)', async (kind) => {
    inject({ kind, action: remove });
    const items = seeded(many).map((username): Item => ({ op: 'delete', username }));
    expect(counted(await send(items))).toEqual({ deleted: many });
  });

  it('waits where the vendor throttles', async () => {
    inject({ kind: 'throttle', action: add, skip: 1, times: 4, retryAfterSeconds: 1 });
    expect(counted(await send(names(many + 5).map((name) => create(name))))).toEqual({ created: many + 5 });
  });

  it('names the one item that the vendor does not take', async () => {
    const users = names(many);
    const username = users[Math.floor(many / 3)] as string;
    inject({ kind: 'vendor_error', code: vendor.invalid, action: add, username, times: -1 });
    const results = await send(users.map((name) => create(name)));
    expect(counted(results)).toEqual({ created: many - 1, refused: 1 });
    expect(results.find((result) => result.username === username)).toMatchObject({
      status: 'refused',
      problem: { code: 'invalid_user' },
    });
    expect(await send([create(username)])).toMatchObject([{ status: 'refused' }]);
  });

  it('fails the one item on which the vendor breaks the connection each time', async () => {
    const users = names(many);
    const username = users[many - 2] as string;
    inject({ kind: 'reset_before', action: add, username, times: -1 });
    const results = await send(users.map((name) => create(name)));
    expect(counted(results)).toEqual({ created: many - 1, failed: 1 });
    expect(results[many - 2]).toMatchObject({ status: 'failed', problem: { code: 'vendor_unavailable', retryable: true } });
  });

  it('finds the one name that is taken', async () => {
    const taken = seeded(1)[0] as string;
    const items = [...names(many - 1), taken].map((name) => create(name));
    expect(counted(await send(items))).toEqual({ created: many - 1, already_exists: 1 });
    expect(stage.calls(add)).toBeLessThanOrEqual(alone ? many : 3);
    expect(stage.simulator.checkPassword(vendor.vendorClusterId, taken, stage.backend.password)).toBe(false);
  });

  it('finds the one user that is not there to be deleted', async () => {
    const nobody = stage.backend.newName();
    const items = [...seeded(many - 1), nobody].map((username): Item => ({ op: 'delete', username }));
    const results = await send(items);
    expect(counted(results)).toEqual({ deleted: many - 1, not_found: 1 });
    expect(results.at(-1)).toMatchObject({ username: nobody, status: 'not_found' });
  });

  it('knows nothing of the items of a lost call when the cluster cannot be read back', async () => {
    const users = names(many + 3);
    inject({ kind: 'reset_after', action: add });
    inject({ kind: 'http_status', status: 500, action: list, times: -1 });
    const results = await send(users.map((name) => create(name)));
    const lost = alone ? 1 : 100;
    expect(counted(results)).toEqual({ unknown: lost, created: many + 3 - lost });
    expect(results.find(({ status }) => status === 'unknown')?.problem?.detail).toContain('could not be read back');
  });

  it('stops at a key that the vendor no longer takes, and says so for all that was not sent', async () => {
    const users = names(many * 3);
    inject({ kind: 'vendor_error', code: vendor.badKey, action: add, skip: 1, times: -1 });
    const results = await send(users.map((name) => create(name)));
    const done = alone ? 1 : 100;
    expect(counted(results)).toEqual({ created: done, failed: many * 3 - done });
    const codes = results.filter(({ status }) => status === 'failed').map(({ problem }) => problem?.code);
    expect(new Set(codes)).toEqual(new Set(['vendor_credentials_rejected']));
    expect(stage.calls(add)).toBeLessThanOrEqual(10);
  });

  it.each(['http_status', 'html'] as const)('lives through an outage of the whole vendor (%s)', async (kind) => {
    await stage.restart({ settleSeconds: 2 });
    inject({ kind, status: 503, skip: 2, times: 6 });
    const results = await send(names(many * 2).map((name) => create(name)));
    const { created = 0, failed = 0 } = counted(results);
    expect([created, failed]).toEqual([many * 2, 0]);
    for (const { problem } of results)
      if (problem) expect([problem.code, problem.retryable]).toEqual(['vendor_unavailable', true]);
  });

  // Where batches have several calls under way, this would not end, nor would anything else in the process: the operation that waits
  // for the other one to let go of a user never gives up its turn.
  it('gives each user to one of two batches at once', async () => {
    inject({ kind: 'delay', delayMs: 50, action: add, times: 2 });
    const items = names(many).map((name) => create(name));
    // The same batch of the same caller would be joined.
    const sent = [{ items }, { items, stopOnError: false }].map((body) => stage.gateway.request('POST', BATCH, { body }));
    const answers = await Promise.all(sent);
    const results = answers.flatMap(({ body }) => body.results as Result[]);
    expect(counted(results)).toEqual({ created: many, already_exists: many });
    agrees(results, stage.simulator.journal);
  });

  it('stops when the cluster is no longer ready, and says so for all that was not done', async () => {
    inject({ kind: 'delay', delayMs: 150, action: add, times: -1 });
    const sent = send(names(many * 3).map((name) => create(name)));
    await until(() => stage.simulator.journal.length > 0);
    stage.cluster.status = vendor.stopped;
    const results = await sent;
    const { created = 0, failed = 0 } = counted(results);
    expect([created > 0, failed > 0, created + failed]).toEqual([true, true, many * 3]);
    const codes = results.filter(({ status }) => status === 'failed').map(({ problem }) => problem?.code);
    expect(new Set(codes)).toEqual(new Set(['cluster_not_ready']));
    expect(stage.calls(add)).toBeLessThanOrEqual(many * 2);
  });

  it('does not claim the second of two creates of one name for its own when the answer is lost', async () => {
    const username = stage.backend.newName();
    inject({ kind: 'reset_before', action: add, skip: 1 });
    const results = await send([create(username), create(username, `${stage.backend.password}2`)]);
    expect(results[0]?.status).toBe('created');
    expect(results[1]?.status).not.toBe('created');
    expect(stage.simulator.checkPassword(vendor.vendorClusterId, username, stage.backend.password)).toBe(true);
  });
};
