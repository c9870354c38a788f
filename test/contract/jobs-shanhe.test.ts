import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../simulators/kit/index.js';
import { backendNamed, CLUSTER, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const USERS = `/clusters/${CLUSTER}/users`;
const JOB_MS = 6_000;
/** Two calls a look, about one look in two seconds. One call for each job that is not on the first page makes hundreds. */
const MAX_LOOKS = 40;

describe('jobs of shanhe-hpc', () => {
  const backend = backendNamed('shanhe-hpc, gateway search');
  let live: LiveBackend;
  let simulator: Simulator;
  let gateway: TestGateway;
  beforeEach(async () => {
    live = await backend.start();
    simulator = live.simulator as Simulator;
    gateway = await startGateway({ ...live.raw, server: { deadlineSeconds: 1, drainSeconds: 0 } });
  });
  afterEach(async () => {
    await gateway.stop();
    await live.close();
  });
  const create = (username: string) => gateway.post(USERS, { username, password: backend.password });

  it('answers 502 when the job fails and nobody was made', async () => {
    await gateway.stop();
    gateway = await startGateway(live.raw);
    const username = backend.newName();
    simulator.inject({ kind: 'job_fails', action: '/user/addUser' });
    const { status, body } = await create(username);
    expect([status, body.code]).toEqual([502, 'cluster_agent_failed']);
    expect(body.detail).toContain('was not created');
  });

  it('keeps an operation running while its job does', async () => {
    simulator.inject({ kind: 'job_never_ends', action: '/user/addUser' });
    const { status, headers } = await create(backend.newName());
    expect(status).toBe(504);
    const operation = await gateway.get(headers.get('location') as string);
    expect(operation.body.state).toBe('running');
    expect(Number(operation.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('does not take an outage of /operation for the end of the job', async () => {
    const username = backend.newName();
    simulator.inject({ kind: 'http_status', status: 500, action: '/operation', times: 2 });
    const { status } = await create(username);
    expect([201, 504]).toContain(status);
    expect(simulator.journal.filter((effect) => effect.username === username)).toHaveLength(1);
  });

  it('asks for all open jobs of the account together, however many batches there are, and more than a page has', async () => {
    await gateway.stop();
    gateway = await startGateway({ ...live.raw, server: { deadlineSeconds: 60, drainSeconds: 0 } });
    simulator.inject({ kind: 'job_slow', delayMs: JOB_MS, action: '/user/addUser', times: -1 });
    const batch = () => {
      const items = Array.from({ length: 60 }, () => ({ op: 'create', username: backend.newName(), password: backend.password }));
      return gateway.post(`${USERS}/batch`, { items });
    };
    const answers = await Promise.all([batch(), batch()]);
    expect(answers.map(({ body }) => body.summary.created)).toEqual([60, 60]);
    expect(simulator.calls.filter(({ action }) => action === '/operation').length).toBeLessThanOrEqual(MAX_LOOKS);
  });

  it('deletes by a job, and reports one that fails', async () => {
    const username = backend.seeded[40] as string;
    simulator.inject({ kind: 'job_fails', action: '/user/deleteUser' });
    const failed = await gateway.request('DELETE', `${USERS}/${username}`);
    expect([failed.status, failed.body.code]).toEqual([502, 'cluster_agent_failed']);
    expect((await gateway.request('DELETE', `${USERS}/${username}`)).status).toBe(204);
  });
});
