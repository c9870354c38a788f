/** A store that fails over to a replica that lags: what it lost may have been sent, and more than once is not right for everything. */
import { afterEach, expect, it } from '@jest/globals';
import type { Clock } from '../../src/clock.js';
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
  await until(async () => (await engine.operations.get(id)).finishedAt !== null);
  return statuses(await engine.operations.get(id));
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
  await until(async () => (await toys.engine.operations.get(id)).finishedAt === null);
  expect(await endOf(toys, id)).toEqual(['unknown', 'unknown']);
  expect(sent()).toEqual(['add a', 'add a', 'drop a']);
  expect([...toy.keys.keys()]).toEqual([]);
});

it('a later step may have been sent, too: an update that is cancelled does not say that it was not', async () => {
  const { server, toy, start, holdCall, sent } = stage();
  const toys = await start();
  await toys.single(item('create', 'a'));
  const goOn = holdCall(2);
  const both = { content: { colour: 'red' }, steps: ['paint', 'code'], secret: '1234' };
  const { id } = await toys.begin([item('update', 'a', both)]);
  await until(() => toy.calls.length === 2);
  server.lag();
  goOn();
  expect(await endOf(toys, id)).toEqual(['updated']);
  expect(sent()).toEqual(['add a', 'paint a', 'code a']);
  server.failOver();
  await until(async () => (await toys.engine.operations.get(id)).finishedAt === null);
  await toys.engine.operations.cancel(id, AbortSignal.abort());
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
