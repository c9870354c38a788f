/** kill -9 at random moments of imports of 300 users: what the gateway tells in the end against what really happened. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { startAlibabaEhpc } from '../../simulators/alibaba-ehpc/index.js';
import type { Simulator } from '../../simulators/kit/index.js';
import { startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { ehpcAccount, shanheAccount } from '../support/backends.js';
import { runs } from '../support/mode.js';
import { endProcesses, READY, type Run, server } from '../support/process.js';
import { pause } from '../support/wait.js';

/** How often the process is killed. */
const MOMENTS = runs(5, 50);
const USERS = 300;
const PASSWORD = 'Abcdefg1@klm';
/** A process is killed at most so long after it is ready: long enough for every part of an import, and of a recovery, to be hit. */
const LONGEST_LIFE_MS = 1_600;
const IMPORTS = 60;

interface Vendor {
  readonly simulator: Simulator;
  readonly account: object;
  readonly clusters: readonly string[];
  username(index: number): string;
}

const clusterIds = (prefix: string): string[] =>
  Array.from({ length: IMPORTS }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`);

export const VENDORS = {
  'alibaba-ehpc': async () => {
    const clusters = clusterIds('ehpc-hz-crash00');
    const seeds = clusters.map((id) => ({ id, name: id, status: 'running', users: [] }));
    const simulator = await startAlibabaEhpc({ latencyMs: 120, asyncDelayMs: 20, clusters: seeds });
    return {
      simulator,
      account: ehpcAccount(simulator),
      clusters,
      username: (index) => `user.${String(index).padStart(3, '0')}`,
    };
  },
  'shanhe-hpc': async () => {
    const clusters = clusterIds('ehpc-cr');
    const seeds = clusters.map((id) => ({ id, name: id, type: 'ehpc' as const, status: 'active', users: [] }));
    const simulator = await startShanheHpc({ latencyMs: 15, jobMs: 150, clusters: seeds });
    return { simulator, account: shanheAccount(simulator), clusters, username: (index) => `u${index}` };
  },
} satisfies Record<string, () => Promise<Vendor>>;

interface Result {
  readonly username: string;
  readonly status: string;
}

interface Import {
  readonly cluster: string;
  /** Where the operation is, once an answer said so. */
  location?: string;
}

/** @param store the `store` of the configuration */
export const crashes = (name: string, startVendor: () => Promise<Vendor>, store: (folder: string) => Promise<object>): void => {
  afterEach(endProcesses);

  it(
    `${name}: every user is made once and told as made, whenever the process is killed`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'gateway-crash-'));
      const vendor = await startVendor();
      const { simulator, account, clusters, username } = vendor;
      const path = join(folder, 'gateway.yaml');
      const config = {
        server: { settleSeconds: 0.8, callSeconds: 1 },
        log: { level: 'error' },
        store: { leaseSeconds: 0.5, ...(await store(folder)) },
        accounts: { a: account },
        clusters: clusters.map((id) => ({ id, account: 'a', vendorClusterId: id })),
      };
      writeFileSync(path, JSON.stringify(config));

      const begin = async (url: string, cluster: string): Promise<string> => {
        const items = Array.from({ length: USERS }, (_, index) => ({
          op: 'create',
          username: username(index),
          password: PASSWORD,
        }));
        // The same request may be sent again after a crash: the key makes it one.
        const headers = { 'content-type': 'application/json', prefer: 'respond-async', 'idempotency-key': cluster };
        for (;;) {
          const answer = await fetch(`${url}/clusters/${cluster}/users/batch`, {
            method: 'POST',
            headers,
            body: JSON.stringify({ items }),
          });
          if (answer.status === 202) return answer.headers.get('location') as string;
          if (answer.status === 200) return `/operations/${((await answer.json()) as { operationId: string }).operationId}`;
          if (answer.status !== 409) throw new Error(`${answer.status}: ${await answer.text()}`);
          await pause(100);
        }
      };

      const finalOf = async (url: string, location: string): Promise<{ state: string; results: Result[] } | undefined> => {
        const operation = (await (await fetch(`${url}${location}`)).json()) as { state: string; results: Result[] };
        return ['pending', 'running'].includes(operation.state) ? undefined : operation;
      };

      const verify = (cluster: string, { state, results }: { state: string; results: Result[] }): void => {
        const told = results.filter(({ status }) => status === 'created').map((result) => result.username);
        const made = simulator.journal.filter(({ clusterId }) => clusterId === cluster).map((effect) => effect.username);
        const others = results.filter(({ status }) => status !== 'created');
        expect({ cluster, state, others, results: results.length }).toEqual({
          cluster,
          state: 'succeeded',
          others: [],
          results: USERS,
        });
        expect([...made].sort()).toEqual([...told].sort());
        expect(simulator.checkPassword(cluster, username(USERS - 1), PASSWORD)).toBe(true);
      };

      /** Imports one cluster after the other until the process dies, or there is nothing more to do. */
      const imports: Import[] = [];
      const work = async (url: string, goOn: () => boolean): Promise<void> => {
        for (;;) {
          const current = imports.at(-1) as Import;
          current.location ??= await begin(url, current.cluster);
          const final = await finalOf(url, current.location);
          if (final) {
            verify(current.cluster, final);
            if (!goOn()) return;
            imports.push({ cluster: clusters[imports.length] as string });
          } else {
            await pause(100);
          }
        }
      };

      imports.push({ cluster: clusters[0] as string });
      for (let moment = 1; moment <= MOMENTS; moment++) {
        const gateway: Run = server({ HPC_GATEWAY_CONFIG: path });
        const url = (await gateway.until(READY))[1] as string;
        let killed = false;
        let broken: unknown;
        const working = work(url, () => true).catch((error: unknown) => {
          // What fails for want of the process is what this is about.
          if (!killed) broken = error;
        });
        await Promise.race([pause(randomInt(LONGEST_LIFE_MS)), working]);
        killed = true;
        gateway.child.kill('SIGKILL');
        await gateway.exit;
        await working;
        if (broken) throw broken;
        if (gateway.errors() !== '') throw new Error(gateway.errors());
      }

      const last = server({ HPC_GATEWAY_CONFIG: path });
      await work((await last.until(READY))[1] as string, () => imports.length < 2);
      last.child.kill('SIGTERM');
      expect((await last.exit).code).toBe(0);
      // None was left behind.
      expect(imports.length).toBeGreaterThan(1);
      await simulator.close();
      rmSync(folder, { recursive: true });
    },
    10 * 60_000,
  );
};
