import { describe, expect, it } from '@jest/globals';
import type { AlibabaEhpcSimulator } from '../../simulators/alibaba-ehpc/index.js';
import { backendNamed, EHPC_CLUSTER, ehpcAccount, startEhpc } from '../support/backends.js';
import { batchFaults, counted, stageOf, type Vendor } from './batch-faults.js';
import type { Item } from './batches.js';

const backend = backendNamed('alibaba-ehpc, acs3, sync listing');
const addTime = '2024-03-05T08:00:00.000Z';

const EHPC: Vendor = {
  backend: backend.name,
  add: 'AddUsers',
  remove: 'DeleteUsers',
  list: 'ListUsers',
  settleSeconds: 0.25,
  many: 100,
  invalid: 'InvalidParams',
  badKey: 'InvalidAccessKeyId.NotFound',
  stopped: 'exception',
  start: (cluster, now) => {
    const users = backend.seeded.map((name) => ({ name, group: 'users' as const, addTime }));
    return startEhpc({
      now,
      clusters: [Object.assign(cluster, { id: EHPC_CLUSTER, name: 'contract', status: 'running', users })],
    });
  },
  account: (simulator) => ({ ...ehpcAccount(simulator as AlibabaEhpcSimulator), listing: 'sync' }),
  vendorClusterId: EHPC_CLUSTER,
};

describe('batches at alibaba-ehpc, and its faults', () => {
  const stage = stageOf(EHPC);
  const { create, names, send } = stage;
  const creates = (count: number): Item[] => names(count).map((name) => create(name));
  const deletes = (count: number): Item[] => backend.seeded.slice(0, count).map((username) => ({ op: 'delete', username }));

  batchFaults(EHPC, stage);

  it('sends again what a lost call did not do: one as a probe, the rest in halves', async () => {
    stage.simulator.inject({ kind: 'reset_before', action: 'AddUsers' });
    expect(counted(await send(creates(100)))).toEqual({ created: 100 });
    expect(stage.calls('AddUsers')).toBeLessThanOrEqual(4);
    stage.simulator.inject({ kind: 'reset_before', action: 'DeleteUsers' });
    expect(counted(await send([...deletes(100)]))).toEqual({ deleted: 100 });
    expect(stage.calls('DeleteUsers')).toBeLessThanOrEqual(4);
  });

  it('does the other half of a call that the cluster did by half', async () => {
    stage.simulator.inject({ kind: 'half_batch', action: 'AddUsers', times: 2 });
    expect(counted(await send(creates(100)))).toEqual({ created: 100 });
    stage.simulator.inject({ kind: 'half_batch', action: 'DeleteUsers', times: 2 });
    expect(counted(await send(deletes(100)))).toEqual({ deleted: 100 });
  });

  it('finds one bad item, of a hundred, in sixteen calls at most', async () => {
    const items = creates(100);
    const { username } = items[63] as Item;
    stage.simulator.inject({ kind: 'vendor_error', code: 'InvalidParams', action: 'AddUsers', username, times: -1 });
    expect((await send(items))[63]).toMatchObject({ username, status: 'refused' });
    expect(stage.calls('AddUsers')).toBeLessThanOrEqual(16);
  });

  it('waits for another operation on the cluster to end', async () => {
    stage.simulator.inject({ kind: 'vendor_error', code: 'ConflictOpt', status: 403, action: 'AddUsers', skip: 1 });
    expect(counted(await send(creates(300)))).toEqual({ created: 300 });
    expect(stage.calls('AddUsers')).toBe(4);
  });

  it('takes an error after the effect for no failure', async () => {
    stage.simulator.inject({ kind: 'error_after', code: 'ServiceUnavailable', status: 503, action: 'AddUsers' });
    stage.simulator.inject({ kind: 'error_after', code: 'AgentError', status: 406, action: 'DeleteUsers' });
    expect(counted(await send([...creates(100), ...deletes(100)]))).toEqual({ created: 100, deleted: 100 });
    expect([stage.calls('AddUsers'), stage.calls('DeleteUsers')]).toEqual([1, 1]);
  });

  it('sends passwords and roles again whose answer was lost', async () => {
    stage.simulator.inject({ kind: 'reset_before', action: 'ModifyUserGroups', times: 4 });
    stage.simulator.inject({ kind: 'reset_after', action: 'ModifyUserPasswords', times: 4 });
    const items = backend.seeded
      .slice(0, 40)
      .map((username): Item => ({ op: 'update', username, role: 'admin', password: backend.password }));
    expect(counted(await send(items))).toEqual({ updated: 40 });
    const wrong = items.filter(({ username }) => !stage.simulator.checkPassword(EHPC_CLUSTER, username, backend.password));
    expect(wrong).toEqual([]);
  });

  it('tells a taken name from those that a lost call made', async () => {
    stage.simulator.inject({ kind: 'reset_before', action: 'AddUsers' });
    const items = [...creates(60), create(backend.seeded[3] as string), ...creates(20)];
    expect(counted(await send(items))).toEqual({ created: 80, already_exists: 1 });
  });

  it('creates a thousand users with ten calls and little else', async () => {
    expect(counted(await send(creates(1000)))).toEqual({ created: 1000 });
    expect(stage.calls('AddUsers')).toBe(10);
    expect(stage.simulator.calls.length).toBeLessThanOrEqual(14);
  });
});
