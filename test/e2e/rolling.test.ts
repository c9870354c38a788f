/** Gateways on one Redis are replaced one after the other while writes run: nothing is lost or done twice, and there is always one that serves. docs/upgrading.md */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { type ShanheHpcSimulator, startShanheHpc } from '../../simulators/shanhe-hpc/index.js';
import { SHANHE_CLUSTER, shanheAccount } from '../support/backends.js';
import { endProcesses, READY, type Run, server } from '../support/process.js';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { pause, until } from '../support/wait.js';

const PASSWORD = 'kUISjs@kkkkkk!';
const USERS = 60;

describeWithRedis('a rolling restart', () => {
  let redis: TestRedis;
  let simulator: ShanheHpcSimulator;
  const folder = mkdtempSync(join(tmpdir(), 'gateway-rolling-'));
  afterEach(async () => {
    endProcesses();
    await simulator.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('loses no write, and makes none twice', async () => {
    redis = await startRedis();
    simulator = await startShanheHpc({
      jobMs: 100,
      clusters: [
        { id: SHANHE_CLUSTER, name: 'c', type: 'ehpc', status: 'active', users: [{ username: 'admin', role: 'admin' }] },
      ],
    });
    const config = join(folder, 'gateway.json');
    writeFileSync(
      config,
      JSON.stringify({
        server: { port: 0, settleSeconds: 0.5, shutdownDelaySeconds: 0.5, drainSeconds: 10 },
        store: { kind: 'redis', url: redis.url, encryptionKey: Buffer.alloc(32, 3).toString('base64'), leaseSeconds: 1 },
        accounts: { a: shanheAccount(simulator) },
        clusters: [{ id: 'c', account: 'a', vendorClusterId: SHANHE_CLUSTER }],
      }),
    );
    const start = async (): Promise<{ readonly run: Run; readonly url: string }> => {
      const run = server({ HPC_GATEWAY_CONFIG: config });
      const [, url = ''] = await run.until(READY);
      return { run, url };
    };
    const running = [await start(), await start()];
    const first = running[0]?.url as string;
    const items = Array.from({ length: USERS }, (_, index) => ({ op: 'create', username: `u${index}`, password: PASSWORD }));
    const accepted = await fetch(`${first}/clusters/c/users/batch`, {
      method: 'POST',
      body: JSON.stringify({ items }),
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
    });
    const location = accepted.headers.get('location') as string;
    expect(accepted.status).toBe(202);

    // One that is ready answers, as behind a load balancer.
    const ask = async (path: string): Promise<Response | undefined> => {
      for (const { url } of running) {
        const isReady = await fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        );
        if (isReady) return fetch(`${url}${path}`);
      }
      return undefined;
    };
    let answers = 0;
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        const answer = await ask(location);
        expect(answer?.status).toBe(200);
        await answer?.arrayBuffer();
        answers++;
        await pause(50);
      }
    })();
    for (let round = 0; round < 2; round++) {
      const [old] = running;
      old?.run.child.kill('SIGTERM');
      expect((await old?.run.exit)?.code).toBe(0);
      running.shift();
      running.push(await start());
    }
    const finished = await until(async () => {
      const operation = (await (await ask(location))?.json()) as { done: boolean; summary: { created: number } } | undefined;
      return operation?.done ? operation : undefined;
    });
    isOver = true;
    await watching;
    expect(finished?.summary.created).toBe(USERS);
    expect(answers).toBeGreaterThan(5);
    const made = simulator.journal.filter(({ effect }) => effect === 'created').map(({ username }) => username);
    expect([made.length, new Set(made).size]).toEqual([USERS, USERS]);
  });
});
