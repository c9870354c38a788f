/** The runner of a cluster: what goes together, whose turn it is, and what one operation may do to another. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Secret } from '../../src/secret.js';
import { anybodysCall } from '../support/callers.js';
import { until } from '../support/wait.js';
import { createToy, item, startToys, type Toy, type ToyCall } from './toy.js';

let toy: Toy;
let toys: Awaited<ReturnType<typeof startToys>>;
const start = async (concurrency = 1, size = 5): Promise<void> => {
  toy = createToy({ concurrency, sizes: { add: size, drop: size, paint: size } });
  toys = await startToys(toy);
};
afterEach(() => toys.stop());

/** Calls wait until they are let go on. */
const holdCalls = (which: (call: ToyCall) => boolean = () => true) => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  toy.answer = async (call) => {
    if (which(call)) await gate;
    return undefined;
  };
  return () => open();
};
const sent = (): string[] => toy.calls.map(({ step, names }) => `${step} ${names.join(' ')}`);

describe('a second kind of thing', () => {
  it('is written with the same engine: singles, batches, and what was there or missing', async () => {
    await start();
    expect(await toys.single(item('create', 'a'))).toBe('created');
    expect(await toys.single(item('create', 'a'))).toBe('already_exists');
    expect(await toys.single(item('delete', 'z'))).toBe('not_found');
    const items = [item('create', 'b'), item('update', 'a', { content: { colour: 'red' } }), item('delete', 'a')];
    expect(await toys.batch(items)).toEqual(['created', 'updated', 'deleted']);
    expect([...toy.keys.keys()]).toEqual(['b']);
  });

  it('may have a secret, and several steps', async () => {
    await start();
    await toys.single(item('create', 'a'));
    const both = { content: { colour: 'red' }, steps: ['paint', 'code'], secret: new Secret('1234') };
    expect(await toys.single(item('update', 'a', both))).toBe('updated');
    expect(sent()).toEqual(['add a', 'paint a', 'code a']);
    toy.answer = ({ step }) => (step === 'code' ? 'refused' : undefined);
    const refused = await toys.begin([item('update', 'a', both)], false);
    const { items } = await toys.engine.operations.watch(refused.id, AbortSignal.timeout(5_000), anybodysCall());
    expect(items[0]?.outcome?.error?.message).toContain('The key was given its paint.');
  });
});

describe('single items', () => {
  it('that wait share the next call; each is told its own end', async () => {
    await start();
    await toys.single(item('create', 'taken'));
    toy.calls.length = 0;
    const goOn = holdCalls(({ names }) => names.includes('first'));
    const first = toys.single(item('create', 'first'));
    await until(() => toy.calls.length === 1);
    const names = ['a', 'b', 'taken', 'c'];
    const rest = names.map((name) => toys.single(item('create', name)));
    await sleep(100);
    goOn();
    expect(await Promise.all([first, ...rest])).toEqual(['created', 'created', 'created', 'already_exists', 'created']);
    expect(sent().slice(0, 2)).toEqual(['add first', 'add a b taken c']);
  });

  it('go before a batch, but leave it every fifth call', async () => {
    await start(1, 1);
    const goOn = holdCalls();
    const batch = toys.batch(Array.from({ length: 3 }, (_, at) => item('create', `batch${at}`)));
    await until(() => toy.calls.length === 1);
    const singles = Array.from({ length: 8 }, (_, at) => toys.single(item('create', `single${at}`)));
    await sleep(100);
    goOn();
    await Promise.all([batch, ...singles]);
    expect(sent().map((call) => call.replace(/add (single|batch).*/, '$1'))).toEqual([
      'batch',
      ...['single', 'single', 'single', 'single', 'batch'],
      ...['single', 'single', 'single', 'single', 'batch'],
    ]);
  });
});

describe('batches', () => {
  it('take turns', async () => {
    await start(1, 2);
    const goOn = holdCalls();
    const items = (name: string, count: number) => Array.from({ length: count }, (_, at) => item('create', `${name}${at}`));
    const first = toys.batch(items('x', 6));
    await until(() => toy.calls.length === 1);
    const second = toys.batch(items('y', 4));
    await sleep(100);
    goOn();
    await Promise.all([first, second]);
    expect(sent()).toEqual(['add x0 x1', 'add x2 x3', 'add y0 y1', 'add x4 x5', 'add y2 y3']);
  });

  it('of many use no more calls at once than the cluster takes', async () => {
    await start(2, 3);
    toy.answer = async () => {
      await sleep(5);
      return undefined;
    };
    const all = Array.from({ length: 6 }, (_, batch) => Array.from({ length: 9 }, (_, at) => item('create', `k${batch}x${at}`)));
    await Promise.all(all.map((items) => toys.batch(items)));
    expect([toy.busy.most, toy.calls.length, toy.keys.size]).toEqual([2, 18, 54]);
  });
});

describe('at one thing', () => {
  it('what was accepted first is done first: a single item pulls the item of a batch forward', async () => {
    await start(1, 2);
    const goOn = holdCalls();
    const items = Array.from({ length: 8 }, (_, at) => item('create', `k${at}`));
    const batch = toys.batch(items);
    await until(() => toy.calls.length === 1);
    const single = toys.single(item('delete', 'k7'));
    await sleep(100);
    goOn();
    expect(await single).toBe('deleted');
    expect(await batch).toEqual(items.map(() => 'created'));
    expect(sent().slice(0, 3)).toEqual(['add k0 k1', 'add k7', 'drop k7']);
  });

  it('nothing that waits holds up others where a batch stops at an error', async () => {
    await start(1, 2);
    const goOn = holdCalls();
    const batch = toys.batch(
      Array.from({ length: 6 }, (_, at) => item('create', `k${at}`)),
      true,
    );
    await until(() => toy.calls.length === 1);
    const single = toys.single(item('create', 'k5'));
    await sleep(100);
    goOn();
    expect(await single).toBe('created');
    expect(await batch).toEqual(['created', 'created', 'created', 'created', 'created', 'already_exists']);
  });

  it('two batches that stop at an error do not wait for each other for ever', async () => {
    await start(2, 2);
    const there = [item('create', 'a'), item('create', 'b')];
    await toys.batch(there);
    const painted = (...names: string[]) => names.map((name) => item('update', name, { content: { colour: 'red' } }));
    const ends = await Promise.all([toys.batch(painted('a', 'b'), true), toys.batch(painted('b', 'a'), true)]);
    expect(ends).toEqual([
      ['updated', 'updated'],
      ['updated', 'updated'],
    ]);
  });
});

describe('a cluster in trouble', () => {
  it('is probed by one call at a time, however many wait', async () => {
    await start(4, 1);
    let isDown = true;
    toy.answer = async () => {
      await sleep(20);
      return isDown ? 'busy_free' : undefined;
    };
    const singles = Array.from({ length: 50 }, (_, at) => toys.single(item('create', `k${at}`)));
    await until(() => toy.calls.length >= 4);
    // The calls that were under way when the first one failed; then 0.5 and 1 s later one each.
    await sleep(1_000);
    expect(toy.calls.length).toBeLessThanOrEqual(6);
    isDown = false;
    expect(new Set(await Promise.all(singles))).toEqual(new Set(['created']));
  });

  it('is given up by all who wait, when their patience is over, without a call each', async () => {
    await start(1, 1);
    toy.answer = () => 'busy_free';
    const ends = await Promise.all(Array.from({ length: 30 }, (_, at) => toys.single(item('create', `k${at}`))));
    expect(new Set(ends)).toEqual(new Set(['failed']));
    expect(toy.calls.length).toBeLessThanOrEqual(6);
  });
});

describe('a batch', () => {
  it('of more items than jobs may be open goes on when no job tells of its end', async () => {
    await start(4, 1);
    toy.hasEndlessJobs = true;
    const ends = await toys.batch(Array.from({ length: 130 }, (_, at) => item('create', `k${at}`)));
    expect(new Set(ends)).toEqual(new Set(['created']));
  });
});

describe('an operation', () => {
  it('that is cancelled ends with what was sent; the rest was not', async () => {
    await start(1, 2);
    const goOn = holdCalls();
    const { id } = await toys.begin(Array.from({ length: 6 }, (_, at) => item('create', `k${at}`)));
    await until(() => toy.calls.length === 1);
    const cancelled = toys.engine.operations.cancel(id, AbortSignal.timeout(5_000), anybodysCall());
    await sleep(100);
    goOn();
    const { state, items } = await cancelled;
    expect([state, items.map(({ outcome }) => outcome?.status)]).toEqual([
      'cancelled',
      ['created', 'created', 'cancelled', 'cancelled', 'cancelled', 'cancelled'],
    ]);
    expect(toy.calls).toHaveLength(1);
  });

  it('that is cancelled says what an earlier step had done, though no answer told it', async () => {
    await start();
    await toys.single(item('create', 'a'));
    toy.answer = ({ step }) => {
      const key = toy.keys.get('a');
      if (step !== 'paint' || !key) return undefined;
      toy.keys.set('a', { ...key, colour: 'red' });
      return 'none';
    };
    const both = item('update', 'a', { content: { colour: 'red' }, steps: ['paint', 'code'], secret: new Secret('1234') });
    const { id } = await toys.begin([both, item('delete', 'a')]);
    await until(() => sent().includes('paint a'));
    const { items } = await toys.engine.operations.cancel(id, AbortSignal.timeout(5_000), anybodysCall());
    expect(items.map(({ outcome }) => outcome?.status)).toEqual(['failed', 'cancelled']);
    expect(items[0]?.outcome?.error?.message).toContain('The key was given its paint.');
    expect(sent()).not.toContain('code a');
  });

  it('without an answer is read back', async () => {
    await start();
    await toys.single(item('create', 'a'));
    const { answer } = toy;
    toy.answer = ({ step }) => {
      if (step === 'drop') toy.keys.delete('a');
      return 'none';
    };
    expect(await toys.single(item('delete', 'a'))).toBe('deleted');
    toy.answer = answer;
  });
});

it('batches that wait for a throttled step do not keep others from being prepared', async () => {
  await start(1, 5);
  for (const name of ['x', 'y']) await toys.single(item('create', name));
  toy.answer = ({ step }) => (step === 'add' ? 'busy_free' : undefined);
  const waiting = await Promise.all(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => toys.begin([item('create', `${name}1`), item('create', `${name}2`)])),
  );
  await until(() => toy.calls.some(({ step, names }) => step === 'add' && names.length === 2));
  expect(await toys.batch([item('delete', 'x'), item('delete', 'y')])).toEqual(['deleted', 'deleted']);
  toy.answer = () => undefined;
  for (const { id } of waiting) await toys.engine.operations.cancel(id, AbortSignal.abort(), anybodysCall());
});
