/** Single writes to one cluster at the same time: a vendor that takes one call at a time gets few, and each caller the word on their user. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AlibabaEhpcSimulator } from '../../simulators/alibaba-ehpc/index.js';
import { EHPC_CLUSTER, ehpcAccount, startEhpc } from '../support/backends.js';
import { startGateway, type TestAnswer, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const CLUSTER = 'hangzhou';
const USERS = `/clusters/${CLUSTER}/users`;
const TAKEN = 'user.0030';
const LATENCY_MS = 100;
/** Shorter than a call takes: who waits for the answer is never refused. */
const WRITE_MS = 80;
/** Four pages of 50 are read before one delete, ten before creates. */
const SEEDED = Array.from({ length: 260 }, (_, at) => `user.${String(at).padStart(4, '0')}`);

let fresh = 0;
const newName = (): string => `merged.${String(++fresh).padStart(4, '0')}`;
const newNames = (count: number): string[] => Array.from({ length: count }, newName);
const passwordOf = (username: string): string => `Pass@${username}1`;

describe.each(['all-or-nothing', 'until-refused', 'skips-refused'] as const)(
  'a cluster that takes one write at a time, %s',
  (batch) => {
    let simulator: AlibabaEhpcSimulator;
    let gateway: TestGateway;
    beforeEach(async () => {
      const users = SEEDED.map((name) => ({ name, group: 'users' as const, addTime: '2024-03-05T08:00:00.000Z' }));
      const clusters = [{ id: EHPC_CLUSTER, name: 'merging', status: 'running', users }];
      simulator = await startEhpc({ clusters, latencyMs: LATENCY_MS, quirks: { writeMs: WRITE_MS, batch } });
      gateway = await startGateway({
        server: { settleSeconds: 0.5, drainSeconds: 0 },
        accounts: { a: { ...ehpcAccount(simulator), listing: 'sync' } },
        clusters: [{ id: CLUSTER, account: 'a', vendorClusterId: EHPC_CLUSTER }],
      });
    });
    afterEach(async () => {
      await gateway.stop();
      await simulator.close();
    });

    const create = (username: string): Promise<TestAnswer> => gateway.post(USERS, { username, password: passwordOf(username) });
    const callsOf = (action: string): number => simulator.calls.filter((call) => call.action === action).length;
    const hasOwnPassword = (username: string): boolean => simulator.checkPassword(EHPC_CLUSTER, username, passwordOf(username));
    const effects = (username: string): string[] =>
      simulator.journal.filter((effect) => effect.username === username).map(({ effect }) => effect);

    it('makes ten users who are asked for at once, with at most three calls', async () => {
      const names = newNames(10);
      const answers = await Promise.all(names.map(create));
      expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201));
      expect(answers.map(({ body }) => body.username)).toEqual(names);
      expect(callsOf('AddUsers')).toBeLessThanOrEqual(3);
      expect(names.filter(hasOwnPassword)).toEqual(names);
      expect(simulator.calls.filter(({ code }) => code === 'ConflictOpt')).toEqual([]);
    });

    it('makes the other nine when one of the names is taken, which is refused', async () => {
      const names = newNames(9);
      const asked = [...names.slice(0, 4), TAKEN, ...names.slice(4)];
      const answers = await Promise.all(asked.map(create));
      expect(answers.map(({ status }) => status)).toEqual(asked.map((name) => (name === TAKEN ? 409 : 201)));
      expect(answers[4]?.body.code).toBe('user_already_exists');
      expect(names.map((name) => [hasOwnPassword(name), effects(name)])).toEqual(names.map(() => [true, ['created']]));
      expect([effects(TAKEN), hasOwnPassword(TAKEN)]).toEqual([[], false]);
    });

    it('refuses one that the vendor refuses, with its word, and makes the others', async () => {
      const names = newNames(6);
      const bad = names[3] as string;
      simulator.inject({ kind: 'vendor_error', code: 'InvalidParams', username: bad, action: 'AddUsers', times: -1 });
      const answers = await Promise.all(names.map(create));
      expect(answers.map(({ status }) => status)).toEqual(names.map((name) => (name === bad ? 422 : 201)));
      expect(answers[3]?.body.vendor.code).toBe('InvalidParams');
      expect(names.filter(hasOwnPassword)).toEqual(names.filter((name) => name !== bad));
    });

    it('deletes those who are there, and says of one who is not that they are not', async () => {
      // Behind the pages that are read before one delete: what becomes of these in a shared call could not be said afterwards.
      const names = ['user.0251', 'user.0252', 'nobody.here', 'user.0253', 'user.0254'];
      const answers = await Promise.all(names.map((name) => gateway.request('DELETE', `${USERS}/${name}`)));
      expect(answers.map(({ status }) => status)).toEqual(names.map((name) => (name === 'nobody.here' ? 404 : 204)));
      expect(names.map(effects)).toEqual(names.map((name) => (name === 'nobody.here' ? [] : ['deleted'])));
    });

    it('sets each password in a call of its own, so that one that is refused is refused with its word', async () => {
      const names = ['user.0051', 'user.0052', 'user.0053', 'user.0054'];
      const bad = names[2] as string;
      simulator.inject({ kind: 'vendor_error', code: 'InvalidParams', username: bad, action: 'ModifyUserPasswords', times: -1 });
      const answers = await Promise.all(
        names.map((name) => gateway.request('PUT', `${USERS}/${name}/password`, { body: { password: passwordOf(name) } })),
      );
      expect(answers.map(({ status }) => status)).toEqual(names.map((name) => (name === bad ? 422 : 204)));
      expect(names.filter(hasOwnPassword)).toEqual(names.filter((name) => name !== bad));
    });

    it('makes single users while a batch runs, in between', async () => {
      const items = newNames(300).map((username) => ({ op: 'create', username, password: passwordOf(username) }));
      const running = gateway.post(`${USERS}/batch`, { items });
      await until(() => callsOf('AddUsers') > 0);
      const answers = await Promise.all(newNames(5).map(create));
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
      expect((await running).body.summary).toMatchObject({ created: 300 });
      expect(simulator.calls.filter(({ code }) => code === 'ConflictOpt')).toEqual([]);
    });

    it('puts a write with If-Match into no call with others, nor two writes to one user', async () => {
      const [username, other] = ['user.0061', 'user.0062'];
      const patch = (name: string, role: string, more: Record<string, string> = {}) =>
        gateway.request('PATCH', `${USERS}/${name}`, { body: { role }, headers: more });
      const { headers } = await gateway.get(`${USERS}/${username}`);
      // While this one is under way, the others wait; for less long than a check of If-Match counts.
      simulator.inject({ kind: 'delay', delayMs: 700, action: 'ModifyUserGroups' });
      const first = patch('user.0063', 'admin');
      await until(() => callsOf('ModifyUserGroups') > 0);
      const waiting = [
        patch(username, 'admin', { 'if-match': headers.get('etag') as string }),
        patch(other, 'admin'),
        patch(other, 'member'),
        patch('user.0064', 'admin'),
      ];
      expect((await Promise.all([first, ...waiting])).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      const together = simulator.calls
        .filter(({ action }) => action === 'ModifyUserGroups')
        .map(({ params }) => Object.entries(params).flatMap(([key, value]) => (key.endsWith('.Name') ? [value] : [])));
      expect(together).toContainEqual([username]);
      expect(together.filter((names) => names.includes(username) && names.length > 1)).toEqual([]);
      expect(together.filter((names) => new Set(names).size < names.length)).toEqual([]);
      // Those that may share a call do.
      expect(together.some((names) => names.length > 1)).toBe(true);
    });
  },
);
