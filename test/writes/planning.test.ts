/** Steps that read and decide what is to be done: in the turn of their item, and never untrue because of what comes between. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../src/clock.js';
import { GatewayError } from '../../src/errors.js';
import type { LoadedOperation } from '../../src/journal/records.js';
import { createMemoryStore } from '../../src/store/memory.js';
import type { Limits } from '../../src/writes/resource.js';
import { anybodysCall } from '../support/callers.js';
import { fastClock, scaledClock } from '../support/fast-clock.js';
import { createSharedServer } from '../support/shared-server.js';
import { until } from '../support/wait.js';
import { createGate, createToy, have, hold, isCalledFor, item, put, startToys, type Toy } from './toy.js';

let toy: Toy;
let toys: Awaited<ReturnType<typeof startToys>> | undefined;
const LIMITS: Limits = { concurrency: 2, sizes: { add: 5, drop: 5 } };
const start = async (limits = LIMITS, clock: Clock = systemClock) => {
  toy = createToy(limits);
  toys = await startToys(toy, { clock });
  return toys;
};
afterEach(async () => {
  await toys?.stop();
  toys = undefined;
});

it('many are read together, and those that are there are not sent', async () => {
  const { batch } = await start();
  put(toy, 'b', 'd');
  expect(await batch([have('a'), have('b'), have('c'), have('d')])).toEqual(['created', 'unchanged', 'created', 'unchanged']);
  expect([toy.reads.length, toy.calls.map(({ names }) => names.join(' '))]).toEqual([1, ['a c']]);
});

it('in order too, where those that are there do not part a call', async () => {
  const { batch } = await start();
  put(toy, 'b', 'd');
  const items = [have('a'), have('b'), have('c'), have('d'), item('create', 'd'), have('e')];
  const expected = ['created', 'unchanged', 'created', 'unchanged', 'already_exists', 'cancelled'];
  expect(await batch(items, true)).toEqual(expected);
  expect(toy.calls.map(({ names }) => names.join(' '))).toEqual(['a c', 'd e']);
});

it('what an operation that was accepted earlier does counts, though the plan was made before', async () => {
  const { batch } = await start();
  put(toy, 'm');
  const open = hold(toy, 'x');
  const go = hold(toy, 'y');
  const earlier = batch([item('create', 'x'), item('delete', 'm')], true);
  await until(() => isCalledFor(toy, 'x'));
  const later = batch([have('y'), have('m')], true);
  await until(() => isCalledFor(toy, 'y'));
  open();
  expect(await earlier).toEqual(['created', 'deleted']);
  go();
  expect([await later, [...toy.keys.keys()].toSorted()]).toEqual([
    ['created', 'created'],
    ['m', 'x', 'y'],
  ]);
});

it.each([
  ['creates', 'a single one', false, 'unchanged'],
  ['creates', 'a batch', false, 'unchanged'],
  ['removes', 'a single one', true, 'created'],
  ['removes', 'a batch', true, 'created'],
] as const)(
  'what an earlier operation in order %s counts for a plan that %s has not sent',
  async (_, whose, isThere, expected) => {
    const { batch, single } = await start({ concurrency: 1, sizes: { add: 1, drop: 1 } });
    if (isThere) put(toy, 'm');
    let isPlanned = false;
    toy.plan = (__, found) => {
      isPlanned = true;
      return found ? { status: 'planned', steps: ['paint'] } : undefined;
    };
    const open = hold(toy, 'x');
    const earlier = batch([item('create', 'x'), item(isThere ? 'delete' : 'create', 'm')], true);
    await until(() => isCalledFor(toy, 'x'));
    const later = whose === 'a batch' ? batch([have('m')]) : single(have('m'));
    await until(() => isPlanned);
    await sleep(50);
    toy.plan = () => undefined;
    open();
    expect(await earlier).toEqual(['created', isThere ? 'deleted' : 'created']);
    expect([await later].flat()).toEqual([expected]);
  },
);

it('a send that did nothing leaves open what is to be done', async () => {
  const { batch, single } = await start({ concurrency: 2, sizes: { add: 1, drop: 1 } });
  const open = hold(toy, 'x');
  const before = toy.answer;
  let isFirst = true;
  toy.answer = (call) => {
    if (!call.names.includes('m') || !isFirst) return before(call);
    isFirst = false;
    open();
    return 'busy_free';
  };
  const earlier = batch([item('create', 'x'), item('create', 'm')], true);
  await until(() => isCalledFor(toy, 'x'));
  const ends = [await single(have('m')), await earlier];
  // Either of the two may be first.
  const right = [
    ['unchanged', ['created', 'created']],
    ['created', ['created', 'already_exists']],
  ];
  expect(right).toContainEqual(ends);
});

it('steps that were stored with a send that did nothing are decided again after a restart', async () => {
  const store = createMemoryStore();
  toy = createToy({ concurrency: 2, sizes: { add: 5 } });
  const one = await startToys(toy, { store });
  toy.answer = () => 'busy_free';
  const asked = await one.begin([have('a'), have('c')], true, true);
  await until(() => toy.calls.length > 0);
  await until(async () =>
    (await one.engine.operations.get(asked.id, anybodysCall())).items.every(({ underWay }) => underWay === undefined),
  );
  const { items } = await one.engine.operations.get(asked.id, anybodysCall());
  expect(items.map(({ steps }) => steps)).toEqual([['have'], ['have']]);
  await one.stop();
  put(toy, 'c');
  toy.answer = () => undefined;
  const two = await startToys(toy, { store });
  toys = two;
  const ended = await two.engine.operations.watch(asked.id, AbortSignal.timeout(20_000), anybodysCall());
  expect(two.statuses(ended as LoadedOperation)).toEqual(['created', 'unchanged']);
}, 30_000);

it('what was sent, and may be sent again, keeps its thing after a restart', async () => {
  const store = createMemoryStore();
  const sizes = { add: 2 };
  toy = createToy({ concurrency: 2, sizes });
  const one = await startToys(toy, { store });
  toy.answer = () => 'busy';
  const asked = await one.begin([have('x'), have('m')], true, true);
  await until(async () =>
    (await one.engine.operations.get(asked.id, anybodysCall())).items.every(({ sends, underWay }) => sends && !underWay),
  );
  const later = await one.begin([have('m')]);
  await one.stop();
  sizes.add = 1;
  toy.answer = () => undefined;
  const open = hold(toy, 'x');
  const two = await startToys(toy, { store });
  toys = two;
  await until(() => toy.calls.filter(({ names }) => names.includes('x')).length > 1);
  await sleep(100);
  open();
  const ends = await Promise.all(
    [asked, later].map(({ id }) => two.engine.operations.watch(id, AbortSignal.timeout(20_000), anybodysCall())),
  );
  expect(ends.map((ended) => two.statuses(ended as LoadedOperation))).toEqual([['created', 'created'], ['unchanged']]);
}, 30_000);

it.each([
  ['created', false, 'unchanged', ['add']],
  ['removed', true, 'created', ['paint', 'add']],
] as const)('another party %s it between the reading and the send: it is planned again', async (_, isThere, expected, steps) => {
  const { single } = await start();
  if (isThere) put(toy, 'a');
  toy.plan = (__, found) => (found && toy.calls.length === 0 ? { status: 'planned', steps: ['paint'] } : undefined);
  const open = hold(toy, 'a');
  const ended = single(have('a'));
  await until(() => isCalledFor(toy, 'a'));
  if (isThere) toy.keys.delete('a');
  else put(toy, 'a');
  open();
  expect([await ended, toy.calls.map(({ step }) => step)]).toEqual([expected, steps]);
});

it('in order, nothing behind what is planned again goes before it', async () => {
  const { batch } = await start();
  put(toy, 'a');
  toy.plan = () => ({ status: 'planned', steps: ['add'] });
  expect(await batch([have('a'), have('b'), have('c')], true)).toEqual(['already_exists', 'cancelled', 'cancelled']);
  expect([toy.keys.has('b'), toy.keys.has('c')]).toEqual([false, false]);
});

it('the last word of the vendor on what was sent stays where nothing more is to be done', async () => {
  const { begin, engine, statuses } = await start();
  put(toy, 'a');
  toy.plan = () => ({ status: 'planned', steps: ['add'] });
  const open = hold(toy, 'a');
  const { id } = await begin([have('a'), have('a')]);
  await until(() => isCalledFor(toy, 'a'));
  await engine.operations.cancel(id, AbortSignal.timeout(1), anybodysCall());
  await until(async () => (await engine.operations.get(id, anybodysCall())).cancelling);
  open();
  const ended = await engine.operations.watch(id, AbortSignal.timeout(10_000), anybodysCall());
  expect(statuses(ended as LoadedOperation)).toEqual(['already_exists', 'cancelled']);
});

it('a reading from before somebody else came proves nothing any more', async () => {
  const { single } = await start();
  toy.plan = () => ({ status: 'planned', steps: ['add'] });
  const before = toy.answer;
  // Their key is there before the first call; the answer to the second one is lost.
  toy.answer = (call) => {
    if (toy.calls.length === 1) toy.keys.set('a', { createdAt: null, identity: 'theirs', colour: 'grey' });
    return toy.calls.length === 2 ? 'none' : before(call);
  };
  expect(await single(have('a'))).not.toBe('created');
}, 20_000);

it('a reading that goes on contradicting the vendor is believed no longer', async () => {
  const { single, batch } = await start();
  put(toy, 'a');
  toy.plan = () => ({ status: 'planned', steps: ['add'] });
  expect(await single(have('a'))).toBe('already_exists');
  expect(await batch([have('a'), have('b')])).toEqual(['already_exists', 'created']);
  expect(toy.calls.filter(({ names }) => names.includes('a')).length).toBeLessThan(7);
});

it('two imports that disagree, in opposite orders, do not wait for each other for ever', async () => {
  await start({ concurrency: 2, sizes: { paint: 5 } });
  const want = (name: string, colour: string) => item('ensure', name, { content: { colour } });
  for (const name of ['x', 'y', 'p', 'm']) toy.keys.set(name, { createdAt: null, identity: name, colour: 'red' });
  toy.plan = ({ content }, found) => {
    const { colour } = content as { colour: string };
    return (found as { colour?: string } | null)?.colour === colour
      ? { status: 'unchanged' }
      : { status: 'planned', steps: ['paint'] };
  };
  const read = createGate();
  toy.whileReading = () => read.isOpen;
  // Each leaves as it is what the other one is to change; and the first calls are to be repeated.
  toy.answer = () => (toy.calls.length <= 2 ? 'busy' : undefined);
  const { begin, engine, statuses } = toys as NonNullable<typeof toys>;
  const one = await begin([want('x', 'blue'), want('p', 'red'), want('m', 'blue')], true, true);
  const two = await begin([want('y', 'blue'), want('m', 'red'), want('p', 'blue')], true, true);
  await until(() => toy.reads.length >= 2);
  read.open();
  const ends = await Promise.all(
    [one, two].map(({ id }) => engine.operations.watch(id, AbortSignal.timeout(20_000), anybodysCall())),
  );
  expect(ends.map((ended) => [ended.state, statuses(ended as LoadedOperation)[0]])).toEqual([
    ['succeeded', 'updated'],
    ['succeeded', 'updated'],
  ]);
}, 30_000);

it('a later step that did nothing is sent again, and what was done before stays', async () => {
  const { single } = await start();
  toy.plan = (_, found) => (found ? { status: 'unchanged' } : { status: 'planned', steps: ['add', 'code'] });
  toy.answer = () => (toy.calls.length === 2 ? 'busy_free' : undefined);
  expect([await single(have('a')), await single(have('a'))]).toEqual(['updated', 'unchanged']);
  expect(toy.calls.map(({ step }) => step)).toEqual(['add', 'code', 'code']);
});

it('what single writes do meanwhile counts', async () => {
  const { batch, single } = await start();
  put(toy, 'm');
  const open = hold(toy, 'a');
  const all = batch([have('a'), have('m'), have('b')], true);
  await until(() => isCalledFor(toy, 'a'));
  // Planned to be sent with the first one.
  const second = single(have('b'));
  expect([await single(have('c')), await single(item('delete', 'm'))]).toEqual(['created', 'deleted']);
  open();
  expect([await all, await second]).toEqual([['created', 'created', 'created'], 'unchanged']);
});

it('two imports of one file, in opposite orders, do not stop each other', async () => {
  const { batch } = await start();
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  toy.answer = async () => {
    await sleep(20);
    return undefined;
  };
  const [one, two] = await Promise.all([batch(names.map(have), true), batch(names.toReversed().map(have), true)]);
  const statuses = [...one, ...two];
  expect(statuses.filter((status) => status === 'created')).toHaveLength(names.length);
  expect(statuses.filter((status) => status === 'unchanged')).toHaveLength(names.length);
});

it('a list that takes long to read is read once', async () => {
  const clock = scaledClock(100);
  const { batch } = await start(LIMITS, clock);
  put(toy, 'a');
  toy.whileReading = () => clock.sleep(50_000);
  expect(await batch([have('a'), have('a')], true)).toEqual(['unchanged', 'unchanged']);
  expect(toy.reads).toHaveLength(2);
}, 30_000);

it('what has become old is read again, all together', async () => {
  const clock = scaledClock(50);
  const { batch } = await start(LIMITS, clock);
  const there = Array.from({ length: 40 }, (_, index) => `k${index}`);
  put(toy, ...there);
  toy.answer = async () => {
    await clock.sleep(60_000);
    return undefined;
  };
  const statuses = await batch([have('new'), ...there.map(have)], true);
  expect([statuses[0], new Set(statuses.slice(1))]).toEqual(['created', new Set(['unchanged'])]);
  expect(toy.reads.length).toBeLessThan(5);
}, 30_000);

it('a reading that is put off holds up neither a cancellation nor a single write', async () => {
  const { begin, single, engine } = await start();
  const failure = (retryAfterMs?: number) =>
    new GatewayError('vendor_unavailable', 'Away.', { effect: 'none', ...(retryAfterMs !== undefined && { retryAfterMs }) });
  let thrown: GatewayError | undefined = failure(60_000);
  toy.whileReading = async () => {
    if (thrown) throw thrown;
  };
  const asked = await begin([have('a'), have('b')]);
  await until(() => toy.reads.length > 0);
  await sleep(100);
  await engine.operations.cancel(asked.id, AbortSignal.timeout(1), anybodysCall());
  const { state } = await engine.operations.watch(asked.id, AbortSignal.timeout(5_000), anybodysCall());
  expect(state).toBe('cancelled');
  thrown = failure();
  const before = toy.reads.length;
  const plain = await begin([have('a'), have('b')]);
  await until(() => toy.reads.length > before + 1);
  thrown = undefined;
  const since = performance.now();
  expect(await single(have('a'))).toBe('unchanged');
  expect(performance.now() - since).toBeLessThan(6_000);
  const ended = await engine.operations.watch(plain.id, AbortSignal.timeout(10_000), anybodysCall());
  expect(ended.state).toBe('succeeded');
}, 30_000);

it.each(['ensure', 'create'] as const)(
  'a failover loses that it was sent: %s',
  async (op) => {
    const clock = fastClock(20);
    const server = createSharedServer(clock);
    toy = createToy({ concurrency: 1, sizes: { add: 5 } });
    const one = await startToys(toy, { clock, store: server.open().store });
    const reader = await startToys(toy, { clock, store: server.open().store });
    let arrive = (): void => undefined;
    const isLate = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    // The first call takes effect when the second one arrives.
    toy.answer = async () => {
      if (toy.calls.length === 1) await isLate;
      else {
        arrive();
        await sleep(50);
      }
      return undefined;
    };
    const { id } = await one.begin([item(op, 'a')], false);
    server.lag();
    await until(() => toy.calls.length === 1);
    await one.stop();
    server.failOver();
    const two = await startToys(toy, { clock, store: server.open().store });
    toys = two;
    await until(async () => (await two.engine.operations.get(id, anybodysCall())).finishedAt !== null);
    const [status] = two.statuses(await two.engine.operations.get(id, anybodysCall()));
    expect(status).toBe('unknown');
    await reader.stop();
  },
  30_000,
);
