/** Readings for what is to be decided: how many at once, how often again, and what they hold up. */
import { afterEach, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../src/clock.js';
import { GatewayError } from '../../src/errors.js';
import { failedWith } from '../../src/writes/outcome.js';
import type { Resource, Site, Step } from '../../src/writes/resource.js';
import { scaledClock } from '../support/fast-clock.js';
import { until } from '../support/wait.js';
import { createGate, createToy, have, hold, isCalledFor, item, put, startToys, type Toy } from './toy.js';

let toy: Toy;
let toys: Awaited<ReturnType<typeof startToys>> | undefined;
const start = async (clock: Clock = systemClock) => {
  toy = createToy({ concurrency: 2, sizes: { add: 5, drop: 5 } });
  toys = await startToys(toy, { clock });
  return toys;
};
afterEach(async () => {
  await toys?.stop();
  toys = undefined;
});

const away = (): GatewayError => new GatewayError('vendor_unavailable', 'Away.', { effect: 'none' });
const unread = () =>
  ({ status: 'unread', error: new GatewayError('vendor_bad_response', 'A hole.', { effect: 'none' }) }) as const;

/** Readings for names that begin with `h` hang. */
const hangReadings = () => {
  const gate = createGate();
  toy.whileReading = async (names) => {
    if (names.some((name) => name.startsWith('h'))) await gate.isOpen;
  };
  return gate.open;
};

it('four batches whose readings hang hold up neither another batch nor what it creates', async () => {
  const { batch } = await start();
  const open = hangReadings();
  const four = [1, 2, 3, 4].map((n) => batch([have(`h${n}`)]));
  await until(() => toy.reads.length === 4);
  const others = [batch([have('h5'), item('create', 'w')]), batch([item('create', 'v')])];
  await until(() => isCalledFor(toy, 'v') && isCalledFor(toy, 'w'));
  expect([toy.reads.filter(([name]) => name === 'h5').length, toy.keys.has('h5')]).toEqual([0, false]);
  open();
  expect(await Promise.all([...four, ...others])).toEqual([
    ...Array.from({ length: 4 }, () => ['created']),
    ['created', 'created'],
    ['created'],
  ]);
});

it('ten single ones whose readings hang hold up no other single write', async () => {
  const { single } = await start();
  put(toy, 'z');
  const open = hangReadings();
  const ten: Promise<unknown>[] = [];
  // One after the other, so that they are not read together.
  for (let n = 0; n < 10; n++) {
    ten.push(single(have(`h${n}`)));
    await until(() => toy.reads.length === n + 1);
  }
  expect([await single(item('delete', 'z')), await single(item('update', 'y'))]).toEqual(['deleted', 'not_found']);
  open();
  expect(new Set(await Promise.all(ten))).toEqual(new Set(['created']));
});

it('those that are being read do not count as jobs that are open', async () => {
  toy = createToy({ concurrency: 2, sizes: { add: 5 } });
  toy.hasEndlessJobs = true;
  toys = await startToys(toy);
  const names = Array.from({ length: 100 }, (_, n) => `h${n}`);
  put(toy, ...names);
  const gate = createGate();
  toy.whileReading = async (read) => {
    // A reading for the hundred, and not for what was there before.
    if (read.length === 100) await gate.isOpen;
  };
  await toys.begin([...names.map(have), item('create', 'w')]);
  await until(() => isCalledFor(toy, 'w'));
  gate.open();
});

it('a clock that is set back makes no reading twice', async () => {
  let behindMs = 0;
  const { batch } = await start({ ...systemClock, now: () => systemClock.now() - behindMs });
  const open = hold(toy, 'x');
  const other = batch([item('create', 'x')]);
  await batch([item('create', 'a')]);
  behindMs = 8_000;
  const before = toy.reads.length;
  expect(await batch([have('a'), have('b')], true)).toEqual(['unchanged', 'created']);
  expect(toy.reads.slice(before).filter((names) => names.includes('a'))).toHaveLength(1);
  open();
  await other;
});

it('what cannot be read well enough is read again, and does not end what can', async () => {
  const { batch } = await start(scaledClock(20));
  put(toy, 'a', 'b', 'x');
  toy.plan = ({ name }) => (name === 'x' && toy.reads.length < 4 ? unread() : undefined);
  expect(await batch([have('a'), have('x'), have('b')], true)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  const before = toy.reads.length;
  toy.plan = ({ name }) => (name === 'x' && toy.reads.length < before + 4 ? unread() : undefined);
  expect(await batch([have('a'), have('x'), have('b')])).toEqual(['unchanged', 'unchanged', 'unchanged']);
}, 30_000);

it('what can never be read well enough fails in the end, and only that', async () => {
  const clock = scaledClock(100);
  const { batch, single } = await start(clock);
  put(toy, 'a', 'x');
  toy.plan = ({ name }) => (name === 'x' ? unread() : undefined);
  expect(await single(have('x'))).toBe('failed');
  expect(await batch([have('a'), have('x')])).toEqual(['unchanged', 'failed']);
  expect(toy.reads.length).toBeLessThan(60);
}, 60_000);

it('a reading that succeeds makes the operation patient again', async () => {
  const { batch } = await start(scaledClock(50));
  put(toy, 'a');
  // Each of these is waited for a few times only, since the vendor was reached.
  let failures = 0;
  toy.whileReading = async () => {
    if (++failures % 6 > 0) throw new GatewayError('vendor_timeout', 'No answer.');
  };
  expect(await batch([have('a'), have('a'), have('a')])).toEqual(['unchanged', 'unchanged', 'unchanged']);
}, 30_000);

it.each([true, false])(
  'a single write does not wait long for an item that is read again later, in order: %s',
  async (inOrder) => {
    const clock = scaledClock(20);
    const { begin, single } = await start(clock);
    toy.whileReading = async () => {
      if (toy.reads.length <= 8) throw away();
    };
    await begin([have('a'), have('b')], true, inOrder);
    await until(() => toy.reads.length === 8);
    // The next reading is a minute away.
    const since = clock.now();
    expect(await single(item('update', 'a'))).toBe('updated');
    expect(clock.now() - since).toBeLessThan(30_000);
  },
  30_000,
);

it('what holds for a reading holds as long as the reading is new, however long the planning took', async () => {
  toy = createToy({ concurrency: 2, sizes: {} });
  put(toy, 'a');
  const { resource } = toy;
  let checks = 0;
  const planning = createGate();
  const slow: Resource = {
    ...resource,
    at: (...given) => {
      const site = resource.at(...given) as Site;
      const have = site.step('have');
      const plan: Step['plan'] = async (asked) => {
        await planning.isOpen;
        return asked.map(() => ({ status: 'planned', steps: ['paint'] }));
      };
      const check: Site['check'] = async () => {
        checks++;
        return [failedWith(new GatewayError('precondition_failed', 'It has changed.'))];
      };
      return { ...site, check, step: (name) => (name === 'have' ? { ...have, plan } : site.step(name)) };
    },
  };
  const clock = scaledClock(20);
  toys = await startToys({ ...toy, resource: slow }, { clock });
  const ended = toys.single(item('ensure', 'a', { ifMatch: '"old"' }));
  await until(() => toy.reads.length > 0);
  await clock.sleep(5_000);
  planning.open();
  expect([await ended, checks, toy.calls]).toEqual(['refused', 1, []]);
});

it('what is to be done without a reading that is good enough is done when there is no patience left', async () => {
  const clock = scaledClock(50);
  const { single, batch } = await start(clock);
  let plans = 0;
  toy.plan = () => {
    plans++;
    return { ...unread(), otherwise: { status: 'planned', steps: ['add'] } };
  };
  expect([await batch([have('a')]), plans]).toEqual([['created'], 3]);
  // No more than two readings fit in.
  toy.whileReading = () => clock.sleep(3_000);
  expect([await single(have('b')), plans]).toEqual(['created', 5]);
}, 30_000);

it('where the vendor is in trouble, an operation in order tries its first item', async () => {
  const sizes = { add: 1 };
  toy = createToy({ concurrency: 2, sizes });
  toys = await startToys(toy);
  toy.answer = () => (toy.calls.length === 1 ? 'none' : undefined);
  const ended = toys.batch([item('create', 'a'), item('create', 'b')], true);
  await until(() => toy.calls.length === 1);
  // From now on both go in one call, and the other one was sent less often. Sizes are looked up with each operation.
  sizes.add = 5;
  const open = hangReadings();
  await toys.begin([have('h')]);
  expect(await ended).toEqual(['created', 'created']);
  open();
  expect(toy.calls.slice(0, 3).map(({ names }) => names.join(' '))).toEqual(['a', 'a', 'b']);
}, 30_000);
