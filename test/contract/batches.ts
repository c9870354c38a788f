import { expect, it } from '@jest/globals';
import type { Effect } from '../../simulators/kit/index.js';
import { CLUSTER } from '../support/backends.js';
import type { Subject } from './reading.js';

const USERS = `/clusters/${CLUSTER}/users`;
export const BATCH = `${USERS}/batch`;

export interface Item {
  readonly op: 'create' | 'update' | 'delete';
  readonly username: string;
  readonly password?: string;
  readonly role?: string;
}

export interface Result {
  readonly index: number;
  readonly username: string;
  readonly op: Item['op'];
  readonly status: string;
  readonly problem?: { readonly code: string; readonly detail: string; readonly retryable: boolean };
}

const DOES: Readonly<Record<string, string>> = { create: 'created', update: 'updated', delete: 'deleted' };
const DONE = new Set(Object.values(DOES));

const groupBy = <Row extends { readonly username: string }>(rows: readonly Row[]): Map<string, Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.username, [...(groups.get(row.username) ?? []), row]);
  return groups;
};

/** One update may be several effects, of role and password, and is sent again where its answer was lost. */
const inShort = (effects: readonly string[]): string =>
  effects
    .map((effect) => (effect.endsWith('_changed') ? 'updated' : effect))
    .filter((effect, at, all) => effect !== 'updated' || all[at - 1] !== 'updated')
    .join(', ');

/** For every user, what is reported is what happened, in this order; `unknown` may have happened or not. */
export const agrees = (results: readonly Result[], journal: readonly Effect[]): void => {
  const told = groupBy(results);
  const happened = groupBy(journal);
  const wrong: object[] = [];
  for (const username of new Set([...told.keys(), ...happened.keys()])) {
    const reports = told.get(username) ?? [];
    const stories = reports.reduce<string[][]>(
      (before, { op, status }) => {
        if (status === 'unknown') return before.flatMap((story) => [story, [...story, DOES[op] as string]]);
        return DONE.has(status) ? before.map((story) => [...story, status]) : before;
      },
      [[]],
    );
    const truth = inShort((happened.get(username) ?? []).map(({ effect }) => effect));
    if (!stories.some((story) => inShort(story) === truth))
      wrong.push({ username, truth, told: reports.map(({ status }) => status) });
  }
  expect(wrong).toEqual([]);
};

export const answersInOrder = (items: readonly Item[], body: { summary: Record<string, number>; results: Result[] }): void => {
  expect(body.results.map(({ index, username, op }) => ({ index, username, op }))).toEqual(
    items.map(({ op, username }, index) => ({ index, username, op })),
  );
  const counted: Record<string, number> = Object.fromEntries(Object.keys(body.summary).map((status) => [status, 0]));
  for (const { status } of body.results) counted[status] = (counted[status] ?? 0) + 1;
  expect(body.summary).toEqual(counted);
};

export const statuses = (results: readonly Result[]): string[] => results.map(({ status }) => status);

const ADD: Readonly<Record<string, string>> = { 'alibaba-ehpc': 'AddUsers', 'shanhe-hpc': '/user/addUser' };

/** What every adapter owes to a writer of many users. */
export const batches = ({ backend, gateway, live }: Subject): void => {
  const first = `7${backend.password}`;
  const second = `8${backend.password}`;
  const create = (username: string, password = first): Item => ({ op: 'create', username, password });
  const names = (count: number): string[] => Array.from({ length: count }, () => backend.newName());
  const opens = (username: string, password: string): boolean =>
    live().simulator?.checkPassword(live().vendorClusterId, username, password) ?? true;
  const effectsOn = (username: string): string[] =>
    (live().simulator?.journal ?? []).filter((effect) => effect.username === username).map(({ effect }) => effect);

  /** Whoever was done last to a user tells whether it is there. */
  const isAsTold = async (results: readonly Result[]): Promise<void> => {
    const { body } = await gateway().get(`${USERS}?limit=1000`);
    const there = new Set(body.items.map(({ username }: { username: string }) => username));
    const wanted = new Map<string, boolean>();
    for (const { username, status } of results) {
      if (['created', 'updated', 'already_exists'].includes(status)) wanted.set(username, true);
      if (['deleted', 'not_found'].includes(status)) wanted.set(username, false);
    }
    for (const [username, isThere] of wanted) expect([username, there.has(username)]).toEqual([username, isThere]);
  };

  const send = async (items: readonly Item[], more: object = {}) => {
    const since = live().simulator?.journal.length ?? 0;
    const { status, body, text } = await gateway().post(BATCH, { items, ...more });
    expect([status, body.dryRun]).toEqual([200, false]);
    answersInOrder(items, body);
    if (live().simulator) agrees(body.results, live().simulator?.journal.slice(since) ?? []);
    await isAsTold(body.results);
    expect(text).not.toContain(backend.password);
    expect(gateway().logged()).not.toContain(backend.password);
    const results: Result[] = body.results;
    return { results, operation: `/operations/${body.operationId}` };
  };

  it('creates, updates and deletes in one batch, and tells of each in its place', async () => {
    const [a, b, c, d, e] = names(5) as [string, string, string, string, string];
    expect(statuses((await send([create(a), create(b), create(c)])).results)).toEqual(['created', 'created', 'created']);
    const role: Item[] = backend.setsRoles
      ? [
          { op: 'update', username: a, role: 'admin' },
          { op: 'update', username: b, role: 'admin', password: second },
        ]
      : [{ op: 'update', username: b, password: second }];
    const { results, operation } = await send([create(d), ...role, { op: 'delete', username: c }, create(e, second)]);
    expect(statuses(results)).toEqual(['created', ...role.map(() => 'updated'), 'deleted', 'created']);
    expect([opens(a, first), opens(b, second), opens(d, first), opens(e, second)]).toEqual([true, true, true, true]);
    const { body, text } = await gateway().get(operation);
    expect([body.state, body.kind, body.results.length]).toEqual(['succeeded', 'batchUsers', results.length]);
    expect(text).not.toContain(backend.password);
    if (!backend.setsRoles) return;
    for (const username of [a, b]) expect((await gateway().get(`${USERS}/${username}`)).body.role).toBe('admin');
  });

  it('creates the others around a name that is taken, and leaves that one alone', async () => {
    const [taken, ...free] = names(5) as [string, ...string[]];
    await send([create(taken)]);
    const items = [...free.slice(0, 2), taken, ...free.slice(2)].map((username) => create(username, second));
    const { results } = await send(items);
    expect(statuses(results)).toEqual(['created', 'created', 'already_exists', 'created', 'created']);
    expect(results[2]?.problem?.code).toBe('user_already_exists');
    expect([opens(taken, first), ...free.map((username) => opens(username, second))]).toEqual([true, true, true, true, true]);
  });

  it('tells of users that are not there', async () => {
    const [user, x, y, z] = names(4) as [string, string, string, string];
    await send([create(user)]);
    const { results } = await send([
      { op: 'delete', username: x },
      { op: 'update', username: y, password: second },
      { op: 'update', username: user, password: second },
      { op: 'delete', username: z },
      { op: 'delete', username: 'much_too_long_for_any_vendor-rule' },
      ...(backend.setsRoles ? [{ op: 'update', username: x, role: 'admin' } as const] : []),
    ]);
    expect(statuses(results).filter((status) => status !== 'not_found')).toEqual(['updated']);
    expect(results[0]?.problem?.code).toBe('user_not_found');
    expect(opens(user, second)).toBe(true);
  });

  it('does the items of one user in their order', async () => {
    const username = backend.newName();
    const { results } = await send([
      create(username, first),
      { op: 'update', username, password: second },
      { op: 'delete', username },
      create(username, `9${backend.password}`),
    ]);
    expect(statuses(results)).toEqual(['created', 'updated', 'deleted', 'created']);
    if (live().simulator) expect(effectsOn(username)).toEqual(['created', 'password_changed', 'deleted', 'created']);
    expect([opens(username, `9${backend.password}`), opens(username, first) && !!live().simulator]).toEqual([true, false]);
  });

  it('creates a name that stands there twice once, with the first password', async () => {
    const [twice, other] = names(2) as [string, string];
    const { results } = await send([create(twice, first), create(other), create(twice, second)]);
    expect(statuses(results)).toEqual(['created', 'created', 'already_exists']);
    expect(opens(twice, first)).toBe(true);
  });

  it('refuses what breaks the rules, points at it, and does the rest', async () => {
    const [good, other] = names(2) as [string, string];
    const items = [create('not a name'), create(good), create('ünïcode'), create(other, 'a')];
    const { results } = await send(items);
    expect(statuses(results)).toEqual(['refused', 'created', 'refused', 'refused']);
    const pointers = results.map(
      ({ problem }) => (problem as { errors?: { pointer: string }[] } | undefined)?.errors?.[0]?.pointer,
    );
    expect(pointers).toEqual(['/items/0/username', undefined, '/items/2/username', '/items/3/password']);
    live().simulator?.resetCalls();
    expect(statuses((await send([create('not a name')])).results)).toEqual(['refused']);
    const written = live().simulator?.calls.filter(({ method, action }) => method === 'POST' || action === ADD[backend.vendor]);
    expect(written ?? []).toEqual([]);
  });

  if (!backend.gives.includes('owner'))
    it('refuses a role that the vendor cannot give, and sets no password with it', async () => {
      const username = backend.seeded[60] as string;
      const { results } = await send([{ op: 'update', username, role: 'owner', password: second }]);
      const code = backend.setsRoles ? 'invalid_user' : 'not_supported';
      expect(results).toMatchObject([{ status: 'refused', problem: { code } }]);
      expect(opens(username, second)).toBe(false);
    });

  it("goes to the vendor in the vendor's batches", async () => {
    const { capabilities } = (await gateway().get(`/clusters/${CLUSTER}`)).body;
    const size: number = capabilities.batch.create;
    const users = names(size === 1 ? 20 : size * 2 + 50);
    live().simulator?.resetCalls();
    const { results } = await send(users.map((username) => create(username)));
    expect(new Set(statuses(results))).toEqual(new Set(['created']));
    expect(users.filter((username) => !opens(username, first))).toEqual([]);
    const calls = live().simulator?.calls.filter(({ action }) => action === ADD[backend.vendor]);
    if (calls) expect(calls).toHaveLength(Math.ceil(users.length / size));
    const removed = await send(users.map((username) => ({ op: 'delete', username })));
    expect(new Set(statuses(removed.results))).toEqual(new Set(['deleted']));
  });

  it.each([
    ['not there', 'not_found'],
    ['taken', 'already_exists'],
    ['against the rules', 'refused'],
  ])('stops at the first item that is not done, when asked to (%s)', async (why, status) => {
    const [a, b, c, nobody] = names(4) as [string, string, string, string];
    const taken = backend.seeded[61] as string;
    const bad: Item = why === 'not there' ? { op: 'delete', username: nobody } : create(why === 'taken' ? taken : 'not a name');
    const { results, operation } = await send([create(a), create(b), bad, { op: 'delete', username: b }, create(c)], {
      stopOnError: true,
    });
    expect(statuses(results)).toEqual(['created', 'created', status, 'cancelled', 'cancelled']);
    expect((await gateway().get(operation)).body.state).toBe('partially_succeeded');
  });
};
