import { expect, it } from '@jest/globals';
import { createKeyedMutex } from '../../src/writes/keyed-mutex.js';

const never = (): AbortSignal => new AbortController().signal;
const turns = () => new Promise((resolve) => setImmediate(resolve));

it('has one owner for a key, who may take it again', () => {
  const mutex = createKeyedMutex();
  expect(mutex.take('one', ['a', 'b'])).toEqual(new Set(['a', 'b']));
  expect(mutex.take('other', ['a', 'b', 'c'])).toEqual(new Set(['c']));
  expect(mutex.take('one', ['a'])).toEqual(new Set(['a']));
  mutex.release('other', ['a']);
  expect(mutex.take('other', ['a'])).toEqual(new Set());
  mutex.release('one', ['a']);
  expect(mutex.take('other', ['a'])).toEqual(new Set(['a']));
});

it('gives a key to those who wait for it, first come first served, and to nobody in between', async () => {
  const mutex = createKeyedMutex();
  mutex.take('first', ['a']);
  const order: string[] = [];
  for (const owner of ['second', 'third']) void mutex.turn(owner, 'a', never()).then(() => order.push(owner));
  mutex.release('first', ['a']);
  expect(mutex.take('first', ['a'])).toEqual(new Set());
  await turns();
  expect(order).toEqual(['second']);
  mutex.releaseAll('second');
  await turns();
  expect(order).toEqual(['second', 'third']);
});

it('lets somebody stop waiting, who is then passed over', async () => {
  const mutex = createKeyedMutex();
  mutex.take('first', ['a']);
  const over = new AbortController();
  const waiting = mutex.turn('second', 'a', over.signal);
  const third = mutex.turn('third', 'a', never());
  over.abort();
  await waiting;
  mutex.release('first', ['a']);
  await third;
  expect(mutex.take('second', ['a'])).toEqual(new Set());
});

it('releases all that an owner has', () => {
  const mutex = createKeyedMutex();
  mutex.take('one', ['a', 'b']);
  mutex.take('other', ['c']);
  mutex.releaseAll('one');
  expect(mutex.take('other', ['a', 'b', 'c'])).toEqual(new Set(['a', 'b', 'c']));
});
