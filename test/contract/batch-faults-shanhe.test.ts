import { describe, expect, it } from '@jest/globals';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { backendNamed, SHANHE_CLUSTER, shanheAccount, startShanhe } from '../support/backends.js';
import { batchFaults, counted, stageOf, type Vendor } from './batch-faults.js';
import type { Item } from './batches.js';

const backend = backendNamed('shanhe-hpc, gateway search');

const SHANHE: Vendor = {
  backend: backend.name,
  add: '/user/addUser',
  remove: '/user/deleteUser',
  list: '/user',
  settleSeconds: 0.5,
  many: 20,
  invalid: '1101',
  badKey: '1200',
  stopped: 'stopped',
  start: (cluster, now) => {
    const users = backend.seeded.map((username) => ({ username, role: 'member' as const }));
    const more = { id: SHANHE_CLUSTER, name: 'contract', type: 'ehpc' as const, status: 'active', users };
    return startShanhe({ now, jobMs: 20, clusters: [Object.assign(cluster, more)] });
  },
  account: (simulator) => shanheAccount(simulator as ShanheHpcSimulator),
  vendorClusterId: SHANHE_CLUSTER,
};

describe('batches at shanhe-hpc, and its faults', () => {
  const stage = stageOf(SHANHE);
  const { create, names, send } = stage;
  const creates = (count: number): Item[] => names(count).map((name) => create(name));

  batchFaults(SHANHE, stage);

  it('sends a lost call again that did nothing', async () => {
    const items = creates(20);
    const { username } = items[7] as Item;
    stage.simulator.inject({ kind: 'reset_before', action: '/user/addUser', username });
    expect(counted(await send(items))).toEqual({ created: 20 });
  });

  it('tells of a job that failed', async () => {
    const items = creates(20);
    stage.simulator.inject({ kind: 'job_fails', action: '/user/addUser', username: (items[3] as Item).username });
    const results = await send(items);
    expect(counted(results)).toEqual({ created: 19, failed: 1 });
    expect(results[3]).toMatchObject({ status: 'failed', problem: { code: 'cluster_agent_failed' } });
    const username = backend.seeded[9] as string;
    stage.simulator.inject({ kind: 'job_fails', action: '/user/deleteUser' });
    expect(await send([{ op: 'delete', username }])).toMatchObject([{ status: 'failed' }]);
  });

  it('finds what a job did that is called failed', async () => {
    stage.simulator.inject({ kind: 'job_fails_after', action: '/user/addUser', skip: 4, times: 3 });
    expect(counted(await send(creates(20)))).toEqual({ created: 20 });
  });

  it('knows nothing of a job that never ends, and does the others', async () => {
    await stage.restart({ jobSeconds: 1 });
    const items = creates(20);
    stage.simulator.inject({ kind: 'job_never_ends', action: '/user/addUser', username: (items[5] as Item).username });
    const results = await send(items);
    expect(counted(results)).toEqual({ created: 19, unknown: 1 });
    expect(results[5]).toMatchObject({ status: 'unknown', problem: { code: 'vendor_timeout' } });
  });

  it('follows its jobs through an outage of /operation', async () => {
    stage.simulator.inject({ kind: 'http_status', status: 500, action: '/operation', times: 7 });
    stage.simulator.inject({ kind: 'vendor_error', code: '5000', action: '/operation', times: 1 });
    expect(counted(await send(creates(20)))).toEqual({ created: 20 });
  });

  it('creates two hundred users with as many calls, and follows their jobs with few', async () => {
    expect(counted(await send(creates(200)))).toEqual({ created: 200 });
    expect(stage.calls('/user/addUser')).toBe(200);
    // Some forty; a busy machine takes longer, and looks more often.
    expect(stage.calls('/operation')).toBeLessThanOrEqual(60);
    expect(stage.simulator.calls.length).toBeLessThanOrEqual(263);
  });
});
