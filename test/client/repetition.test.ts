/** What the client sends again, with which key, and how it ends. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient, GatewayProblem, GatewayUnreachable, UnexpectedAnswer } from '../../packages/client/src/index.js';
import { type Asked, fakeTiming, problem, type Step, startScripted } from './scripted.js';

const USER = { clusterId: 'c', username: 'ada', role: 'member' };
const PASSWORD = 'Choose@Your0wn';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const start = async (answer: (asked: Asked, count: number) => Step, options: object = {}) => {
  const server = await startScripted(answer);
  closers.push(server.close);
  const timing = fakeTiming();
  return { ...server, timing, client: createClient({ url: server.url, ...options }, timing) };
};

const create = ({ client }: Awaited<ReturnType<typeof start>>) => client.createUser('c', { username: 'ada', password: PASSWORD });
const keysOf = (asked: readonly Asked[]): unknown[] => asked.map(({ headers }) => headers['idempotency-key']);

describe('a write', () => {
  const failures: [string, Step][] = [
    ['a cut connection', 'cut'],
    ['408', problem(408, 'request_timeout')],
    ['429', problem(429, 'caller_rate_limited')],
    ['503', problem(503, 'store_unavailable')],
    ['a key in flight', problem(409, 'idempotency_key_in_flight')],
    ['503 of a proxy', { status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>busy</h1>' }],
  ];
  it.each(failures)('is sent again with the same key and body after %s, twice', async (_, failure) => {
    const world = await start((_asked, count) => (count < 3 ? failure : { status: 201, body: USER }));
    expect(await create(world)).toEqual(USER);
    expect(world.asked).toHaveLength(3);
    const [key] = keysOf(world.asked);
    expect(key).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(keysOf(world.asked))).toEqual(new Set([key]));
    expect(new Set(world.asked.map(({ body }) => body)).size).toBe(1);
    await create(world);
    expect(keysOf(world.asked)[3]).not.toBe(key);
  });

  it('keeps the key that it is given', async () => {
    const { client, asked } = await start(() => ({ status: 201, body: USER }));
    await client.createUser('c', { username: 'ada', password: PASSWORD }, { idempotencyKey: 'mine' });
    expect(keysOf(asked)).toEqual(['mine']);
  });

  it('waits as long as Retry-After says', async () => {
    const world = await start((_, count) =>
      count < 2 ? { ...problem(429, 'caller_rate_limited'), headers: { 'retry-after': '7' } } : { status: 201, body: USER },
    );
    await create(world);
    expect(world.timing.pauses).toEqual([7_000]);
  });

  it.each([
    ['refused', problem(422, 'invalid_user', { retryable: false })],
    ['not to be repeated', problem(503, 'vendor_unavailable', { retryable: false })],
  ])('that is %s is sent once', async (_, step) => {
    const world = await start(() => step);
    await expect(create(world)).rejects.toBeInstanceOf(GatewayProblem);
    expect(world.asked).toHaveLength(1);
  });

  it('ends after its attempts, and after its time', async () => {
    const busy = await start(() => problem(503, 'store_unavailable'), { attempts: 4 });
    await expect(create(busy)).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
    expect(busy.asked).toHaveLength(4);
    const slow = await start(() => ({ ...problem(429, 'caller_rate_limited'), headers: { 'retry-after': '3600' } }));
    await expect(create(slow)).rejects.toMatchObject({ code: 'caller_rate_limited', retryAfterMs: 3_600_000 });
    expect([slow.asked.length, slow.timing.pauses]).toEqual([1, []]);
  });

  it('that is still running is followed to its end, and its answer read', async () => {
    const operation = { id: 'op_1', href: '/operations/op_1' };
    let looks = 0;
    const world = await start(
      ({ method }, count) => {
        if (method === 'GET') return { status: 200, body: { id: 'op_1', done: ++looks === 3 } };
        return count === 1 ? problem(504, 'still_running', { operation }) : { status: 201, body: USER };
      },
      { key: 'hpcgw_x' },
    );
    expect(await create(world)).toEqual(USER);
    const seen = world.asked.map(({ method, path, headers }) => [method, path, headers.authorization, headers.prefer]);
    const look = ['GET', '/operations/op_1', 'Bearer hpcgw_x', 'wait=20'];
    const write = ['POST', '/clusters/c/users', 'Bearer hpcgw_x', undefined];
    expect(seen).toEqual([write, look, look, look, write]);
    expect(keysOf(world.asked)[4]).toBe(keysOf(world.asked)[0]);
  });

  const lost: [string, Step][] = [
    ['a cut connection', 'cut'],
    ['429', { ...problem(429, 'caller_rate_limited'), headers: { 'retry-after': '3' } }],
    ['503', problem(503, 'store_unavailable')],
  ];
  it.each(lost)('that is still running is followed over %s', async (_, failure) => {
    const operation = { id: 'op_1', href: '/operations/op_1' };
    let looks = 0;
    const world = await start(({ method }, count) => {
      if (method === 'GET') return ++looks % 3 === 0 ? { status: 200, body: { id: 'op_1', done: looks === 6 } } : failure;
      return count === 1 ? problem(504, 'still_running', { operation }) : { status: 201, body: USER };
    });
    expect(await create(world)).toEqual(USER);
    expect([looks, world.asked.length]).toEqual([6, 8]);
  });

  it.each([...lost, ['a refusal', problem(403, 'forbidden', { retryable: false })] as [string, Step]])(
    'that can be followed no more, for %s, says which operation it is',
    async (_, failure) => {
      const operation = { id: 'op_1', href: '/operations/op_1' };
      const world = await start(({ method }) => (method === 'GET' ? failure : problem(504, 'still_running', { operation })));
      await expect(create(world)).rejects.toMatchObject({ code: 'still_running', operationId: 'op_1' });
      expect(world.asked.length).toBeLessThanOrEqual(6);
    },
  );

  it('that is done, but whose answer does not come, says which operation it is', async () => {
    const operation = { id: 'op_1', href: '/operations/op_1' };
    const world = await start(({ method }, count) => {
      if (method === 'GET') return { status: 200, body: { id: 'op_1', done: true } };
      return count === 1 ? problem(504, 'still_running', { operation }) : 'cut';
    });
    await expect(create(world)).rejects.toMatchObject({ code: 'still_running', operationId: 'op_1' });
    expect(keysOf(world.asked).filter((key) => key !== undefined)).toHaveLength(5);
  });

  it('that never ends is given up', async () => {
    const operation = { id: 'op_1', href: '/operations/op_1' };
    const world = await start(
      ({ method }) =>
        method === 'GET' ? { status: 200, body: { id: 'op_1', done: false } } : problem(504, 'still_running', { operation }),
      { totalMs: 5_000 },
    );
    await expect(create(world)).rejects.toMatchObject({ code: 'still_running', operationId: 'op_1' });
    expect(world.asked.length).toBeLessThan(15);
  });
});

describe('what is no gateway', () => {
  it.each([
    [
      'a page',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      /answered 200 with text\/html, not JSON\. Check/,
    ],
    ['broken JSON', { status: 200, body: '{"items": [' }, /not JSON/],
    ['an error of something else', { status: 404, body: { message: 'no' } }, /no problem of the gateway/],
    ['a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1/' }, body: '' }, /redirects/],
  ] as [string, Step, RegExp][])('%s says what to check', async (_, step, message) => {
    const world = await start(() => step, { key: 'hpcgw_secret' });
    const failure = await create(world).catch((error: unknown) => error as Error);
    expect(failure).toBeInstanceOf(UnexpectedAnswer);
    expect((failure as Error).message).toMatch(message);
    expect(`${(failure as Error).stack}`).not.toMatch(/hpcgw_secret|Choose@/);
    expect(world.asked).toHaveLength(1);
  });

  type Client = ReturnType<typeof createClient>;
  const first = async (items: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of items) return;
  };
  const calls: [string, (client: Client) => Promise<unknown>][] = [
    ['clusters', (client) => client.clusters()],
    ['users', (client) => first(client.users('c'))],
    ['user', (client) => client.user('c', 'ada')],
    ['createUser', (client) => client.createUser('c', { username: 'ada', password: PASSWORD })],
    ['setRole', (client) => client.setRole('c', 'ada', 'admin')],
    ['setPassword', (client) => client.setPassword('c', 'ada', PASSWORD)],
    ['deleteUser', (client) => client.deleteUser('c', 'ada')],
    ['batch', (client) => client.batch('c', { items: [] })],
    ['startOperation', (client) => client.startOperation('c', { items: [] })],
    ['operations', (client) => first(client.operations())],
    ['operation', (client) => client.operation('op_1')],
    ['cancelOperation', (client) => client.cancelOperation('op_1')],
    ['waitForOperation', (client) => client.waitForOperation('op_1')],
  ];
  it.each(calls)('another service that answers %s in JSON', async (_, call) => {
    for (const body of [{ status: 'UP' }, { items: [] }, [], 'UP', null]) {
      const { client } = await start(() => ({ status: 200, body: JSON.stringify(body) }));
      await expect(call(client)).rejects.toBeInstanceOf(UnexpectedAnswer);
    }
  });

  it('a problem whose places are no list is one without places', async () => {
    for (const errors of ['/username', [null], [{ pointer: 1 }]]) {
      const { client } = await start(() => problem(400, 'invalid_request', { retryable: false, errors }));
      await expect(client.clusters()).rejects.toMatchObject({ code: 'invalid_request', errors: [] });
    }
  });

  it('nobody at the address, and silence', async () => {
    const timing = fakeTiming();
    const nobody = createClient({ url: 'http://127.0.0.1:1', key: 'hpcgw_secret' }, timing);
    const failure = await nobody.setPassword('c', 'ada', PASSWORD).catch((error: unknown) => error as Error);
    expect(failure).toBeInstanceOf(GatewayUnreachable);
    expect((failure as Error).message).toMatch(/http:\/\/127\.0\.0\.1:1 cannot be reached.*Check the URL/);
    expect(JSON.stringify(failure) + (failure as Error).stack).not.toMatch(/hpcgw_secret|Choose@/);
    expect(timing.pauses).toHaveLength(4);
    const silent = await start(() => 'hang', { attemptMs: 50, attempts: 2 });
    await expect(silent.client.clusters()).rejects.toThrow(/did not answer within 0\.05 s/);
  });

  it.each(['ftp://h', 'http://user:pass@h', 'nothing', 'http://h/?x=1'])('the URL %s is refused, and not quoted', (url) => {
    expect(() => createClient({ url })).toThrow(TypeError);
    expect(() => createClient({ url })).not.toThrow(/pass/);
  });

  it('a key that no header can hold is refused, and not quoted; so are names that are steps', async () => {
    expect(() => createClient({ url: 'http://h', key: 'abc\n' })).toThrow(/printable ASCII/);
    const client = createClient({ url: 'http://127.0.0.1:1' });
    for (const name of ['', '.', '..']) await expect(client.deleteUser('c', name)).rejects.toThrow(TypeError);
  });

  it('bounds that are none are refused, and Infinity waits', async () => {
    for (const name of ['attempts', 'attemptMs', 'totalMs'])
      for (const value of [Number.NaN, 0, -1])
        expect(() => createClient({ url: 'http://h', [name]: value })).toThrow(`${name} has to be a number over 0.`);
    const endless = {
      attempts: Number.POSITIVE_INFINITY,
      attemptMs: Number.POSITIVE_INFINITY,
      totalMs: Number.POSITIVE_INFINITY,
    };
    const world = await start((_, count) => (count < 7 ? 'cut' : { status: 201, body: USER }), endless);
    expect(await create(world)).toEqual(USER);
    await expect(world.client.waitForOperation('op_1', { timeoutMs: Number.NaN })).rejects.toThrow(TypeError);
  });

  it('an aborted signal ends it with its reason', async () => {
    const { client } = await start(() => 'hang');
    const stopped = new Error('stopped');
    const controller = new AbortController();
    const asking = client.clusters({ signal: controller.signal });
    controller.abort(stopped);
    await expect(asking).rejects.toBe(stopped);
  });
});
