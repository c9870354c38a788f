/** What a caller is told when the vendor's answer is late, lost or wrong, against what really happened. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from '../../simulators/kit/index.js';
import { type Backend, CLUSTER, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

const USERS = `/clusters/${CLUSTER}/users`;
export interface Actions {
  readonly add: string;
  readonly remove: string;
  readonly setPassword: string;
  readonly list: string;
}

/** @param actions what the vendor calls its operations */
export const outcomes = (backend: Backend, { add, remove, setPassword, list }: Actions): void => {
  describe(`outcomes: ${backend.name}`, () => {
    let live: LiveBackend;
    let simulator: Simulator;
    let gateway: TestGateway;
    beforeEach(async () => {
      live = await backend.start();
      simulator = live.simulator as Simulator;
      gateway = await startGateway({ ...live.raw, server: { deadlineSeconds: 10, drainSeconds: 0, settleSeconds: 0.5 } });
    });
    afterEach(async () => {
      await gateway.stop();
      await live.close();
    });

    const callsOf = (action: string): number => simulator.calls.filter((call) => call.action === action).length;
    const effectsOn = (username: string): string[] =>
      simulator.journal.filter((effect) => effect.username === username).map(({ effect }) => effect);
    const create = (username: string) => gateway.post(USERS, { username, password: backend.password });
    const impatient = async (deadlineSeconds: number): Promise<void> => {
      await gateway.stop();
      gateway = await startGateway({ ...live.raw, server: { deadlineSeconds, drainSeconds: 0, settleSeconds: 0.5 } });
    };
    const finalState = async (location: string) =>
      (
        await until(
          () => gateway.get(location),
          ({ body }) => body.finishedAt !== null,
        )
      ).body;

    it.each(['reset_after', 'cut_json'] as const)('finds the user of a create whose answer was lost (%s)', async (kind) => {
      const username = backend.newName();
      simulator.inject({ kind, action: add });
      const { status, body } = await create(username);
      expect([status, body.username]).toEqual([201, username]);
      expect(callsOf(add)).toBe(1);
      expect(effectsOn(username)).toEqual(['created']);
    });

    it.each(['reset_before', 'html', 'http_status'] as const)(
      'sends a create again that reading back shows was not made (%s)',
      async (kind) => {
        const username = backend.newName();
        simulator.inject({ kind, action: add, ...(kind === 'http_status' && { status: 503 }) });
        expect((await create(username)).status).toBe(201);
        expect(callsOf(add)).toBe(2);
        expect(effectsOn(username)).toEqual(['created']);
      },
    );

    it.each(['reset_before', 'html', 'http_status'] as const)(
      'reports a create that the vendor never made, however often it was sent (%s)',
      async (kind) => {
        const username = backend.newName();
        simulator.inject({ kind, action: add, times: -1, ...(kind === 'http_status' && { status: 503 }) });
        const { status, body, headers } = await create(username);
        expect([status, body.code, body.retryable]).toEqual([503, 'vendor_unavailable', true]);
        expect(body.detail).toContain('The user was not created.');
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        expect(callsOf(add)).toBeLessThanOrEqual(6);
        expect(effectsOn(username)).toEqual([]);
        simulator.clearFaults();
        expect((await create(username)).status).toBe(201);
      },
    );

    it('does not take an older namesake for the user whose answer was lost', async () => {
      const username = backend.seeded[7] as string;
      simulator.inject({ kind: 'reset_before', action: add });
      const { status, body } = await create(username);
      // E-HPC's refusal of a taken name and Shanhe's job are both lost: only the age of the user tells.
      expect([status, body.code]).toEqual([409, 'user_already_exists']);
      expect(effectsOn(username)).toEqual([]);
    });

    it('says so when a lost answer cannot be read back', async () => {
      const username = backend.newName();
      simulator.inject({ kind: 'reset_after', action: add });
      simulator.inject({ kind: 'http_status', status: 500, action: list, times: -1 });
      const { status, body } = await create(username);
      expect([status, body.code]).toEqual([503, 'vendor_unavailable']);
      expect(body.detail).toContain('could not be read back');
    });

    it('answers 504 still_running when the deadline comes first, and the operation has the end', async () => {
      await impatient(0.5);
      const username = backend.newName();
      simulator.inject({ kind: 'delay', delayMs: 1200, action: add });
      const { status, body, headers } = await create(username);
      expect([status, body.code, body.operation.href]).toEqual([504, 'still_running', headers.get('location')]);
      const operation = await finalState(headers.get('location') as string);
      expect(operation).toMatchObject({ id: body.operation.id, state: 'succeeded', progress: { settled: 1, total: 1 } });
      expect(operation.results).toMatchObject([{ username, op: 'create', status: 'created', user: { username } }]);
      expect(effectsOn(username)).toEqual(['created']);
    });

    it('puts the failure of an outlasting write into its operation', async () => {
      await impatient(0.5);
      const username = backend.seeded[3] as string;
      simulator.inject({ kind: 'delay', delayMs: 1200, action: add });
      const { headers } = await create(username);
      const { results } = await finalState(headers.get('location') as string);
      expect(results).toMatchObject([
        { username, status: 'already_exists', problem: { code: 'user_already_exists', status: 409 } },
      ]);
    });

    it('answers 504 when reading outlasts the deadline', async () => {
      await impatient(0.5);
      simulator.inject({ kind: 'hang', action: list, times: -1 });
      const { status, body } = await gateway.get(USERS);
      expect([status, body.code, body.retryable]).toEqual([504, 'vendor_timeout', true]);
    });

    it('tells of a delete whose answer was lost', async () => {
      const [gone, kept] = [backend.seeded[20] as string, backend.seeded[21] as string];
      simulator.inject({ kind: 'reset_after', action: remove });
      expect((await gateway.request('DELETE', `${USERS}/${gone}`)).status).toBe(204);
      expect(effectsOn(gone)).toEqual(['deleted']);
      simulator.inject({ kind: 'reset_before', action: remove });
      expect((await gateway.request('DELETE', `${USERS}/${kept}`)).status).toBe(204);
      expect(effectsOn(kept)).toEqual(['deleted']);
      const another = backend.seeded[22] as string;
      simulator.inject({ kind: 'reset_before', action: remove, times: -1 });
      const { status, body } = await gateway.request('DELETE', `${USERS}/${another}`);
      expect([status, body.code]).toEqual([503, 'vendor_unavailable']);
      expect(body.detail).toContain('The user was not deleted.');
      expect(effectsOn(another)).toEqual([]);
    });

    it('sets a password through a lost answer: doing it twice is doing it once', async () => {
      const username = backend.seeded[30] as string;
      simulator.inject({ kind: 'reset_after', action: setPassword });
      expect(
        (await gateway.request('PUT', `${USERS}/${username}/password`, { body: { password: backend.password } })).status,
      ).toBe(204);
      expect(simulator.checkPassword(live.vendorClusterId, username, backend.password)).toBe(true);
    });

    it.each(['http_status', 'reset_before', 'html'] as const)('reads through a passing outage (%s)', async (kind) => {
      simulator.inject({ kind, action: list, ...(kind === 'http_status' && { status: 500 }) });
      expect((await gateway.get(`${USERS}?limit=10`)).status).toBe(200);
    });

    it.each([
      ['wrong_shape', 502, 'vendor_bad_response'],
      ['cut_json', 502, 'vendor_bad_response'],
      ['html', 503, 'vendor_unavailable'],
      ['http_status', 503, 'vendor_unavailable'],
    ] as const)('never takes a broken list for a list (%s)', async (kind, status, code) => {
      simulator.inject({ kind, action: list, times: -1, ...(kind === 'http_status' && { status: 500 }) });
      const answer = await gateway.get(USERS);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(answer.text).not.toMatch(/<html|127\.0\.0\.1|[Ss]ignature=|\bat .*\.[jt]s/);
    });

    it.each(['missing', 'array', 'null', 'strings'] as const)('takes no list of another shape (%s)', async (shape) => {
      simulator.inject({ kind: 'wrong_shape', shape, action: list, times: -1 });
      expect((await gateway.get(USERS)).body.code).toBe('vendor_bad_response');
    });

    it('leaves a vendor alone that fails again and again, and comes back', async () => {
      simulator.inject({ kind: 'http_status', status: 500, action: list, times: -1 });
      for (let attempt = 0; attempt < 5; attempt++) await gateway.get(USERS);
      simulator.resetCalls();
      const { status, headers } = await gateway.get(USERS);
      expect([status, headers.get('retry-after')]).toEqual([503, '5']);
      expect(simulator.calls).toEqual([]);
    });

    it('corrects its clock by the vendor’s', async () => {
      simulator.setClockSkew(20 * 60_000);
      expect((await gateway.get(USERS)).status).toBe(200);
      simulator.setClockSkew(-40 * 60_000);
      expect((await create(backend.newName())).status).toBe(201);
    });

    it('answers 502 for a clock that cannot be corrected', async () => {
      simulator.setClockSkew(20 * 60_000, { dateHeader: 'none' });
      const { status, body } = await gateway.get(USERS);
      expect([status, body.code]).toEqual([502, 'vendor_clock_skew']);
    });

    it('finishes what is running when it stops', async () => {
      await gateway.stop();
      gateway = await startGateway({ ...live.raw, server: { deadlineSeconds: 0.3, drainSeconds: 10 } });
      const username = backend.newName();
      simulator.inject({ kind: 'delay', delayMs: 900, action: add });
      expect((await create(username)).status).toBe(504);
      const before = callsOf(list);
      await gateway.stop();
      expect(effectsOn(username)).toEqual(['created']);
      expect(callsOf(list)).toBeGreaterThan(before);
    });
  });
};
