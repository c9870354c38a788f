/** Whose user is it, and did it change? Cases in which the obvious answer would be untrue. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Fault, Simulator } from '../../simulators/kit/index.js';
import { backendNamed, CLUSTER, EHPC_CLUSTER, ehpcAccount, type LiveBackend, startEhpc } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { pause, until } from '../support/wait.js';

const USERS = `/clusters/${CLUSTER}/users`;
const SERVER = { settleSeconds: 0.4, drainSeconds: 0 };

const VENDORS = [
  {
    name: 'alibaba-ehpc, acs3, sync listing',
    add: 'AddUsers',
    remove: 'DeleteUsers',
    setPassword: 'ModifyUserPasswords',
    list: 'ListUsers',
  },
  {
    name: 'shanhe-hpc, gateway search',
    add: '/user/addUser',
    remove: '/user/deleteUser',
    setPassword: '/user/modifyUser',
    list: '/user',
  },
];

describe.each(VENDORS)('$name', ({ name, add, remove, setPassword, list }) => {
  const backend = backendNamed(name);
  let live: LiveBackend;
  let simulator: Simulator;
  let gateway: TestGateway;
  beforeEach(async () => {
    live = await backend.start();
    simulator = live.simulator as Simulator;
    gateway = await startGateway({ ...live.raw, server: SERVER });
  });
  afterEach(async () => {
    await gateway.stop();
    await live.close();
  });
  const create = (username: string, password = backend.password) => gateway.post(USERS, { username, password });
  const put = (username: string, password: string) =>
    gateway.request('PUT', `${USERS}/${username}/password`, { body: { password } });

  it('does not claim for a lost create the user that an earlier request made a moment ago', async () => {
    const username = backend.newName();
    expect((await create(username)).status).toBe(201);
    simulator.inject({ kind: 'reset_before', action: add });
    const { status, body } = await create(username, `${backend.password}2`);
    expect([status, body.code]).toEqual([409, 'user_already_exists']);
    expect(simulator.checkPassword(live.vendorClusterId, username, backend.password)).toBe(true);
  });

  it('gives one user to one of two requests at once', async () => {
    const username = backend.newName();
    simulator.inject({ kind: 'delay', delayMs: 500, action: add });
    simulator.inject({ kind: 'reset_before', action: add });
    const first = create(username);
    await until(() => simulator.calls.some(({ action }) => action === add));
    const second = create(username, `${backend.password}2`);
    expect([(await first).status, (await second).status]).toEqual([201, 409]);
    expect(simulator.checkPassword(live.vendorClusterId, username, backend.password)).toBe(true);
  });

  it('does not let a lost delete of nobody hit the next user of that name', async () => {
    const username = backend.newName();
    simulator.inject({ kind: 'late_effect', delayMs: 250, action: remove });
    expect((await gateway.request('DELETE', `${USERS}/${username}`)).status).toBe(404);
    expect((await create(username)).status).toBe(201);
    await pause(400);
    expect(simulator.checkPassword(live.vendorClusterId, username, backend.password)).toBe(true);
  });

  it('does not take a new namesake for one that it made and that is gone since', async () => {
    const username = backend.newName();
    await create(username);
    const other = await startGateway({ ...live.raw, server: SERVER });
    expect((await other.request('DELETE', `${USERS}/${username}`)).status).toBe(204);
    await other.stop();
    // The vendors return times in seconds.
    await pause(1_100);
    simulator.inject({ kind: 'reset_after', action: add });
    expect((await create(username)).status).toBe(201);
  });

  it('does not forget, when throttled later, that an earlier attempt may have set the password', async () => {
    const username = backend.seeded[9] as string;
    simulator.inject({ kind: 'reset_after', action: setPassword });
    simulator.inject({ kind: 'throttle', action: setPassword, times: -1, retryAfterSeconds: 30 });
    const { status, body } = await put(username, backend.password);
    expect([status, body.code]).toEqual([429, 'vendor_rate_limited']);
    expect(body.detail).toContain('cannot be read back');
    expect(simulator.checkPassword(live.vendorClusterId, username, backend.password)).toBe(true);
  });

  it('goes on reading back through an outage of the reading', async () => {
    await gateway.stop();
    gateway = await startGateway({ ...live.raw, server: { ...SERVER, settleSeconds: 5 } });
    const username = backend.newName();
    simulator.inject({ kind: 'reset_after', action: add });
    simulator.inject({ kind: 'http_status', status: 500, action: list, times: 4 });
    expect((await create(username)).status).toBe(201);
  });

  it('says that nothing was changed where that is sure', async () => {
    simulator.inject({ kind: 'throttle', action: add, times: -1 });
    const { status, body } = await create(backend.newName());
    expect([status, body.code]).toEqual([429, 'vendor_rate_limited']);
    expect(body.detail).toContain('Nothing was changed.');
  });

  it('tells a caller who could not be told in time', async () => {
    await gateway.stop();
    gateway = await startGateway({ ...live.raw, server: { ...SERVER, deadlineSeconds: 0.2, settleSeconds: 0.8 } });
    simulator.inject({ kind: 'reset_before', action: add });
    const { status, headers } = await create(backend.newName());
    expect(status).toBe(504);
    const { body } = await until(
      () => gateway.get(headers.get('location') as string),
      (answer) => answer.body.finishedAt !== null,
    );
    expect(body.results).toMatchObject([{ status: 'failed', problem: { code: 'vendor_unavailable' } }]);
  });

  it('tells that a user is not there before it tells that the vendor dislikes the name', async () => {
    for (const username of ['bad-name.x', 'much_too_long_for_any_vendor_rule']) {
      const answers = [await gateway.request('DELETE', `${USERS}/${username}`), await put(username, backend.password)];
      for (const { status, body } of answers) expect([username, status, body.code]).toEqual([username, 404, 'user_not_found']);
    }
  });
});

describe('a failure that the vendor reports although the effect is there', () => {
  it.each([
    ['alibaba-ehpc, acs3, sync listing', { kind: 'error_after', code: 'AgentError', status: 406, action: 'AddUsers' }],
    ['alibaba-ehpc, acs3, sync listing', { kind: 'error_after', code: 'ServiceUnavailable', status: 503, action: 'AddUsers' }],
    ['shanhe-hpc, gateway search', { kind: 'job_fails_after', action: '/user/addUser' }],
  ] as const)('%s: is settled by reading back (%o)', async (name, fault) => {
    const backend = backendNamed(name);
    const live = await backend.start();
    const simulator = live.simulator as Simulator;
    const gateway = await startGateway({ ...live.raw, server: SERVER });
    for (let round = 0; round < 3; round++) {
      const username = backend.newName();
      simulator.inject(fault as Fault);
      const { status, body } = await gateway.post(USERS, { username, password: backend.password });
      expect([status, body.username]).toEqual([201, username]);
      expect(simulator.journal.filter((effect) => effect.username === username)).toHaveLength(1);
    }
    await gateway.stop();
    await live.close();
  });
});

describe('outages while following a job', () => {
  it.each(['5000', '1400', '1200', '2100'])('ret_code %s of /operation is no verdict on the job', async (code) => {
    const backend = backendNamed('shanhe-hpc, gateway search');
    const live = await backend.start();
    const simulator = live.simulator as Simulator;
    const gateway = await startGateway({ ...live.raw, server: { ...SERVER, settleSeconds: 3 } });
    const inject = () => simulator.inject({ kind: 'vendor_error', code, action: '/operation' });
    inject();
    const username = backend.newName();
    expect((await gateway.post(USERS, { username, password: backend.password })).status).toBe(201);
    inject();
    expect((await gateway.request('DELETE', `${USERS}/${username}`)).status).toBe(204);
    await gateway.stop();
    await live.close();
  });
});

describe('times that prove nothing', () => {
  it.each([
    ['a clock eight hours ahead', { addTime: 'zoneless', zonelessClock: 'china' }],
    ['no time at all', { addTime: 'missing' }],
  ] as const)('%s are made up for by a reading before the send', async (_, quirks) => {
    const made = new Date(Date.now() - 3 * 3_600_000).toISOString();
    const simulator = await startEhpc({
      quirks,
      clusters: [
        { id: EHPC_CLUSTER, name: 'c', status: 'running', users: [{ name: 'older.one', group: 'users', addTime: made }] },
      ],
    });
    const raw = {
      accounts: { a: { ...ehpcAccount(simulator), listing: 'sync' } },
      clusters: [{ id: CLUSTER, account: 'a', vendorClusterId: EHPC_CLUSTER }],
    };
    const gateway = await startGateway({ ...raw, server: SERVER });
    simulator.inject({ kind: 'reset_before', action: 'AddUsers' });
    const { status, body } = await gateway.post(USERS, { username: 'older.one', password: 'Abcdefg1@klm' });
    // No clock can say whose they are, but a reading before the send can.
    expect([status, body.code]).toEqual([409, 'user_already_exists']);
    expect(simulator.journal).toEqual([]);
    await gateway.stop();
    await simulator.close();
  });
});
