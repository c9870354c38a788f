/** Own keys of secrets: written with the operation, and removed with whatever settles an item. */
import { beforeEach, expect, it } from '@jest/globals';
import type { Claim } from '../../src/journal/claim.js';
import type { StepOutcome } from '../../src/journal/item.js';
import { createJournal, type Journal } from '../../src/journal/journal.js';
import { EMPTY_SUMMARY, type ItemRecord, keyOf, type LoadedOperation } from '../../src/journal/records.js';
import { sweep } from '../../src/journal/retention.js';
import type { ItemStatus } from '../../src/model.js';
import { createMemoryStore } from '../../src/store/memory.js';
import type { SecretRecord } from '../../src/store/secret-records.js';
import type { Store } from '../../src/store/store.js';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const DAY_MS = 86_400_000;
const CLUSTER = { account: 'aliyun', vendorClusterId: 'ehpc-hz-1', key: 'hz 1' };
const STATUSES: readonly ItemStatus[] = [
  'created',
  'updated',
  'unchanged',
  'deleted',
  'already_exists',
  'not_found',
  'refused',
  'failed',
  'unknown',
  'cancelled',
];

const ownKey = (at: number): string => Buffer.alloc(32, at + 1).toString('base64url');
const item = (index: number): ItemRecord => ({
  index,
  op: 'update',
  name: `n${index}`,
  secret: `sealed-${index}`,
  steps: ['code'],
});

let store: Store;
let journal: Journal;
let claim: Claim;
/** Keys of all readings. */
let asked: string[];
beforeEach(async () => {
  const inner = createMemoryStore();
  asked = [];
  store = {
    ...inner,
    read: (keys) => {
      asked.push(...keys);
      return inner.read(keys);
    },
  };
  journal = createJournal(store, { operationMs: DAY_MS, keyMs: DAY_MS }, () => NOW);
  const epoch = await journal.takeDomain('me', 'me');
  claim = { id: 'op_1', domain: 'me', epoch, process: 'me', resource: 'things', cluster: CLUSTER };
});

const operation = (count: number): LoadedOperation => ({
  id: 'op_1',
  order: 0,
  resource: 'things',
  kind: 'batch',
  isBatch: true,
  clusterId: 'hangzhou',
  cluster: CLUSTER,
  state: 'pending',
  total: count,
  summary: EMPTY_SUMMARY,
  stopOnError: false,
  cancelling: false,
  domain: 'me',
  process: 'me',
  caller: null,
  address: null,
  vendor: 'toy',
  requestId: 'r',
  path: '/',
  createdAt: new Date(NOW).toISOString(),
  updatedAt: new Date(NOW).toISOString(),
  finishedAt: null,
  items: Array.from({ length: count }, (_, index) => item(index)),
  ownKeys: new Map(Array.from({ length: count }, (_, index) => [index, ownKey(index)])),
});
const begin = (count: number) => journal.begin(operation(count), undefined);
const kept = async (count: number): Promise<(string | undefined)[]> => {
  const keys = Array.from({ length: count }, (_, index) => keyOf.secret('op_1', index));
  return (await store.read<SecretRecord>(keys)).map((record) => record?.bytes);
};
const settle = (...outcomes: readonly (readonly [number, StepOutcome])[]) =>
  journal.settle(
    claim,
    outcomes.map(([index]) => item(index)),
    new Map(outcomes),
  );

it('are stored with the operation, in records of their own only, and read for work only', async () => {
  await begin(3);
  expect(await kept(3)).toEqual([0, 1, 2].map(ownKey));
  asked = [];
  const shown = await journal.load('op_1');
  expect(asked.filter((key) => key.startsWith('secret:'))).toEqual([]);
  expect(shown?.ownKeys).toBeUndefined();
  const loaded = await journal.loadForWork('op_1');
  expect(loaded).toEqual({ ...shown, ownKeys: new Map([0, 1, 2].map((index) => [index, ownKey(index)])) });
  expect(JSON.stringify([shown, await journal.get('op_1'), await journal.list({ isSeen: () => true, limit: 10 })])).not.toContain(
    ownKey(0),
  );
});

it('of an operation that is not begun are not stored', async () => {
  const request = { id: 'request', replaceable: [] };
  await journal.begin({ ...operation(1), id: 'op_0', request: 'request', ownKeys: new Map() }, request);
  expect(await journal.begin(operation(1), request)).toEqual({ operationId: 'op_0' });
  expect(await kept(1)).toEqual([undefined]);
});

it('are loaded where an operation has one item, or none', async () => {
  await begin(1);
  expect((await journal.loadForWork('op_1'))?.ownKeys).toEqual(new Map([[0, ownKey(0)]]));
  expect(await journal.loadForWork('op_2')).toBeUndefined();
});

it.each(STATUSES)('are removed in the change that settles an item as %s', async (status) => {
  await begin(2);
  await settle([1, { status }]);
  expect(await kept(2)).toEqual([ownKey(0), undefined]);
  expect((await journal.loadForWork('op_1'))?.ownKeys).toEqual(new Map([[0, ownKey(0)]]));
});

it('stay where an item is to be sent again, or has another step', async () => {
  await begin(2);
  const departure = { at: () => NOW, baselineOf: () => 'unread' as const, seenOf: () => undefined };
  await journal.markSent(claim, [item(0), item(1)], departure, false);
  await settle([0, { status: 'again', untouched: false }], [1, { status: 'step_done', step: 0 }]);
  expect(await kept(2)).toEqual([ownKey(0), ownKey(1)]);
});

it('are stored again after a failover, and removed where the store has lost that an item is settled', async () => {
  await begin(2);
  const known = (await journal.loadForWork('op_1')) as LoadedOperation;
  const [first] = (await settle([0, { status: 'updated' }])).items;
  // The store has the first item open, and nothing of the second.
  await store.change([], () => ({
    result: undefined,
    put: { [keyOf.secret('op_1', 0)]: { bytes: ownKey(0) }, [keyOf.secret('op_1', 1)]: null },
  }));
  await journal.restore(claim, { ...known, items: [first as ItemRecord, item(1)] });
  expect(await kept(2)).toEqual([undefined, ownKey(1)]);
  expect(JSON.stringify(await journal.load('op_1'))).not.toContain(ownKey(1));
});

it('that are left in spite of all are removed with the operation', async () => {
  await begin(2);
  await settle([0, { status: 'updated' }], [1, { status: 'failed' }]);
  await store.change([], () => ({ result: undefined, put: { [keyOf.secret('op_1', 1)]: { bytes: ownKey(1) } } }));
  await sweep(store, NOW + 2 * DAY_MS);
  expect(await journal.get('op_1')).toBeUndefined();
  expect(await kept(2)).toEqual([undefined, undefined]);
});
