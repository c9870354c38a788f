/** Whatever a vendor answers, and however often: every write ends, after a bounded number of calls. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { adapters } from '../../adapters/index.js';
import { createGateway, type Gateway } from '../../api/gateway.js';
import type { Adapter, AdapterModule } from '../../src/adapter.js';
import { checkConfig } from '../../src/config/load.js';
import { type Effect, GatewayError } from '../../src/errors.js';
import type { ErrorCode } from '../../src/model.js';
import { backendNamed, CLUSTER } from '../support/backends.js';
import { fastClock } from '../support/fast-clock.js';
import { until } from '../support/wait.js';

const METHODS = ['createUsers', 'deleteUsers', 'setRoles', 'setPasswords'] as const;
type Method = (typeof METHODS)[number];

const CODES: readonly ErrorCode[] = [
  'user_already_exists',
  'user_not_found',
  'invalid_user',
  'cluster_agent_failed',
  'cluster_not_ready',
  'cluster_not_found',
  'vendor_rate_limited',
  'vendor_credentials_rejected',
  'vendor_permission_denied',
  'vendor_unavailable',
  'vendor_timeout',
  'vendor_bad_response',
  'internal_error',
];
const EFFECTS: readonly Effect[] = ['none', 'ended', 'open'];

const backend = backendNamed('memory');
const ITEMS = 5;
/** Virtual minutes pass in no time: 90 of them are waited for a quota. */
const SPEED = 2_000;

let gateway: Gateway;
afterEach(() => gateway.stop());

type Fails = (usernames: readonly string[]) => GatewayError | undefined;

const start = async (method: Method, fails: Fails) => {
  const memory = adapters['memory'] as AdapterModule;
  const counts = { writes: 0, lists: 0 };
  const wrap = (adapter: Adapter): Adapter => ({
    ...adapter,
    listUsers: async (...args) => {
      counts.lists++;
      return adapter.listUsers(...args);
    },
    [method]: async (clusterId: string, users: readonly (string | { username: string })[], call: never) => {
      counts.writes++;
      const error = fails(users.map((user) => (typeof user === 'string' ? user : user.username)));
      if (error) throw error;
      return (adapter[method] as (...args: unknown[]) => Promise<never>)(clusterId, users, call);
    },
  });
  const modules = { memory: { ...memory, create: (context: never) => wrap(memory.create(context)) } };
  const server = { port: 0, settleSeconds: 1, drainSeconds: 0 };
  const { raw } = await backend.start();
  const config = checkConfig({ store: { kind: 'memory' }, ...raw, server }, modules, {});
  gateway = createGateway(config, modules, pino({ level: 'silent' }), { clock: fastClock(SPEED) });
  const url = await gateway.listen();
  const send = async (items: readonly object[]) => {
    const accepted = await fetch(`${url}/clusters/${CLUSTER}/users/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ items }),
    });
    // It may be over by then.
    if (accepted.status === 200) return (await accepted.json()) as { results: { status: string }[] };
    const path = accepted.headers.get('location') as string;
    return until(
      async () => (await fetch(`${url}${path}`)).json() as Promise<{ done: boolean; results: { status: string }[] }>,
      ({ done }) => done,
    );
  };
  return { counts, send };
};

const itemsFor = (method: Method): object[] =>
  Array.from({ length: ITEMS }, (_, at) => {
    const username = method === 'createUsers' ? backend.newName() : (backend.seeded[at] as string);
    if (method === 'createUsers') return { op: 'create', username, password: backend.password };
    if (method === 'deleteUsers') return { op: 'delete', username };
    return method === 'setRoles'
      ? { op: 'update', username, role: 'owner' }
      : { op: 'update', username, password: backend.password };
  });

describe.each(METHODS)('%s', (method) => {
  it.each(CODES.flatMap((code) => EFFECTS.map((effect) => [code, effect] as const)))(
    'ends when every call is answered %s (%s), and when each call for one user is',
    async (code, effect) => {
      const error = () => new GatewayError(code, 'No.', { effect });
      for (const isOne of [false, true]) {
        const items = itemsFor(method);
        const bad = (items[2] as { username: string }).username;
        const { counts, send } = await start(method, (names) => (!isOne || names.includes(bad) ? error() : undefined));
        const { results } = await send(items);
        expect(results).toHaveLength(ITEMS);
        // A quota is waited for longest: for 90 minutes, with a minute between two calls.
        const most = code === 'vendor_rate_limited' ? 110 : 40;
        expect(counts.writes).toBeLessThanOrEqual(most);
        expect(counts.lists).toBeLessThanOrEqual(2 * most);
        await gateway.stop();
      }
    },
  );
});
