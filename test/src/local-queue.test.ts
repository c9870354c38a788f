/** Two processes on one store, as far as their queues go. */
import { describe, expect, it } from '@jest/globals';
import { createLeases } from '../../src/service/operations/leases.js';
import { createLedger } from '../../src/service/operations/ledger.js';
import { createLocalQueue } from '../../src/service/operations/local-queue.js';
import { EMPTY_SUMMARY, type LoadedOperation } from '../../src/service/operations/records.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { pause, until } from '../support/wait.js';

const LEASE_MS = 1_000;

const operation: LoadedOperation = {
  id: 'op_1',
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
};

describe('an operation', () => {
  it('stays with a process that lives, however long it takes, and is taken over from one that does not', async () => {
    const store = createMemoryStore();
    const ledger = createLedger(store, { operationMs: 0, keyMs: 0 });
    const turns: string[] = [];
    const process = (name: string, workMs: number) =>
      createLocalQueue(createLeases(store), {
        ledger,
        leaseMs: LEASE_MS,
        run: async () => {
          turns.push(name);
          await pause(workMs);
        },
        onFault: (error) => {
          throw error;
        },
      });
    await ledger.begin(operation, undefined, 1_000);
    const first = process('first', 3 * LEASE_MS);
    await first.add(operation.id);
    const second = process('second', 0);
    await pause(2.5 * LEASE_MS);
    expect(turns).toEqual(['first']);
    // It is heard of no more.
    await first.pause();
    await first.close();
    await until(() => turns.length > 1);
    expect(turns.slice(0, 2)).toEqual(['first', 'second']);
    await second.pause();
    await second.close();
    await Promise.all([first.idle(), second.idle()]);
  });
});
