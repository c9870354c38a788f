/** A request whose outcome was unknown, repeated under its key: the cluster is read once more, and nothing is sent. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../simulators/kit/index.js';
import { backendNamed, CLUSTER, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestAnswer, type TestGateway } from '../support/gateway.js';

const USERS = `/clusters/${CLUSTER}/users`;
/** Virtual: single writes wait for 10 s at most. */
const SPEED = 10;

const VENDORS = [
  { name: 'alibaba-ehpc, acs3, sync listing', add: 'AddUsers', remove: 'DeleteUsers', list: 'ListUsers' },
  { name: 'shanhe-hpc, gateway search', add: '/user/addUser', remove: '/user/deleteUser', list: '/user' },
];

describe.each(VENDORS)('$name', ({ name, add, remove, list }) => {
  const backend = backendNamed(name);
  let live: LiveBackend;
  let simulator: Simulator;
  let gateway: TestGateway;
  let fresh = 0;
  beforeEach(async () => {
    live = await backend.start();
    simulator = live.simulator as Simulator;
    gateway = await startGateway({ ...live.raw, server: { settleSeconds: 1, drainSeconds: 0 } }, { speed: SPEED });
  });
  afterEach(async () => {
    await gateway.stop();
    await live.close();
  });

  const callsOf = (action: string): number => simulator.calls.filter((call) => call.action === action).length;
  const create = (username: string, password: string, headers: Record<string, string>) =>
    gateway.request('POST', USERS, { body: { username, password }, headers });
  const isReplay = ({ headers }: TestAnswer): boolean => headers.get('idempotency-replayed') === 'true';
  /** Lets a reading pass that comes before the send, and no other. */
  const blind = () => simulator.inject({ kind: 'http_status', status: 500, action: list, skip: callsBefore, times: -1 });
  let callsBefore = 0;
  /** How many list calls a write makes before it is sent. */
  const measure = async (write: () => Promise<TestAnswer>): Promise<void> => {
    simulator.resetCalls();
    simulator.inject({ kind: 'vendor_error', code: backend.vendor === 'shanhe-hpc' ? '1400' : 'NotAuthorized', action: add });
    simulator.inject({ kind: 'vendor_error', code: backend.vendor === 'shanhe-hpc' ? '1400' : 'NotAuthorized', action: remove });
    await write();
    simulator.clearFaults();
    callsBefore = callsOf(list);
  };

  it('reports a create that was made after all', async () => {
    await measure(() => create(backend.newName(), backend.password, {}));
    const [username, key] = [backend.newName(), { 'idempotency-key': `k${++fresh}` }];
    simulator.inject({ kind: 'reset_after', action: add });
    blind();
    const first = await create(username, backend.password, key);
    expect([first.status, first.body.code]).toEqual([503, 'vendor_unavailable']);
    expect(first.body.detail).toContain('could not be read back');
    simulator.clearFaults();
    const sent = callsOf(add);
    const again = await create(username, backend.password, key);
    expect([again.status, isReplay(again), callsOf(add)]).toEqual([201, true, sent]);
  });

  it('claims nothing of a lost create from the user whom another request made since', async () => {
    await measure(() => create(backend.newName(), backend.password, {}));
    const [username, key] = [backend.newName(), { 'idempotency-key': `k${++fresh}` }];
    simulator.inject({ kind: 'reset_before', action: add });
    blind();
    const first = await create(username, backend.password, key);
    expect(first.status).toBe(503);
    simulator.clearFaults();
    const other = `9${backend.password.slice(1)}`;
    expect((await create(username, other, { authorization: 'Basic other' })).status).toBe(201);
    const again = await create(username, backend.password, key);
    // Neither that they are ours, nor that they were there before.
    expect([again.status, again.body.code]).toEqual([503, first.body.code]);
    expect(simulator.checkPassword(live.vendorClusterId, username, other)).toBe(true);
  });

  it('reports a delete that was made after all, and never deletes again', async () => {
    const [gone, kept] = [backend.seeded[20] as string, backend.seeded[21] as string];
    const erase = (username: string, key: string) =>
      gateway.request('DELETE', `${USERS}/${username}`, { headers: { 'idempotency-key': key } });
    await measure(() => erase(kept, `k${++fresh}`));
    for (const [username, kind, status] of [
      [gone, 'reset_after', 204],
      [kept, 'reset_before', 503],
    ] as const) {
      const key = `k${++fresh}`;
      simulator.inject({ kind, action: remove, times: -1 });
      blind();
      expect((await erase(username, key)).status).toBe(503);
      simulator.clearFaults();
      const sent = callsOf(remove);
      const again = await erase(username, key);
      expect([username, again.status, callsOf(remove)]).toEqual([username, status, sent]);
    }
    expect(simulator.journal.map(({ username }) => username)).toEqual([gone]);
  });

  it('claims nothing of a lost delete from the user whom another request deleted since', async () => {
    const [kept, username] = [backend.seeded[21] as string, backend.seeded[22] as string];
    const erase = (name: string, headers: Record<string, string>) =>
      gateway.request('DELETE', `${USERS}/${name}`, { headers: { 'idempotency-key': `k${++fresh}`, ...headers } });
    await measure(() => erase(kept, {}));
    const key = { 'idempotency-key': `k${++fresh}` };
    simulator.inject({ kind: 'reset_before', action: remove, times: -1 });
    blind();
    const first = await erase(username, key);
    expect(first.status).toBe(503);
    simulator.clearFaults();
    expect((await erase(username, { authorization: 'Basic other' })).status).toBe(204);
    const again = await erase(username, key);
    expect([again.status, again.body.code]).toEqual([503, first.body.code]);
  });
});
