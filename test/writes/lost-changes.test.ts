/** A store that fails over to a replica that lags: what it lost may have been sent, and more than once is not right for everything. */
import { afterEach, expect, it } from '@jest/globals';
import type { Clock } from '../../src/clock.js';
import { Secret } from '../../src/secret.js';
import { anybodysCall } from '../support/callers.js';
import { fastClock } from '../support/fast-clock.js';
import { createSharedServer } from '../support/shared-server.js';
import { until } from '../support/wait.js';
import { createToy, item, startToys } from './toy.js';

const started: Awaited<ReturnType<typeof startToys>>[] = [];
afterEach(async () => {
  for (const toys of started.splice(0)) await toys.stop();
});

const stage = () => {
  const clock = fastClock(20);
  const server = createSharedServer(clock);
  const toy = createToy({ concurrency: 1, sizes: { add: 5, drop: 5, paint: 5 } });
  const start = async (own: Clock = clock) => {
    const toys = await startToys(toy, { clock: own, store: server.open().store });
    started.push(toys);
    return toys;
  };
  /** The call of this number waits. @returns a function that lets it go on */
  const holdCall = (number: number) => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    toy.answer = async () => {
      if (toy.calls.length === number) await gate;
      return undefined;
    };
    return () => open();
  };
  const sent = (): string[] => toy.calls.map(({ step, names }) => `${step} ${names.join(' ')}`);
  return { clock, server, toy, start, holdCall, sent };
};

type Toys = Awaited<ReturnType<typeof startToys>>;

const endOf = async ({ engine, statuses }: Toys, id: string) => {
  await until(async () => (await engine.operations.get(id, anybodysCall())).finishedAt !== null);
  return statuses(await engine.operations.get(id, anybodysCall()));
};

it('nothing is done twice for items at the same thing whose ends were lost: each is unknown', async () => {
  const { server, toy, start, holdCall, sent } = stage();
  const toys = await start();
  await toys.single(item('create', 'a'));
  const goOn = holdCall(2);
  const { id } = await toys.begin([item('create', 'a'), item('delete', 'a')]);
  await until(() => toy.calls.length === 2);
  server.lag();
  goOn();
  expect(await endOf(toys, id)).toEqual(['already_exists', 'deleted']);
  server.failOver();
  await until(async () => (await toys.engine.operations.get(id, anybodysCall())).finishedAt === null);
  expect(await endOf(toys, id)).toEqual(['unknown', 'unknown']);
  expect(sent()).toEqual(['add a', 'add a', 'drop a']);
  expect([...toy.keys.keys()]).toEqual([]);
});

it('a later step may have been sent, too: an update that is cancelled does not say that it was not', async () => {
  const { server, toy, start, holdCall, sent } = stage();
  const toys = await start();
  await toys.single(item('create', 'a'));
  const goOn = holdCall(2);
  const both = { content: { colour: 'red' }, steps: ['paint', 'code'], secret: new Secret('1234') };
  const { id } = await toys.begin([item('update', 'a', both)]);
  await until(() => toy.calls.length === 2);
  server.lag();
  goOn();
  expect(await endOf(toys, id)).toEqual(['updated']);
  expect(sent()).toEqual(['add a', 'paint a', 'code a']);
  server.failOver();
  await until(async () => (await toys.engine.operations.get(id, anybodysCall())).finishedAt === null);
  await toys.engine.operations.cancel(id, AbortSignal.abort(), anybodysCall());
  expect(await endOf(toys, id)).toEqual(['unknown']);
});

it('the order of writes to one thing is that of the store, whatever the clocks of the gateways show', async () => {
  const { clock, toy, start, holdCall } = stage();
  const [ahead, behind] = [await start(), await start({ ...clock, now: () => clock.now() - 2_000 })];
  await ahead.single(item('create', 'a'));
  const goOn = holdCall(2);
  const colours = ['red', 'green', 'blue', 'white'];
  const ids: string[] = [];
  for (const [at, colour] of colours.entries()) {
    const toys = at % 2 === 0 ? ahead : behind;
    const { id } = await toys.begin([item('update', 'a', { content: { colour } })], false);
    ids.push(id);
    if (at === 0) await until(() => toy.calls.length === 2);
  }
  expect(ids.toSorted()).not.toEqual(ids);
  goOn();
  for (const id of ids) expect(await endOf(ahead, id)).toEqual(['updated']);
  expect(toy.keys.get('a')).toMatchObject({ colour: 'white' });
});

/** Two writes to one thing: the older one has ended, and its end is lost; the newer one is accepted before anybody looks. */
it('an older write whose end was lost does not come after a newer one, nor hold it up', async () => {
  const { server, toy, start, holdCall } = stage();
  const toys = await start();
  await toys.single(item('create', 'a'));
  const goOn = holdCall(2);
  const older = await toys.begin([item('update', 'a', { content: { colour: 'red' } })], false);
  await until(() => toy.calls.length === 2);
  server.lag();
  goOn();
  expect(await endOf(toys, older.id)).toEqual(['updated']);
  server.failOver();
  const newer = await toys.begin([item('update', 'a', { content: { colour: 'blue' } })], false);
  expect(await endOf(toys, newer.id)).toEqual(['updated']);
  expect((await endOf(toys, older.id))[0]).toMatch(/unknown|updated/);
  expect(toy.keys.get('a')).toMatchObject({ colour: 'blue' });
});

it('an older write whose end was lost is not made again where a newer one was under way', async () => {
  const { server, toy, start, holdCall, sent } = stage();
  const toys = await start();
  await toys.single(item('create', 'a'));
  const paints = (colour: string) => item('update', 'a', { content: { colour } });
  const first = await toys.begin([paints('green')], false);
  expect(await endOf(toys, first.id)).toEqual(['updated']);
  server.lag();
  const older = await toys.begin([paints('red')], false);
  expect(await endOf(toys, older.id)).toEqual(['updated']);
  const goOn = holdCall(4);
  const newer = await toys.begin([paints('blue')], false);
  await until(() => toy.calls.length === 4);
  server.failOver();
  await until(
    async () => (await toys.engine.operations.get(newer.id, anybodysCall()).catch(() => undefined))?.state === 'running',
  );
  goOn();
  expect(await endOf(toys, newer.id)).toEqual(['updated']);
  expect(toy.keys.get('a')).toMatchObject({ colour: 'blue' });
  expect(sent().filter((call) => call === 'paint a').length).toBeLessThanOrEqual(4);
});

it('a later look does not take for its own what another item may have made', async () => {
  const { server, toy, start, holdCall } = stage();
  const toys = await start();
  const goOn = holdCall(1);
  const { id } = await toys.begin([item('create', 'a'), item('create', 'a')]);
  await until(() => toy.calls.length === 1);
  server.lag();
  goOn();
  expect(await endOf(toys, id)).toEqual(['created', 'already_exists']);
  server.failOver();
  await until(async () => (await toys.engine.operations.get(id, anybodysCall())).finishedAt === null);
  expect(await endOf(toys, id)).toEqual(['unknown', 'unknown']);
  const call = anybodysCall();
  const looked = await toys.engine.operations.lookAgain(await toys.engine.operations.get(id, anybodysCall()), call);
  expect(toys.statuses(looked)).toEqual(['unknown', 'unknown']);
});
