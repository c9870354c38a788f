/** Pages, operations and problems, of a gateway. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient, GatewayProblem, isProblem, UnexpectedAnswer, WaitTimeout } from '../../packages/client/src/index.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { fakeTiming, startScripted } from './scripted.js';

const names = Array.from({ length: 25 }, (_, index) => `user${String(index).padStart(3, '0')}`);

const all = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
};

let gateway: TestGateway;
let client: ReturnType<typeof createClient>;
beforeAll(async () => {
  gateway = await startGateway({
    accounts: { m: { vendor: 'memory', clusters: { c: { users: names.map((username) => ({ username })) } } } },
    clusters: [{ id: 'c', account: 'm', vendorClusterId: 'c' }],
  });
  client = createClient({ url: `${gateway.url}/` });
});
afterAll(() => gateway.stop());

describe('lists', () => {
  it('yields all users, window by window', async () => {
    const pages = await all(client.userPages('c', { limit: 10 }));
    expect(pages.map(({ items }) => items.length)).toEqual([10, 10, 5]);
    const users = await all(client.users('c', { limit: 7 }));
    expect(users.map(({ username }) => username)).toEqual(names);
    const rest = await all(client.users('c', { limit: 7, offset: 20 }));
    expect(rest.map(({ username }) => username)).toEqual(names.slice(20));
    const found = await all(client.users('c', { search: '01' }));
    expect(found.map(({ username }) => username)).toEqual(names.filter((name) => name.includes('01')));
  });

  it('asks for no window that nobody takes', async () => {
    const { asked, url, close } = await startScripted(() => ({
      status: 200,
      body: { items: [{ username: 'a' }], nextCursor: 'x' },
    }));
    for await (const { username } of createClient({ url }).users('c')) {
      expect(username).toBe('a');
      break;
    }
    expect(asked).toHaveLength(1);
    close();
  });

  it('ends where a cursor leads to itself', async () => {
    const { url, close, asked } = await startScripted(() => ({ status: 200, body: { items: [], nextCursor: 'same' } }));
    await expect(all(createClient({ url }).operations())).rejects.toBeInstanceOf(UnexpectedAnswer);
    expect(asked).toHaveLength(2);
    close();
  });
});

describe('writes', () => {
  it('creates, changes and deletes a user; problems are errors with fields', async () => {
    expect(await client.createUser('c', { username: 'ada.l', password: 'Choose@Your0wn' })).toMatchObject({ username: 'ada.l' });
    expect(await client.setRole('c', 'ada.l', 'admin')).toMatchObject({ role: 'admin' });
    expect(await client.setPassword('c', 'ada.l', 'An0ther@Choice')).toBeUndefined();
    expect(await client.user('c', 'ada.l')).toMatchObject({ role: 'admin' });
    const taken = await client
      .createUser('c', { username: 'ada.l', password: 'Choose@Your0wn' })
      .catch((error: unknown) => error as GatewayProblem);
    expect(taken).toBeInstanceOf(GatewayProblem);
    expect(taken).toMatchObject({ code: 'user_already_exists', status: 409, retryable: false, errors: [] });
    expect((taken as GatewayProblem).requestId).not.toBe('');
    expect(await client.deleteUser('c', 'ada.l')).toBeUndefined();
    const gone = await client.user('c', 'ada.l').catch((error: unknown) => error);
    expect([isProblem(gone, 'user_not_found'), isProblem(gone, 'cluster_not_found')]).toEqual([true, false]);
    const wrong = await client.createUser('c', { username: 'x y', password: '' }).catch((error: unknown) => error);
    expect((wrong as GatewayProblem).errors.map(({ pointer }) => pointer)).toContain('/username');
  });

  it('checks a batch, starts it, and waits for its end', async () => {
    const items = ['one.a', 'two.b', 'x y'].map((username) => ({ op: 'create' as const, username, password: 'Choose@Your0wn' }));
    const checked = await client.batch('c', { items, dryRun: true });
    expect([checked.dryRun, checked.summary.created, checked.summary.refused]).toEqual([true, 2, 1]);
    const { id } = await client.startOperation('c', { items });
    const seen: number[] = [];
    const operation = await client.waitForOperation(id, { onProgress: ({ progress }) => void seen.push(progress.settled) });
    expect([operation.done, operation.state]).toEqual([true, 'partially_succeeded']);
    expect(operation.results.map(({ status }) => status)).toEqual(['created', 'created', 'refused']);
    expect(seen.at(-1)).toBe(3);
    const [first] = await all(client.operations({ clusterId: 'c', limit: 1 }));
    expect(first?.id).toBe(id);
    expect(await client.operation(id)).toEqual(operation);
    expect(await client.cancelOperation(id)).toEqual(operation);
  });

  it('has every other operation of the document, too', async () => {
    const { data } = await client.api.GET('/vendors');
    expect(data?.items.map(({ name }) => name)).toContain('memory');
    const { data: lines } = await client.api.GET('/clusters/{clusterId}/users', {
      params: { path: { clusterId: 'c' } },
      headers: { accept: 'application/x-ndjson' },
      parseAs: 'text',
    });
    expect(lines?.trim().split('\n')).toHaveLength(names.length + 3);
  });
});

describe('waiting', () => {
  const running = { id: 'op_1', done: false, progress: { settled: 1, total: 3 } };

  it('asks again after Retry-After less what the answer waited, and ends at its time', async () => {
    const { url, close, asked } = await startScripted(() => ({ status: 200, headers: { 'retry-after': '2' }, body: running }));
    const timing = fakeTiming();
    const waiting = createClient({ url }, timing).waitForOperation('op_1', { timeoutMs: 9_000 });
    const failure = await waiting.catch((error: unknown) => error as WaitTimeout);
    expect(failure).toBeInstanceOf(WaitTimeout);
    expect(failure).toMatchObject({ operationId: 'op_1', operation: running });
    expect((failure as WaitTimeout).message).toMatch(/not done within 9 s \(1 of 3 items settled\)/);
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(asked.length).toBeLessThanOrEqual(6);
    expect(Math.max(...timing.pauses)).toBeLessThanOrEqual(2_000);
    close();
  });

  it('ends at its time where the gateway is silent, and at once where it is stopped', async () => {
    const { url, close } = await startScripted(() => 'hang');
    const waiting = createClient({ url });
    await expect(waiting.waitForOperation('op_1', { timeoutMs: 100 })).rejects.toBeInstanceOf(WaitTimeout);
    const controller = new AbortController();
    const stopped = waiting.waitForOperation('op_1', { signal: controller.signal });
    controller.abort(new Error('stopped'));
    await expect(stopped).rejects.toThrow('stopped');
    close();
  });
});
