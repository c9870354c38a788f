/** A precondition is part of the send: after a crash during its check it is checked again (issue 7, item 13). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { CLUSTER, EHPC_CLUSTER, ehpcAccount, startEhpc } from '../support/backends.js';
import { endProcesses, READY, type Run, server } from '../support/process.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/wait.js';
import { atCleanUp, cleanUp, ehpcWith, USERS } from './evidence.js';

afterEach(cleanUp);
afterEach(endProcesses);

const LIST = 'ListUsers';
const CHANGED_BY_US = ['DeleteUsers', 'ModifyUserGroups', 'ModifyUserPasswords'];
const [deleted, removed, promoted, opened] = ['user.00001', 'user.00002', 'user.00003', 'user.00004'] as const;
const PASSWORD = 'Another7@pass';

const STORES = {
  lmdb: async (folder: string): Promise<object> => ({ path: join(folder, 'data') }),
  redis: async (): Promise<object> => {
    const redis = await startRedis();
    atCleanUp(() => redis.stop());
    return { kind: 'redis', url: redis.url, encryptionKey: Buffer.alloc(32, 7).toString('base64') };
  },
} as const;

const started = async (config: string): Promise<Run & { url: string }> => {
  const run = server({ HPC_GATEWAY_CONFIG: config });
  return { ...run, url: (await run.until(READY))[1] as string };
};

interface Operation {
  readonly finishedAt: string | null;
  readonly results: readonly { readonly status: string; readonly problem?: { readonly code: string } }[];
}

it.each(Object.entries(STORES))('%s: kill -9 while the users are looked at', async (_, storeOf) => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-if-match-'));
  atCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  const simulator = await startEhpc(ehpcWith(10));
  atCleanUp(() => simulator.close());
  const config = join(folder, 'gateway.yaml');
  const raw = {
    server: { settleSeconds: 0.5 },
    store: { leaseSeconds: 0.5, ...(await storeOf(folder)) },
    accounts: { main: { ...ehpcAccount(simulator), listing: 'sync' } },
    clusters: [{ id: CLUSTER, account: 'main', vendorClusterId: EHPC_CLUSTER }],
  };
  writeFileSync(config, JSON.stringify(raw));

  const first = await started(config);
  const ask = async (method: string, path: string, body?: object): Promise<string> => {
    const user = `${first.url}${USERS}/${path.split('/')[0]}`;
    const etag = (await fetch(user)).headers.get('etag') as string;
    const answer = await fetch(`${first.url}${USERS}/${path}`, {
      method,
      headers: { 'content-type': 'application/json', prefer: 'respond-async', 'if-match': etag },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect(answer.status).toBe(202);
    return answer.headers.get('location') as string;
  };
  /** A write whose look number `look` is under way and does not come to its end. */
  const begin = async (look: number, ...request: Parameters<typeof ask>): Promise<string> => {
    // The look for the entity tag, those before, and the one that hangs.
    simulator.inject({ kind: 'hang', action: LIST, skip: look, times: -1 });
    const before = simulator.calls.filter(({ action }) => action === LIST).length;
    const path = await ask(...request);
    await until(
      () =>
        simulator.calls.filter(({ action }) => action === LIST).length > before + look ||
        simulator.calls.some(({ action }) => CHANGED_BY_US.includes(action)),
    );
    simulator.clearFaults();
    return path;
  };
  const paths = [
    // A user is looked for before a delete, and checked then.
    await begin(1, 'DELETE', deleted),
    await begin(2, 'DELETE', removed),
    await begin(1, 'PATCH', promoted, { role: 'member' }),
    await begin(1, 'PUT', `${opened}/password`, { password: PASSWORD }),
  ];
  first.child.kill('SIGKILL');
  await first.exit;
  expect(simulator.calls.filter(({ action }) => CHANGED_BY_US.includes(action))).toEqual([]);

  // Another administrator changes all of them.
  for (const username of [deleted, removed, promoted, opened]) simulator.setGroup(EHPC_CLUSTER, username, 'wheel');

  const second = await started(config);
  const operations = await Promise.all(
    paths.map((path) =>
      until(
        async () => (await (await fetch(`${second.url}${path}`)).json()) as Operation,
        ({ finishedAt }) => finishedAt !== null,
      ),
    ),
  );
  for (const { results } of operations)
    expect(results).toMatchObject([{ status: 'refused', problem: { code: 'precondition_failed' } }]);
  expect(simulator.journal).toEqual([]);
  const { role } = (await (await fetch(`${second.url}${USERS}/${promoted}`)).json()) as { role: string };
  expect([role, simulator.checkPassword(EHPC_CLUSTER, opened, PASSWORD)]).toEqual(['admin', false]);
});
