/** What work does with own keys of secrets: after a failover, and where the store lacks them. */
import { afterEach, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import type { Journal } from '../../src/journal/journal.js';
import { type ItemOutcome, type ItemRecord, keyOf, type LoadedOperation } from '../../src/journal/records.js';
import { Secret } from '../../src/secret.js';
import { createMemoryStore } from '../../src/store/memory.js';
import type { Store } from '../../src/store/store.js';
import type { Site } from '../../src/writes/resource.js';
import { createWork, type Entry } from '../../src/writes/work.js';
import { anybodysCall } from '../support/callers.js';
import { fastClock } from '../support/fast-clock.js';
import { createSharedServer } from '../support/shared-server.js';
import { until } from '../support/wait.js';
import { createToy, hold, isCalledFor, item, put, startToys } from './toy.js';

const started: Awaited<ReturnType<typeof startToys>>[] = [];
afterEach(async () => {
  for (const toys of started.splice(0)) await toys.stop();
});

const LIMITS = { concurrency: 1, sizes: { add: 5, drop: 5, paint: 5, code: 5 } };
const coded = (name: string) => item('update', name, { steps: ['code'], secret: new Secret(`secret of ${name}`) });
const isKept = async (store: Store, id: string, index: number): Promise<boolean> =>
  (await store.read([keyOf.secret(id, index)]))[0] !== undefined;

it('a failover that loses an operation loses no secret: who comes next can send it', async () => {
  const clock = fastClock(20);
  const server = createSharedServer(clock);
  const toy = createToy(LIMITS);
  put(toy, 'a', 'b');
  const link = server.open();
  const dying = await startToys(toy, { clock, store: link.store });
  started.push(dying);
  const goOn = hold(toy, 'a');
  server.lag();
  const held = await dying.begin([item('update', 'a', { content: { colour: 'red' } })]);
  await until(() => isCalledFor(toy, 'a'));
  const { id } = await dying.begin([coded('b')]);
  server.failOver();
  const { store } = server.open();
  await until(() => isKept(store, id, 0));
  link.isDead = true;
  const next = await startToys(toy, { clock, store });
  started.push(next);
  goOn();
  await until(async () => (await next.engine.operations.get(id, anybodysCall())).finishedAt !== null);
  expect(next.statuses(await next.engine.operations.get(id, anybodysCall()))).toEqual(['updated']);
  expect(held.id).not.toBe(id);
  expect(await isKept(store, id, 0)).toBe(false);
});

/** Begins on a store in which these items lose their own keys before anybody works on them. */
const begunWithout = async (lost: readonly number[], inOrder: boolean) => {
  const toy = createToy(LIMITS);
  put(toy, 'a', 'b', 'c', 'd');
  const store = createMemoryStore();
  const stripped: Store = {
    ...store,
    change: (keys, decide) =>
      store.change(keys, (values) => {
        const decision = decide(values as Parameters<typeof decide>[0]);
        const kept = Object.entries(decision.put ?? {}).filter(
          ([key, value]) => value === null || !lost.some((index) => key.startsWith('secret:') && key.endsWith(`:${index}`)),
        );
        return { ...decision, ...(decision.put && { put: Object.fromEntries(kept) }) };
      }),
  };
  const toys = await startToys(toy, { store: stripped });
  started.push(toys);
  const { id } = await toys.begin(['a', 'b', 'c', 'd'].map(coded), true, inOrder);
  await until(async () => (await toys.engine.operations.get(id, anybodysCall())).finishedAt !== null);
  const { items } = await toys.engine.operations.get(id, anybodysCall());
  return { items, sent: toy.calls.flatMap(({ names }) => names) };
};

it('an item without its own key fails, nothing of it is sent, and the others are done', async () => {
  const { items, sent } = await begunWithout([1, 3], false);
  expect(items.map(({ outcome }) => outcome?.status)).toEqual(['updated', 'failed', 'updated', 'failed']);
  expect(items[1]?.outcome?.error).toMatchObject({
    code: 'store_unavailable',
    effect: 'none',
    message: expect.stringContaining('Nothing was sent'),
  });
  expect(items.map(({ secret }) => secret)).toEqual([undefined, undefined, undefined, undefined]);
  expect(sent.toSorted()).toEqual(['a', 'c']);
});

it('in order, it stops what comes after it', async () => {
  const { items, sent } = await begunWithout([1], true);
  expect(items.map(({ outcome }) => outcome?.status)).toEqual(['updated', 'failed', 'cancelled', 'cancelled']);
  expect(sent).toEqual(['a']);
});

it('a process forgets the own key of an item that is settled', async () => {
  const [toy, clock] = [createToy(LIMITS), systemClock];
  const cluster = { account: 'owner', vendorClusterId: 'front', key: 'front door' };
  const items = [0, 1].map((index): ItemRecord => ({ index, op: 'update', name: `n${index}`, steps: ['code'], secret: 's' }));
  const operation = { id: 'op_1', items, createdAt: new Date().toISOString(), ownKeys: new Map([...'ab'].entries()) };
  const settle: Journal['settle'] = async (_, [settled], outcomes) => ({
    items: items.slice(0, 1).map((record) => ({ ...record, outcome: outcomes.get(settled?.index ?? 0) as ItemOutcome })),
    isCancelling: false,
    isOver: false,
  });
  const claim = { id: 'op_1', domain: 'owner', epoch: 1, process: 'p', resource: 'keys', cluster };
  const work = createWork(operation as unknown as LoadedOperation, claim, {
    journal: { settle } as unknown as Journal,
    site: toy.resource.at('house', cluster) as Site,
    clock,
    singlePatienceMs: 1_000,
    holding: undefined,
    onSettled: () => undefined,
  });
  const [first] = work.entries.values();
  await work.settle(new Map([[first as Entry, { status: 'updated' }]]));
  // The map that it was loaded with: others hold on to the operation until its end.
  expect([...operation.ownKeys]).toEqual([[1, 'b']]);
  expect([...(work.known().ownKeys ?? [])]).toEqual([[1, 'b']]);
});
