/** Faults that no vendor's protocol shapes: an adapter that fails before, after and in the middle of its work. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { adapters } from '../../adapters/index.js';
import { createGateway, type Gateway } from '../../api/gateway.js';
import type { Effect } from '../../simulators/kit/index.js';
import type { Adapter, AdapterModule } from '../../src/adapter.js';
import { checkConfig } from '../../src/config/load.js';
import { GatewayError } from '../../src/errors.js';
import { secretsIn } from '../../src/secret.js';
import { backendNamed } from '../support/backends.js';
import { assertDocumented } from '../support/contract-check.js';
import { counted } from './batch-faults.js';
import { agrees, answersInOrder, BATCH, type Item, type Result } from './batches.js';

type Write = 'createUsers' | 'setRoles' | 'setPasswords' | 'deleteUsers';

interface Trouble {
  readonly method: Write | 'listUsers';
  /** How much of the work is done all the same; default none. */
  readonly share?: number;
  readonly error: () => unknown;
  readonly username?: string;
  times: number;
}

const EFFECTS: Readonly<Record<Write, Effect['effect']>> = {
  createUsers: 'created',
  setRoles: 'role_changed',
  setPasswords: 'password_changed',
  deleteUsers: 'deleted',
};

const backend = backendNamed('memory');
const lost = () => new GatewayError('vendor_unavailable', 'The connection broke.');
const agentFailed = () => new GatewayError('cluster_agent_failed', 'The cluster failed.');

describe('batches over an adapter that fails', () => {
  let journal: Effect[];
  let troubles: Trouble[];
  let calls: string[];
  let passwords: Map<string, string>;
  let gateway: Gateway;
  let url: string;
  let lines: string[];

  const takeTrouble = (method: Trouble['method'], usernames: readonly string[]): Trouble | undefined => {
    const trouble = troubles.find(
      (one) => one.method === method && one.times > 0 && (one.username === undefined || usernames.includes(one.username)),
    );
    if (trouble) trouble.times--;
    return trouble;
  };

  const troubled = (adapter: Adapter): Adapter => {
    const write = (method: Write) => async (clusterId: string, users: readonly (string | object)[], call: never) => {
      const nameOf = (user: string | object) => (typeof user === 'string' ? user : (user as { username: string }).username);
      calls.push(method);
      const trouble = takeTrouble(method, users.map(nameOf));
      const done = users.slice(0, Math.floor(users.length * (trouble ? (trouble.share ?? 0) : 1)));
      const work = adapter[method] as (clusterId: string, users: unknown, call: never) => Promise<never>;
      const receipt = await work(clusterId, done, call);
      for (const user of done) {
        journal.push({ at: '', clusterId, username: nameOf(user), effect: EFFECTS[method] });
        const [secret] = secretsIn(user);
        if (secret) passwords.set(nameOf(user), secret.unwrap());
      }
      if (trouble) throw trouble.error();
      return receipt;
    };
    return {
      ...adapter,
      listUsers: async (...args) => {
        const trouble = takeTrouble('listUsers', []);
        if (trouble) throw trouble.error();
        return adapter.listUsers(...args);
      },
      createUsers: write('createUsers'),
      setRoles: write('setRoles'),
      setPasswords: write('setPasswords'),
      deleteUsers: write('deleteUsers'),
    };
  };

  beforeEach(async () => {
    [journal, troubles, calls, passwords, lines] = [[], [], [], new Map(), []];
    const memory = adapters['memory'] as AdapterModule;
    const modules = { memory: { ...memory, create: (context: never) => troubled(memory.create(context)) } };
    const server = { port: 0, settleSeconds: 0.25, drainSeconds: 0 };
    const { raw } = await backend.start();
    const config = checkConfig({ store: { kind: 'memory' }, ...raw, server }, modules, {});
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    gateway = createGateway(config, modules, log);
    url = await gateway.listen();
  });
  afterEach(() => gateway.stop());

  const trouble = (method: Trouble['method'], error: () => unknown, more: Partial<Trouble> = {}) =>
    troubles.push({ method, error, times: 1, ...more });
  const creates = (count: number): Item[] =>
    Array.from({ length: count }, () => ({ op: 'create', username: backend.newName(), password: backend.password }));
  const deletes = (count: number): Item[] => backend.seeded.slice(0, count).map((username) => ({ op: 'delete', username }));
  const countOf = (method: string): number => calls.filter((call) => call === method).length;

  const send = async (items: readonly Item[]): Promise<Result[]> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}${BATCH}`, { method: 'POST', headers, body: JSON.stringify({ items }) });
    const text = await response.text();
    const { status } = response;
    const body = JSON.parse(text);
    assertDocumented('POST', BATCH, { status, headers: response.headers, text, body });
    answersInOrder(items, body);
    agrees(body.results, journal);
    expect(text + lines.join('')).not.toContain(backend.password);
    return body.results;
  };

  it.each([
    ['nothing', lost, 0, 4],
    ['a third', lost, 1 / 3, 3],
    ['all', lost, 1, 1],
    ['half, and the cluster says that it failed', agentFailed, 1 / 2, 3],
    ['all, and the cluster says that it failed', agentFailed, 1, 1],
    ['half, and the adapter has a fault', () => new TypeError('x is not a function'), 1 / 2, 3],
  ])('ends well when a call that fails did %s', async (_, error, share, most) => {
    trouble('createUsers', error, { share });
    expect(counted(await send(creates(90)))).toEqual({ created: 90 });
    expect(countOf('createUsers')).toBeLessThanOrEqual(most);
    journal.length = 0;
    trouble('deleteUsers', error, { share });
    expect(counted(await send(deletes(90)))).toEqual({ deleted: 90 });
    expect(countOf('deleteUsers')).toBeLessThanOrEqual(most);
  });

  it('sends roles and passwords again whose answer was lost, and ends with the right ones', async () => {
    trouble('setRoles', lost, { share: 1 / 2 });
    trouble('setPasswords', lost, { share: 1 / 2 });
    const items = backend.seeded
      .slice(0, 30)
      .map((username): Item => ({ op: 'update', username, role: 'owner', password: backend.password }));
    expect(counted(await send(items))).toEqual({ updated: 30 });
    expect(items.every(({ username }) => passwords.get(username) === backend.password)).toBe(true);
  });

  it('says that it does not know of a password whose answer is lost each time', async () => {
    trouble('setPasswords', lost, { username: backend.seeded[4] as string, times: Number.POSITIVE_INFINITY });
    const items = backend.seeded.slice(0, 10).map((username): Item => ({ op: 'update', username, password: backend.password }));
    const results = await send(items);
    expect(counted(results)).toEqual({ updated: 9, unknown: 1 });
    expect(results[4]).toMatchObject({ status: 'unknown', problem: { code: 'vendor_unavailable', retryable: true } });
  });

  it('tells of a fault of the adapter once for the one item, and in the log', async () => {
    const items = creates(50);
    const { username } = items[20] as Item;
    trouble('createUsers', () => new TypeError('no such property'), { username, times: Number.POSITIVE_INFINITY });
    const results = await send(items);
    expect(counted(results)).toEqual({ created: 49, failed: 1 });
    expect(results[20]).toMatchObject({ status: 'failed', problem: { code: 'internal_error' } });
    expect(JSON.stringify(results)).not.toContain('no such property');
    expect(lines.join('')).toContain('no such property');
  });

  it('knows nothing of the items of a lost call when the cluster cannot be read back', async () => {
    trouble('createUsers', lost, { share: 1 / 2 });
    trouble('listUsers', lost, { times: Number.POSITIVE_INFINITY });
    const results = await send(creates(130));
    expect(counted(results)).toEqual({ unknown: 100, created: 30 });
    expect(countOf('createUsers')).toBeLessThanOrEqual(3);
  });

  it('finds nobody for what stands after a create that failed', async () => {
    const [first, ...rest] = creates(40) as [Item, ...Item[]];
    const { username } = first;
    trouble('createUsers', lost, { username, times: Number.POSITIVE_INFINITY });
    const update: Item = { op: 'update', username, password: backend.password };
    const results = await send([first, ...rest, update, { op: 'delete', username }]);
    expect([results[0], results[40], results[41]].map((result) => result?.status)).toEqual(['failed', 'not_found', 'not_found']);
    expect(counted(results)).toEqual({ created: 39, failed: 1, not_found: 2 });
  });

  it('continues with the rest when a permission is missing for one call', async () => {
    trouble('createUsers', () => new GatewayError('vendor_permission_denied', 'Not allowed.'));
    const results = await send(creates(120));
    expect(counted(results)).toEqual({ refused: 100, created: 20 });
    expect(results[0]?.problem?.code).toBe('vendor_permission_denied');
  });

  it('leaves it at one call when the account is not in order', async () => {
    trouble('createUsers', () => new GatewayError('vendor_account_problem', 'Overdue.'), { times: Number.POSITIVE_INFINITY });
    const results = await send([...creates(250), ...deletes(20)]);
    expect(counted(results)).toEqual({ failed: 270 });
    expect(new Set(results.map(({ problem }) => problem?.code))).toEqual(new Set(['vendor_account_problem']));
    expect(calls).toEqual(['createUsers']);
  });

  it('deletes and creates a user anew although one answer is lost in between', async () => {
    const username = backend.seeded[70] as string;
    trouble('deleteUsers', lost, { share: 1 });
    trouble('createUsers', lost, { share: 1 });
    const create: Item = { op: 'create', username, password: backend.password };
    expect(counted(await send([{ op: 'delete', username }, create]))).toEqual({ deleted: 1, created: 1 });
    expect(calls).toEqual(['deleteUsers', 'createUsers']);
  });
});
