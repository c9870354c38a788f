/** Operations that meet at the same users, and endings that must not hide what was done before. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../simulators/kit/index.js';
import { backendNamed, CLUSTER, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { pause, until } from '../support/wait.js';
import { BATCH } from './batches.js';

const USERS = `/clusters/${CLUSTER}/users`;

const onBackend = (name: string) => {
  const backend = backendNamed(name);
  const stage = {} as { live: LiveBackend; simulator: Simulator; gateway: TestGateway };
  beforeEach(async () => {
    stage.live = await backend.start();
    stage.simulator = stage.live.simulator as Simulator;
    stage.gateway = await startGateway({ ...stage.live.raw, server: { settleSeconds: 0.4, drainSeconds: 0 } });
  });
  afterEach(async () => {
    await stage.gateway.stop();
    await stage.live.close();
  });
  const batch = async (items: object[], more: object = {}) => (await stage.gateway.post(BATCH, { items, ...more })).body;
  const effects = (username: string) =>
    stage.simulator.journal.filter((effect) => effect.username === username).map(({ effect }) => effect);
  const isCalled = (action: string) => until(() => stage.simulator.calls.some((call) => call.action === action));
  const newPassword = `9${backend.password}`;
  return { backend, stage, batch, effects, isCalled, newPassword };
};

describe('E-HPC', () => {
  const { backend, stage, batch, effects, isCalled, newPassword } = onBackend('alibaba-ehpc, acs3, sync listing');
  const [x, y] = [backend.seeded[41] as string, backend.seeded[42] as string];
  const both = (username: string) => ({ op: 'update', username, role: 'admin', password: newPassword });
  const role = (username: string) => ({ op: 'update', username, role: 'admin' });
  const statuses = (body: { results: { status: string }[] }) => body.results.map(({ status }) => status);

  it("two batches that want each other's users both come to their end", async () => {
    stage.simulator.inject({ kind: 'delay', delayMs: 700, action: 'ModifyUserGroups' });
    const single = stage.gateway.request('PATCH', `${USERS}/${x}`, { body: { role: 'admin' } });
    await isCalled('ModifyUserGroups');
    const [one, other] = await Promise.all([batch([role(x), both(y)]), batch([role(y), both(x)])]);
    expect((await single).status).toBe(200);
    expect([statuses(one), statuses(other)]).toEqual([
      ['updated', 'updated'],
      ['updated', 'updated'],
    ]);
  });

  it('makes one call at a time to a cluster, however many batches there are', async () => {
    stage.simulator.inject({ kind: 'delay', delayMs: 60, action: 'ModifyUserPasswords', times: -1 });
    const names = backend.seeded.slice(50, 58);
    await Promise.all(names.map((username) => batch([{ op: 'update', username, password: newPassword }])));
    const at = stage.simulator.calls.filter(({ action }) => action === 'ModifyUserPasswords').map((call) => Date.parse(call.at));
    const gaps = at.slice(1).map((time, index) => time - (at[index] as number));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
  });

  it('waits as long as the vendor asks for', async () => {
    stage.simulator.inject({ kind: 'throttle', action: 'AddUsers', retryAfterSeconds: 4 });
    const before = Date.now();
    const body = await batch([{ op: 'create', username: backend.newName(), password: backend.password }]);
    expect(statuses(body)).toEqual(['created']);
    expect(Date.now() - before).toBeGreaterThanOrEqual(3_900);
  });

  it('says that the role was changed when the password is refused', async () => {
    const inject = (code: string) => stage.simulator.inject({ kind: 'vendor_error', code, action: 'ModifyUserPasswords' });
    for (const [code, status] of [
      ['InvalidParams', 'refused'],
      ['InDebt', 'failed'],
    ] as const) {
      inject(code);
      const { results } = await batch([both(x)]);
      expect(results).toMatchObject([{ status, problem: { detail: expect.stringContaining('The role was changed.') } }]);
      expect(effects(x)).toContain('role_changed');
    }
  });

  it('says that a password may be set when an earlier call for it was lost', async () => {
    stage.simulator.inject({ kind: 'reset_after', action: 'ModifyUserPasswords', times: 3 });
    stage.simulator.inject({ kind: 'vendor_error', code: 'NotAuthorized', action: 'ModifyUserPasswords', times: -1 });
    const { results } = await batch([x, y].map((username) => ({ op: 'update', username, password: newPassword })));
    expect(results).toMatchObject([{ status: 'unknown' }, { status: 'unknown' }]);
    expect(stage.simulator.checkPassword(stage.live.vendorClusterId, x, newPassword)).toBe(true);
  });

  it('with stopOnError sends nothing before an item whose user another operation is at', async () => {
    stage.simulator.inject({ kind: 'delay', delayMs: 600, action: 'ModifyUserPasswords' });
    const single = stage.gateway.request('PUT', `${USERS}/${x}/password`, { body: { password: newPassword } });
    await isCalled('ModifyUserPasswords');
    const fresh = backend.newName();
    const items = [x, fresh].map((username) => ({ op: 'create', username, password: backend.password }));
    expect(statuses(await batch(items, { stopOnError: true }))).toEqual(['already_exists', 'cancelled']);
    expect(effects(fresh)).toEqual([]);
    expect((await single).status).toBe(204);
  });

  it('with stopOnError does not pass an item of two steps', async () => {
    stage.simulator.inject({ kind: 'vendor_error', code: 'InvalidParams', action: 'ModifyUserPasswords' });
    expect(statuses(await batch([both(x), role(y)], { stopOnError: true }))).toEqual(['refused', 'cancelled']);
    expect(effects(y)).toEqual([]);
  });

  it('does not take a user for gone who moved up in the list while it was read', async () => {
    const there = backend.seeded[50] as string;
    stage.simulator.inject({ kind: 'delay', delayMs: 500, action: 'ListUsers' });
    const removing = batch([there, 'nobody.here', 'nobody.else', 'nobody.more'].map((username) => ({ op: 'delete', username })));
    await isCalled('ListUsers');
    const first = await stage.gateway.request('DELETE', `${USERS}/${backend.seeded[0]}`);
    expect(first.status).toBe(204);
    expect(statuses(await removing)).toEqual(['deleted', 'not_found', 'not_found', 'not_found']);
  });
});

describe('Shanhe', () => {
  const { backend, stage } = onBackend('shanhe-hpc, gateway search');

  it('has at most a hundred jobs open at once', async () => {
    stage.simulator.inject({ kind: 'job_never_ends', action: '/user/addUser', times: -1 });
    const items = Array.from({ length: 130 }, () => ({ op: 'create', username: backend.newName(), password: backend.password }));
    const { headers } = await stage.gateway.request('POST', BATCH, { body: { items }, headers: { prefer: 'respond-async' } });
    const sent = () => stage.simulator.calls.filter(({ action }) => action === '/user/addUser').length;
    await until(() => sent() >= 100);
    await pause(300);
    expect(sent()).toBe(100);
    expect(headers.get('location')).toMatch(/^.operations.op_/);
  });
});
