/** The queue of a process that has its store to itself. */
import { expect, it } from '@jest/globals';
import { createLedger } from '../../src/service/operations/ledger.js';
import { createLocalQueue } from '../../src/service/operations/local-queue.js';
import { EMPTY_SUMMARY, type LoadedOperation } from '../../src/service/operations/records.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { until } from '../support/wait.js';

const operation = (id: string): LoadedOperation => ({
  id,
  kind: 'deleteUser',
  clusterId: 'c',
  place: { account: 'a', vendorClusterId: 'v' },
  state: 'pending',
  total: 0,
  summary: EMPTY_SUMMARY,
  stopOnError: false,
  cancelling: false,
  owner: null,
  turns: 0,
  requestId: 'r',
  path: '/',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  items: [],
});

it('works once on what it is given, and at once on what an earlier process has left', async () => {
  const ledger = createLedger(createMemoryStore(), { operationMs: 0, keyMs: 0 });
  await ledger.begin(operation('op_left'), undefined);
  await ledger.claim('op_left', 'an earlier process', null);
  await ledger.begin(operation('op_free'), undefined);
  const ran: string[] = [];
  const faults: unknown[] = [];
  const queue = createLocalQueue({
    ledger,
    leaseMs: 60_000,
    run: async (id, owner) => {
      ran.push(id);
      await ledger.finish({ id, owner, place: operation(id).place });
    },
    onFault: (error) => faults.push(error),
  });
  await queue.add('op_free');
  await until(() => ran.length >= 2);
  await ledger.begin(operation('op_new'), undefined);
  await queue.add('op_new');
  await queue.idle();
  expect(ran.toSorted()).toEqual(['op_free', 'op_left', 'op_new']);
  await queue.pause();
  await ledger.begin(operation('op_late'), undefined);
  await queue.add('op_late');
  await queue.idle();
  expect([ran.length, faults]).toEqual([3, []]);
  await queue.close();
});
