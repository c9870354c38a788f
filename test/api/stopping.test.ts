/** Where a batch stops at an error, and what a single write is told that was cancelled before its turn came. */
import { describe, expect, it } from '@jest/globals';
import { bothVendors } from '../support/both-vendors.js';
import type { TestAnswer } from '../support/gateway.js';
import { until } from '../support/wait.js';

const stage = bothVendors();

const PASSWORD = 'Unrepeatable1@x';
let fresh = 0;
const newName = (): string => `st${String(++fresh).padStart(4, '0')}`;
const creating = (username = newName()) => ({ op: 'create', username, password: PASSWORD });
const statuses = ({ body }: TestAnswer): string[] => body.results.map(({ status }: { status: string }) => status);
const effectsOn = (username: string): string[] =>
  [...stage.ehpc.journal, ...stage.shanhe.journal].filter((e) => e.username === username).map(({ effect }) => effect);

describe('stopOnError', () => {
  const stopping = (cluster: string, items: object[], more: object = {}) =>
    stage.gateway.post(`/clusters/${cluster}/users/batch`, { items, stopOnError: true, ...more });

  it.each([
    ['ali', 'user.0030'],
    ['shan', 'u0030'],
  ])('sends nothing that stands behind the item that was not done, as a dry run foresees: %s', async (cluster, taken) => {
    const items = [creating(), creating(taken), creating()];
    const foreseen = await stopping(cluster, items, { dryRun: true });
    const done = await stopping(cluster, items);
    expect(statuses(done)).toEqual(['created', 'already_exists', 'cancelled']);
    expect(statuses(foreseen)).toEqual(statuses(done));
    expect(items.map(({ username }) => effectsOn(username).length)).toEqual([1, 0, 0]);
  });

  it('stops at the first of the items that a rule forbids', async () => {
    const items = [creating(), creating('-'), creating('-'), creating()];
    const foreseen = await stopping('ali', items, { dryRun: true });
    const done = await stopping('ali', items);
    expect(statuses(done)).toEqual(['created', 'refused', 'cancelled', 'cancelled']);
    expect(statuses(foreseen)).toEqual(statuses(done));
  });

  it('sends nothing behind a bad item that was looked for in halves', async () => {
    const items = Array.from({ length: 40 }, () => creating());
    const bad = items[20]?.username as string;
    stage.ehpc.inject({ kind: 'vendor_error', code: 'InvalidParams', username: bad, action: 'AddUsers', times: -1 });
    const done = await stopping('ali', items);
    const expected = items.map((_, index) => (index < 20 ? 'created' : index === 20 ? 'refused' : 'cancelled'));
    expect(statuses(done)).toEqual(expected);
    expect(items.flatMap(({ username }) => effectsOn(username))).toHaveLength(20);
  });

  it('is told in the state of the operation, be there something behind the error or not', async () => {
    for (const [state, items] of [
      ['failed', [creating('-'), creating()]],
      ['partially_succeeded', [creating(), creating('-')]],
    ] as const) {
      const { body } = await stopping('ali', [...items]);
      expect((await stage.gateway.get(`/operations/${body.operationId}`)).body.state).toBe(state);
    }
  });
});

describe('a single write that is cancelled before its turn comes', () => {
  it('is told as not made', async () => {
    const username = newName();
    stage.shanhe.inject({ kind: 'delay', delayMs: 1_500, action: '/user/addUser' });
    const first = stage.gateway.post('/clusters/shan/users', { username, password: PASSWORD });
    await until(() =>
      stage.shanhe.calls.some(({ action, params }) => action === '/user/addUser' && JSON.stringify(params).includes(username)),
    );
    const second = stage.gateway.request('DELETE', `/clusters/shan/users/${username}`, {
      headers: { 'idempotency-key': 'late' },
    });
    const { body } = await until(
      () => stage.gateway.get('/operations?limit=1'),
      (answer) => answer.body.items[0].kind === 'deleteUser',
    );
    expect(body.items[0]).toMatchObject({ kind: 'deleteUser', state: 'pending' });
    await stage.gateway.request('POST', `${body.items[0].links.self}/cancel`);
    const { status, body: problem } = await second;
    expect([status, problem.code]).toEqual([409, 'operation_cancelled']);
    expect((await first).status).toBe(201);
  });
});

describe('a path that two templates fit', () => {
  it('names the methods of both', async () => {
    const response = await fetch(`${stage.gateway.url}/clusters/shan/users/batch`, { method: 'OPTIONS' });
    expect([response.status, response.headers.get('allow')?.split(', ').sort()]).toEqual([
      405,
      ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'],
    ]);
  });
});
