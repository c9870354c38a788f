/** What an earlier process has sent is not to be shown by this one, from its first answer on. */
import { expect, it } from '@jest/globals';
import { Secret } from '../../src/secret.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { until } from '../support/wait.js';
import { createToy, hold, isCalledFor, item, startToys } from './toy.js';

it('is known when the engine has started: what was sent and has not ended', async () => {
  const store = createMemoryStore();
  const toy = createToy({ concurrency: 1, sizes: {} });
  const first = await startToys(toy, { store });
  await first.single(item('create', 'ended', { secret: new Secret('of an ended write') }));
  const letGo = hold(toy, 'sent');
  await first.begin([item('create', 'sent', { secret: new Secret('of an open write') })]);
  await until(() => isCalledFor(toy, 'sent'));
  expect(toy.concealed).toEqual([]);
  // As after a crash: nobody has asked it to stop.
  const second = await startToys(toy, { store });
  expect(new Set(toy.concealed)).toEqual(new Set(['of an open write']));
  letGo();
  await Promise.all([first.stop(), second.stop()]);
});
