/** A vendor repeats, in a list, a password that an earlier process has sent. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { CLUSTER, EHPC_CLUSTER, ehpcAccount, startEhpc } from '../support/backends.js';
import { startGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const PASSWORD = 'Sup3r@Secret#42';

it('is not shown by the process that took the write over', async () => {
  const path = mkdtempSync(join(tmpdir(), 'gateway-repeated-'));
  const ehpc = await startEhpc();
  const start = () =>
    startGateway({
      server: { settleSeconds: 60, drainSeconds: 0 },
      store: { kind: 'lmdb', path },
      accounts: { main: { ...ehpcAccount(ehpc), listing: 'sync' } },
      clusters: [{ id: CLUSTER, account: 'main', vendorClusterId: EHPC_CLUSTER }],
    });
  const first = await start();
  ehpc.inject({ kind: 'hang', action: 'AddUsers' });
  const body = { username: 'fresh.one', password: PASSWORD };
  await first.request('POST', `/clusters/${CLUSTER}/users`, { body, headers: { prefer: 'respond-async' } });
  await until(() => ehpc.calls.some(({ action }) => action === 'AddUsers'));
  await first.stop();

  ehpc.inject({ kind: 'echo', action: 'ListUsers', field: 'Group', value: 'password', spelling: 'percent', times: -1 });
  const second = await start();
  const groups = async (): Promise<Set<unknown>> => {
    const { items } = (await second.get(`/clusters/${CLUSTER}/users?limit=5`)).body;
    return new Set((items as { group: unknown }[]).map(({ group }) => group));
  };
  expect(await until(groups, (seen) => !seen.has(encodeURIComponent(PASSWORD)))).toEqual(new Set(['[redacted]']));
  await second.stop();
  await ehpc.close();
  rmSync(path, { recursive: true });
});
