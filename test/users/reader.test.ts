/** Reading users by name, with look-ups where the vendor has them. */
import { expect, it } from '@jest/globals';
import { memory } from '../../adapters/memory/index.js';
import type { Adapter, Call } from '../../src/adapter.js';
import { systemClock } from '../../src/clock.js';
import type { Target } from '../../src/clusters/registry.js';
import { createLookUps, createReader } from '../../src/users/reader.js';
import { createSharedReads } from '../../src/users/shared-reads.js';
import { userOf } from '../../src/users/steps/step.js';
import { vendorUser } from '../support/vendor-user.js';

const call: Call = { requestId: 'r', signal: new AbortController().signal };

const stage = (there: readonly string[], isAnswered: (name: string) => string | null = (name) => name) => {
  const calls: string[] = [];
  const adapter: Pick<Adapter, 'listUsers' | 'lookUpUser'> = {
    listUsers: async () => {
      calls.push('list');
      return { users: there.map(vendorUser), total: there.length };
    },
    lookUpUser: async (_, name) => {
      calls.push(`look up ${name}`);
      const answered = isAnswered(name);
      return answered !== null && there.includes(answered) ? vendorUser(answered) : null;
    },
  };
  const account = { adapter, module: memory, settings: {}, name: 'a', maxListUsers: 1_000 };
  const deps = { lookUps: createLookUps(), reads: createSharedReads(systemClock) };
  const reader = createReader({ id: 'c', vendorClusterId: 'v', account, discovered: false } as unknown as Target, 'c', deps);
  return { reader, calls };
};

it('looks up few users one by one, and lists what is not found', async () => {
  const { reader, calls } = stage(['ada', 'bob']);
  const { found, complete } = await reader(['ada', 'eve'], call);
  expect([userOf(found.get('ada') ?? null)?.username, found.get('eve'), complete]).toEqual(['ada', null, true]);
  expect(calls).toEqual(['look up ada', 'look up eve', 'list']);
});

it('lists many users at once', async () => {
  const { reader, calls } = stage(['ada']);
  await reader(['ada', 'b', 'c', 'd'], call);
  expect(calls).toEqual(['list']);
});

it('takes another user for none', async () => {
  const { reader } = stage(['ada', 'adam'], () => 'adam');
  expect(userOf((await reader(['ada'], call)).found.get('ada') ?? null)?.username).toBe('ada');
});

it('trusts a look-up that finds nobody only where asked to, and only once look-ups have found somebody', async () => {
  const { reader, calls } = stage(['ada']);
  const trusting = { trustLookUps: true };
  await reader(['eve'], call, trusting);
  expect(calls.splice(0)).toEqual(['look up eve', 'list']);
  await reader(['ada'], call);
  calls.length = 0;
  expect(await reader(['eve'], call, trusting)).toEqual({ found: new Map(), complete: true, isWhole: true });
  expect(calls.splice(0)).toEqual(['look up eve']);
  await reader(['eve'], call);
  expect(calls).toEqual(['look up eve', 'list']);
});
