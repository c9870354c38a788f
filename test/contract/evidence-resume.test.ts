/** Operations that are resumed, and keys whose answer was lost (issue 7, item 9). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../simulators/kit/index.js';
import {
  CLUSTER,
  EHPC_CLUSTER,
  ehpcAccount,
  SHANHE_CLUSTER,
  shanheAccount,
  startEhpc,
  startShanhe,
} from '../support/backends.js';
import { startGateway } from '../support/gateway.js';
import { endProcesses, READY, type Run, server } from '../support/process.js';
import { until } from '../support/wait.js';
import {
  atCleanUp,
  cleanUp,
  creating,
  ehpcWith,
  newName,
  newNames,
  onEhpc,
  onShanhe,
  PASSWORD,
  type Scene,
  shanheWith,
  tally,
  USERS,
} from './evidence.js';

afterEach(cleanUp);
afterEach(endProcesses);

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-evidence-'));
  atCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

interface Discovered {
  readonly simulator: Simulator;
  readonly account: object;
  readonly cluster: string;
  readonly add: string;
  /** The action that lists the clusters. */
  readonly list: string;
  /** A listing without any cluster. */
  readonly empty: object;
}

const NO_CLUSTERS = {
  ehpc: { RequestId: 'none', PageNumber: 1, PageSize: 50, TotalCount: 0, Clusters: { ClusterInfoSimple: [] } },
  shanhe: { action: 'HpcClusterListClusterResponse', ret_code: 0, total_count: 0, cluster_set: [] },
};

const DISCOVERED: Readonly<Record<string, () => Promise<Discovered>>> = {
  'alibaba-ehpc': async () => {
    const simulator = await startEhpc(ehpcWith(3));
    const account = { ...ehpcAccount(simulator), listing: 'sync' };
    return { simulator, account, cluster: EHPC_CLUSTER, add: 'AddUsers', list: 'ListClusters', empty: NO_CLUSTERS.ehpc };
  },
  'shanhe-hpc': async () => {
    const simulator = await startShanhe({ jobMs: 5, ...shanheWith(3) });
    const account = shanheAccount(simulator);
    return {
      simulator,
      account,
      cluster: SHANHE_CLUSTER,
      add: '/user/addUser',
      list: '/cluster/list',
      empty: NO_CLUSTERS.shanhe,
    };
  },
};

describe.each(Object.entries(DISCOVERED))('%s: a discovered cluster', (_, start) => {
  it.each([1, 3])('that is missing from %i listings while its operation is resumed does not end it', async (times) => {
    const { simulator, account, cluster, add, list, empty } = await start();
    const folder = newFolder();
    atCleanUp(() => simulator.close());
    const raw = {
      accounts: { main: { ...account, discover: true } },
      server: { settleSeconds: 0.2, drainSeconds: 0 },
      store: { kind: 'lmdb', path: folder, leaseSeconds: 0.5 },
    };
    const names = newNames(6);
    const first = await startGateway(raw);
    simulator.inject({ kind: 'throttle', action: add, times: -1 });
    const { status, headers } = await first.request('POST', `/clusters/${cluster}/users/batch`, {
      body: { items: names.map((name) => creating(name)) },
      headers: { prefer: 'respond-async' },
    });
    expect(status).toBe(202);
    const path = headers.get('location') as string;
    await until(() => simulator.calls.some(({ action }) => action === add));
    await first.stop();

    simulator.clearFaults();
    simulator.inject({ kind: 'html', status: 200, message: JSON.stringify(empty), action: list, times });
    const second = await startGateway(raw);
    atCleanUp(() => second.stop());
    const operation = await until(
      () => second.get(path),
      ({ body }) => body.finishedAt !== null,
    );
    expect([operation.body.state, tally(operation)]).toEqual(['succeeded', { created: names.length }]);
    expect(simulator.journal.map(({ username }) => username).sort()).toEqual([...names].sort());
  });
});

describe('a key whose operation has ended, after kill -9', () => {
  const started = async (config: string): Promise<Run & { url: string }> => {
    const run = server({ HPC_GATEWAY_CONFIG: config });
    return { ...run, url: (await run.until(READY))[1] as string };
  };

  it('pins no refusal that may pass: the same request is made again', async () => {
    const folder = newFolder();
    const simulator = await startEhpc(ehpcWith(3));
    atCleanUp(() => simulator.close());
    const config = join(folder, 'gateway.yaml');
    const raw = {
      server: { settleSeconds: 0.2, deadlineSeconds: 2 },
      store: { path: join(folder, 'data'), leaseSeconds: 0.5 },
      accounts: { main: { ...ehpcAccount(simulator), listing: 'sync' } },
      clusters: [{ id: CLUSTER, account: 'main', vendorClusterId: EHPC_CLUSTER }],
    };
    writeFileSync(config, JSON.stringify(raw));
    const username = newName();
    const create = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}${USERS}`, {
        method: 'POST',
        body: JSON.stringify({ username, password: PASSWORD }),
        headers: { 'content-type': 'application/json', 'idempotency-key': 'course-26', ...headers },
      });

    const first = await started(config);
    simulator.inject({ kind: 'throttle', action: 'AddUsers', times: -1 });
    // The answer under the key is not made, or lost: nobody waits for it.
    const accepted = await create(first.url, { prefer: 'respond-async' });
    expect(accepted.status).toBe(202);
    const path = accepted.headers.get('location') as string;
    const operation = await until(
      async () => (await (await fetch(`${first.url}${path}`)).json()) as { finishedAt: string | null; results: object[] },
      ({ finishedAt }) => finishedAt !== null,
    );
    expect(operation.results).toMatchObject([{ status: 'failed', problem: { code: 'vendor_rate_limited' } }]);
    first.child.kill('SIGKILL');
    await first.exit;

    simulator.clearFaults();
    const second = await started(config);
    const again = await create(second.url);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect(simulator.journal.filter((effect) => effect.username === username)).toHaveLength(1);
    const replayed = await create(second.url);
    expect([replayed.status, replayed.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(simulator.journal.filter((effect) => effect.username === username)).toHaveLength(1);
  });
});

const VENDORS = {
  'alibaba-ehpc': { start: (): Promise<Scene> => onEhpc(FAST, ehpcWith(3)), add: 'AddUsers', list: 'ListUsers' },
  'shanhe-hpc': {
    start: (): Promise<Scene> => onShanhe(FAST, { jobMs: 5, ...shanheWith(3) }),
    add: '/user/addUser',
    list: '/user',
  },
} as const;
const FAST = { speed: 20, server: { deadlineSeconds: 600, settleSeconds: 2 } };

describe.each(Object.entries(VENDORS))('%s: a doubtful answer that is repeated under its key', (_, { start, add, list }) => {
  const doubt = async (kind: 'reset_after' | 'reset_before') => {
    const scene = await start();
    // The cluster's clock is learned from a user whose create was acknowledged.
    expect((await scene.create(newName())).status).toBe(201);
    scene.simulator.resetCalls();
    const name = newName();
    const key = { 'idempotency-key': name };
    scene.inject({ kind, action: add });
    // The look before the send works, the ones after it do not.
    const first = scene.create(name, key);
    await until(() => scene.calls(add) > 0, Boolean, 1);
    scene.inject({ kind: 'http_status', status: 500, action: list, times: -1 });
    const { status, body } = await first;
    expect([503, 504]).toContain(status);
    expect(body.detail).toMatch(/not be read back|not known/);
    /** The vendor can be read again. */
    const recover = async (): Promise<void> => {
      scene.simulator.clearFaults();
      await until(
        () => scene.gateway.get(USERS),
        (answer) => answer.status === 200,
      );
    };
    return { scene, name, recover, again: () => scene.create(name, key) };
  };

  it('is looked up again: the user is there', async () => {
    const { scene, name, recover, again } = await doubt('reset_after');
    const dark = await again();
    expect([503, 504]).toContain(dark.status);
    await recover();
    const { status, headers, body } = await again();
    expect([status, headers.get('idempotency-replayed'), body.username]).toEqual([201, 'true', name]);
    expect([scene.calls(add), scene.effects(name)]).toEqual([1, ['created']]);
  });

  it('is looked up again, and nothing is sent: the user is not there', async () => {
    const { scene, name, recover, again } = await doubt('reset_before');
    await recover();
    const { status, body } = await again();
    expect([503, 504]).toContain(status);
    // They may have been there in between.
    expect(body.detail).toMatch(/was not created|not be read back|not known/);
    expect([scene.calls(add), scene.effects(name)]).toEqual([1, []]);
  });
});
