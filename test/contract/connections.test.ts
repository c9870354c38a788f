/** Connections that end at either side while something is under way. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors } from '../support/both-vendors.js';
import { pause, until } from '../support/wait.js';

const stage = bothVendors();
const PASSWORD = 'Choose@Your0wn';

const VENDORS = [
  {
    cluster: 'ali',
    list: 'ListUsers',
    set: 'ModifyUserPasswords',
    add: 'AddUsers',
    known: 'user.0003',
    simulator: () => stage.ehpc,
  },
  {
    cluster: 'shan',
    list: '/user',
    set: '/user/modifyUser',
    add: '/user/addUser',
    known: 'u0003',
    simulator: () => stage.shanhe,
  },
] as const;

describe.each(VENDORS)('a kept connection that $cluster has closed', ({ cluster, list, set, add, known, simulator }) => {
  const users = `/clusters/${cluster}/users`;
  const codesOf = (action: string): string[] =>
    simulator()
      .calls.filter((call) => call.action === action)
      .map(({ code, faulted }) => faulted ?? code);
  /** The next call of the action goes over a connection that was used before. */
  const closed = async (action: string): Promise<void> => {
    await stage.gateway.get(`${users}?limit=1`);
    simulator().resetCalls();
    simulator().inject({ kind: 'reset_before', action, times: 1 });
  };

  it('costs a reading nothing', async () => {
    const times: number[] = [];
    for (let time = 0; time < 5; time++) {
      await closed(list);
      const from = performance.now();
      expect((await stage.gateway.get(`${users}?limit=1`)).status).toBe(200);
      expect(codesOf(list)).toEqual(['reset_before', 'OK']);
      times.push(performance.now() - from);
    }
    // A retry waits for 100 ms at least, and for 200 on average; the machine may be busy now and then.
    expect(Math.min(...times)).toBeLessThan(100);
  });

  it('costs a password a moment: it is set once more', async () => {
    await stage.gateway.request('PUT', `${users}/${known}/password`, { body: { password: PASSWORD } });
    await closed(set);
    const { status } = await stage.gateway.request('PUT', `${users}/${known}/password`, { body: { password: `${PASSWORD}2` } });
    expect([status, codesOf(set)]).toEqual([204, ['reset_before', 'OK']]);
  });

  it('is not counted by the circuit breaker', async () => {
    for (let time = 0; time < 12; time++) {
      await closed(list);
      expect((await stage.gateway.get(`${users}?limit=1`)).status).toBe(200);
    }
  });

  it('leaves open whether a user was made: they are read back before another try', async () => {
    const username = `cls${cluster.charAt(0)}0001`;
    await stage.gateway.post(users, { username: `cls${cluster.charAt(0)}0000`, password: PASSWORD });
    await closed(add);
    const { status } = await stage.gateway.post(users, { username, password: PASSWORD });
    expect([status, codesOf(add)]).toEqual([201, ['reset_before', 'OK']]);
    const actions = simulator().calls.map(({ action }) => action);
    expect(actions.slice(actions.indexOf(add) + 1, actions.lastIndexOf(add))).toContain(list);
  });
});

describe('a caller who leaves', () => {
  const leaveAfter = async (path: string, calls: () => number, init: RequestInit = {}): Promise<void> => {
    const leaving = new AbortController();
    const answer = fetch(`${stage.gateway.url}${path}`, { ...init, signal: leaving.signal }).catch(() => undefined);
    await until(() => calls() > 0);
    leaving.abort();
    await answer;
  };

  it.each(['/clusters/shan/users?limit=1000', '/clusters/shan/users?role=admin', '/clusters/shan/users/nobody.here'])(
    'ends the vendor calls of %s',
    async (path) => {
      stage.shanhe.inject({ kind: 'delay', delayMs: 150, action: '/user', times: -1 });
      stage.shanhe.resetCalls();
      const calls = (): number => stage.shanhe.calls.filter(({ action }) => action === '/user').length;
      await leaveAfter(path, calls);
      await pause(100);
      const before = calls();
      await pause(600);
      expect([calls() - before, before <= 4]).toEqual([0, true]);
    },
  );

  it('does not end a write', async () => {
    stage.shanhe.clearFaults();
    stage.shanhe.inject({ kind: 'delay', delayMs: 150, action: '/user/addUser', times: 1 });
    const body = JSON.stringify({ username: 'leaver01', password: PASSWORD });
    const made = (): number => stage.shanhe.calls.filter(({ action }) => action === '/user/addUser').length;
    stage.shanhe.resetCalls();
    await leaveAfter('/clusters/shan/users', made, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await until(async () => (await stage.gateway.get('/clusters/shan/users/leaver01')).status === 200);
  });
});
