/** What another party does between two attempts of one write. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../simulators/kit/index.js';
import { backendNamed, CLUSTER, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const USERS = `/clusters/${CLUSTER}/users`;

const VENDORS = [
  {
    name: 'alibaba-ehpc, acs3, sync listing',
    add: 'AddUsers',
    remove: 'DeleteUsers',
    list: 'ListUsers',
    setPassword: 'ModifyUserPasswords',
    group: 'wheel',
  },
  {
    name: 'shanhe-hpc, gateway search',
    add: '/user/addUser',
    remove: '/user/deleteUser',
    list: '/user',
    setPassword: '/user/modifyUser',
    group: 'admin',
  },
];

describe.each(VENDORS)('$name', ({ name, add, remove, list, setPassword, group }) => {
  const backend = backendNamed(name);
  const username = backend.seeded[33] as string;
  const password = `9${backend.password.slice(1)}`;
  let live: LiveBackend;
  let simulator: Simulator;
  let gateway: TestGateway;
  beforeEach(async () => {
    live = await backend.start();
    simulator = live.simulator as Simulator;
    gateway = await startGateway({ ...live.raw, server: { settleSeconds: 0.3, drainSeconds: 0 } });
  });
  afterEach(async () => {
    await gateway.stop();
    await live.close();
  });

  const callsOf = (action: string) => simulator.calls.filter((call) => call.action === action);
  /** Resolves while the first attempt hangs; it is lost then. */
  const firstAttempt = async (action: string): Promise<void> => {
    await until(() => callsOf(action).length > 0);
  };
  const lose = (action: string) => simulator.inject({ kind: 'reset_before', action, delayMs: 700 });
  const tagOf = async () => (await gateway.get(`${USERS}/${username}`)).headers.get('etag') as string;

  it('a user who was changed is not given a password again that was to be set with If-Match', async () => {
    const headers = { 'if-match': await tagOf() };
    lose(setPassword);
    const answer = gateway.request('PUT', `${USERS}/${username}/password`, { body: { password }, headers });
    await firstAttempt(setPassword);
    simulator.setGroup(live.vendorClusterId, username, group);
    const { status, body } = await answer;
    expect([status, body.code]).toEqual([504, 'vendor_timeout']);
    expect(body.detail).toContain('has changed since the first attempt');
    expect(callsOf(setPassword)).toHaveLength(1);
    expect(simulator.journal).toEqual([]);
  });

  it('a user who was not changed is given it', async () => {
    const headers = { 'if-match': await tagOf() };
    lose(setPassword);
    expect((await gateway.request('PUT', `${USERS}/${username}/password`, { body: { password }, headers })).status).toBe(204);
    expect(simulator.checkPassword(live.vendorClusterId, username, password)).toBe(true);
  });

  it('a user of a list that takes long to read is changed with If-Match', async () => {
    const headers = { 'if-match': await tagOf() };
    const pages = callsOf(list).length;
    simulator.inject({ kind: 'delay', action: list, delayMs: 2_200, times: -1 });
    const { status } = await gateway.request('PUT', `${USERS}/${username}/password`, { body: { password }, headers });
    expect([status, simulator.checkPassword(live.vendorClusterId, username, password)]).toEqual([204, true]);
    // Once more, where this machine had no turn for a second.
    expect([2 * pages, 3 * pages]).toContain(callsOf(list).length);
  });

  it('a user who was made while a create was throttled is not ours', async () => {
    const fresh = backend.newName();
    simulator.inject({ kind: 'throttle', action: add, times: 2, retryAfterSeconds: 1 });
    const items = [{ op: 'create', username: fresh, password: backend.password }];
    const answer = gateway.post(`${USERS}/batch`, { items });
    await firstAttempt(add);
    simulator.addUser(live.vendorClusterId, fresh, { password });
    const { body } = await answer;
    expect(['already_exists', 'unknown']).toContain(body.results[0].status);
    expect(simulator.journal).toEqual([]);
  });

  it('a user who took the place of another one is not deleted, and the answer does not suggest a retry', async () => {
    lose(remove);
    const answer = gateway.request('DELETE', `${USERS}/${username}`);
    await firstAttempt(remove);
    simulator.removeUser(live.vendorClusterId, username);
    simulator.addUser(live.vendorClusterId, username, { password });
    const { status, body, headers } = await answer;
    expect([status, body.retryable, headers.get('retry-after')]).toEqual([503, false, null]);
    expect(body.detail).toContain('made since');
    expect(simulator.checkPassword(live.vendorClusterId, username, password)).toBe(true);
    expect(callsOf(remove)).toHaveLength(1);
  });
});
