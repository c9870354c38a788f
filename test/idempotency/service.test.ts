/** What a repeated request is: a new one, one that waits, or one that is answered from an operation that has ended. */
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import type { Effect } from '../../src/errors.js';
import { createIdempotency, mayRunAgain, type WriteRequest } from '../../src/idempotency/service.js';
import { createJournal } from '../../src/journal/journal.js';
import { type ItemOutcome, type ItemRecord, type LoadedOperation, summarise } from '../../src/journal/records.js';
import type { RequestReference } from '../../src/journal/requests.js';
import type { ErrorCode } from '../../src/model.js';
import { Secret } from '../../src/secret.js';
import { createEncryptor } from '../../src/store/encryptor.js';
import { createMemoryStore } from '../../src/store/memory.js';
import type { LookAgain } from '../../src/writes/look-again.js';
import { createOperations } from '../../src/writes/operations.js';
import { createWaiters } from '../../src/writes/waiters.js';
import { createWorker } from '../../src/writes/worker.js';
import { anybodysCall, testCursors } from '../support/callers.js';

const HOUR = 3_600_000;
const CLUSTER = { account: 'a', vendorClusterId: 'v', key: 'v' };
const WORKER = { domain: 'a', epoch: 1, process: 'me', resource: 'users', cluster: CLUSTER };

const failing = (status: ItemOutcome['status'], code: ErrorCode, effect: Effect): ItemOutcome => ({
  status,
  error: { code, effect, message: 'x' },
});
const itemOf = (outcome: ItemOutcome, op: ItemRecord['op'] = 'create', index = 0): ItemRecord => ({
  index,
  op,
  name: `user${index}`,
  steps: ['create'],
  outcome,
});

const THROTTLED = failing('failed', 'vendor_rate_limited', 'none');
const REFUSED = failing('refused', 'invalid_user', 'none');
const TAKEN = failing('already_exists', 'user_already_exists', 'none');
const UNKNOWN = failing('unknown', 'vendor_unavailable', 'open');
const DONE: ItemOutcome = { status: 'created' };
const CANCELLED: ItemOutcome = { status: 'cancelled' };

describe('a request whose operation has ended is a new one', () => {
  const again = (state: LoadedOperation['state'], ...items: ItemRecord[]) => mayRunAgain({ state, items } as never);
  const each = (...outcomes: ItemOutcome[]) => outcomes.map((outcome, index) => itemOf(outcome, 'create', index));

  it.each<[boolean, string, ItemOutcome[]]>([
    [true, 'throttled', [THROTTLED]],
    [true, 'not as If-Match says', [failing('refused', 'precondition_failed', 'none')]],
    [true, 'throttled, another refused', [THROTTLED, REFUSED, TAKEN]],
    [true, 'throttled, and the rest stopped', [THROTTLED, CANCELLED]],
    [false, 'done', [DONE]],
    [false, 'throttled, but another done', [THROTTLED, DONE]],
    [false, 'refused', [REFUSED]],
    [false, 'taken', [TAKEN]],
    [false, 'unknown', [UNKNOWN]],
    [false, 'throttled, but another unknown', [THROTTLED, UNKNOWN]],
    [false, 'failed with an effect that is not ruled out', [failing('failed', 'vendor_unavailable', 'ended')]],
    [false, 'a fault of the gateway', [failing('failed', 'internal_error', 'none')]],
    [false, 'stopped', [CANCELLED]],
  ])('%s: %s', (expected, _, outcomes) => {
    expect(again('failed', ...each(...outcomes))).toBe(expected);
  });

  it('when a user to ensure was created or deleted by somebody else at the same moment', () => {
    expect(again('failed', itemOf(TAKEN, 'ensure'))).toBe(true);
    expect(again('failed', itemOf(failing('not_found', 'user_not_found', 'none'), 'ensure'))).toBe(true);
    expect(again('failed', itemOf(REFUSED, 'ensure'))).toBe(false);
  });

  it('not after a cancellation', () => {
    expect(again('cancelled', ...each(THROTTLED, CANCELLED))).toBe(false);
  });

  it('when it only sets values and was not done', () => {
    expect(again('failed', itemOf(failing('failed', 'vendor_rate_limited', 'open'), 'update'))).toBe(true);
    expect(again('unknown', itemOf(failing('unknown', 'vendor_rate_limited', 'open'), 'update'))).toBe(false);
  });
});

const setUp = (lookAgain: LookAgain = async () => new Map()) => {
  const store = createMemoryStore();
  const encryptor = createEncryptor(Buffer.alloc(32, 7));
  const journal = createJournal(store, { operationMs: HOUR, keyMs: HOUR });
  const idempotency = createIdempotency(journal, encryptor);
  const reports: unknown[] = [];
  const waiters = createWaiters(journal);
  const worker = createWorker({
    store,
    patientStore: store,
    journal,
    encryptor,
    executor: { execute: async () => undefined, conceal: () => undefined, look: () => undefined, restore: async () => undefined },
    waiters,
    report: (error) => reports.push(error),
    note: () => undefined,
    leaseMs: 5_000,
    callMs: 30_000,
    clock: systemClock,
    tail: { look: async () => undefined },
    sweepTrail: async () => undefined,
  });
  const progress = { isRunning: () => false, isLeft: () => false };
  const operations = createOperations({ cursors: testCursors, journal, lookAgain, worker, waiters, progress });
  const request = (change: Partial<WriteRequest> = {}): RequestReference =>
    idempotency.refer({ caller: 'portal', method: 'POST', path: '/users', content: { body: { a: 1, b: 2 } }, ...change });
  let isTaken = false;
  const begin = async (id: string, reference: RequestReference): Promise<void> => {
    const at = new Date().toISOString();
    const items: ItemRecord[] = [{ index: 0, op: 'create', name: 'ada', steps: ['create'] }];
    const record: LoadedOperation = {
      id,
      order: 0,
      resource: 'users',
      kind: 'createUser',
      isBatch: false,
      clusterId: 'c',
      cluster: CLUSTER,
      state: 'pending',
      total: 1,
      summary: summarise([]),
      stopOnError: false,
      cancelling: false,
      domain: 'a',
      process: 'p',
      caller: null,
      address: null,
      vendor: 'toy',
      request: reference.id,
      requestId: 'r',
      path: '/users',
      createdAt: at,
      updatedAt: at,
      finishedAt: null,
      items,
    };
    expect(await journal.begin(record, reference)).toBeNull();
    if (!isTaken) await journal.takeDomain('a', 'me');
    isTaken = true;
  };
  const end = async (id: string, outcome: ItemOutcome): Promise<void> => {
    await journal.settle({ id, ...WORKER }, [{ index: 0, name: 'ada' }], new Map([[0, outcome]]));
  };
  return { journal, idempotency, operations, reports, request, begin, end };
};

const never = (): Promise<never> => Promise.reject(new Error('not asked'));

describe('a repetition', () => {
  it('is known by caller, method, path, precondition and content, however the content is ordered', () => {
    const { request } = setUp();
    const same = request({ content: { body: { b: 2, a: 1 } } });
    expect(same.id).toBe(request().id);
    const others: Partial<WriteRequest>[] = [
      { caller: null },
      { method: 'PUT' },
      { path: '/others' },
      { ifMatch: '"a"' },
      { content: { body: { a: 1, b: 3 } } },
    ];
    expect(new Set([same, ...others.map((other) => request(other))].map(({ id }) => id)).size).toBe(others.length + 1);
    expect(request({ key: 'k' }).id).toBe(same.id);
    expect(request({ key: 'k', ifMatch: '"a"' }).key).toEqual(request({ key: 'k' }).key);
  });

  it.each([undefined, 'k'])('finds the operation while it is open: key %s', async (key) => {
    const { idempotency, begin, request } = setUp();
    const reference = request(key === undefined ? {} : { key });
    expect(await idempotency.find(reference)).toEqual({ begin: reference });
    await begin('op_1', reference);
    expect(await idempotency.find(reference)).toMatchObject({ operation: { id: 'op_1', state: 'pending' } });
  });

  it('differs by a password, also within a batch; one that is wrapped is refused', () => {
    const { refer } = createIdempotency({ known: never, load: never }, createEncryptor(Buffer.alloc(32, 1)));
    const id = (content: unknown): string =>
      refer({ key: 'k', caller: null, method: 'POST', path: '/', content }).key?.fingerprint ?? '';
    const [one, other] = ['Correct-Horse-1', 'Correct-Horse-2'].map((password) => ({ body: { items: [{ password }] } }));
    expect(id(one)).not.toBe(id(other));
    const wrapped = { body: { items: [{ password: new Secret('Correct-Horse-1') }] } };
    for (const content of [wrapped, wrapped.body.items[0]?.password, [wrapped]]) expect(() => id(content)).toThrow(TypeError);
  });

  it('without a key starts a new operation after the end; with one it finds what has ended', async () => {
    const { idempotency, begin, end, request } = setUp();
    await begin('op_1', request({ key: 'k' }));
    await end('op_1', DONE);
    expect(await idempotency.find(request())).toEqual({ begin: request() });
    expect(await idempotency.find(request({ key: 'k' }))).toMatchObject({ operation: { id: 'op_1', state: 'succeeded' } });
    const another = idempotency.find(request({ key: 'k', content: {} }));
    await expect(another).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('replaces an operation that changed nothing and may go well, whether its answer was sent or not', async () => {
    const { idempotency, begin, end, request } = setUp();
    await begin('op_1', request({ key: 'k' }));
    await end('op_1', THROTTLED);
    const found = await idempotency.find(request({ key: 'k' }));
    expect(found).toEqual({ begin: { ...request({ key: 'k' }), replaceable: ['op_1'] } });
    await begin('op_2', 'begin' in found ? found.begin : request());
    expect(await idempotency.find(request({ key: 'k' }))).toMatchObject({ operation: { id: 'op_2', state: 'pending' } });
  });
});

describe('looking again', () => {
  const call = anybodysCall();
  const looking = async (lookAgain: LookAgain, outcome: ItemOutcome = UNKNOWN) => {
    const set = setUp(lookAgain);
    await set.begin('op_1', set.request());
    await set.end('op_1', outcome);
    const operation = await set.operations.get('op_1', call);
    return { ...set, before: operation, after: await set.operations.lookAgain(operation, call) };
  };

  it('revises the operation by what was found', async () => {
    const { after, journal } = await looking(async () => new Map([[0, DONE]]));
    expect([after.state, after.items[0]?.outcome]).toEqual(['succeeded', DONE]);
    expect(await journal.load('op_1')).toEqual(after);
  });

  it('leaves it as it is where the cluster cannot be read, or nothing was unknown', async () => {
    const failed = await looking(async () => Promise.reject(new Error('unreachable')));
    expect(failed.after).toEqual(failed.before);
    expect(failed.reports).toHaveLength(1);
    const nothing = await looking(async () => new Map());
    expect(nothing.after).toEqual(nothing.before);
    const known = await looking(() => Promise.reject(new Error('not asked')), DONE);
    expect([known.after, known.reports]).toEqual([known.before, []]);
  });
});
