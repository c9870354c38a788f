/** How operations are written down: who may write, what is kept, and for how long. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StoredError } from '../../src/errors.js';
import type { Claim } from '../../src/journal/claim.js';
import type { Lifetimes } from '../../src/journal/deps.js';
import { OwnershipLost } from '../../src/journal/holding.js';
import { afterCall, type Departure, type StepOutcome } from '../../src/journal/item.js';
import { createJournal as createOperationJournal, type Journal } from '../../src/journal/journal.js';
import {
  type ClusterRef,
  EMPTY_SUMMARY,
  type ItemRecord,
  indexes,
  type KeyRecord,
  keyOf,
  type LoadedOperation,
  type OperationRecord,
  type ThingRecord,
} from '../../src/journal/records.js';
import type { RequestReference } from '../../src/journal/requests.js';
import { sweep } from '../../src/journal/retention.js';
import type { User } from '../../src/model.js';
import { createMemoryStore } from '../../src/store/memory.js';
import { patient } from '../../src/store/patient.js';
import { openRedisStore } from '../../src/store/redis.js';
import { type Decision, SILENT, type Store, type Value } from '../../src/store/store.js';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

const START = Date.parse('2026-03-01T12:00:00.000Z');
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const LIFETIMES = { operationMs: 7 * DAY, keyMs: DAY };
const LATELY_MS = 2 * HOUR;

const CLUSTER: ClusterRef = { account: 'aliyun', vendorClusterId: 'ehpc-hz-1', key: 'hz 1' };
const LATER = '2026-03-01T12:34:56.000Z';
/** What is stored with a send at this time. */
const sending = (at: string): Departure => ({
  at: () => Date.parse(at),
  baselineOf: () => 'unread',
  seenOf: () => undefined,
});

/** All that is written down, with one clock. */
type Book = Omit<Journal, 'settle' | 'markSent'> & {
  /** @returns the items that are sent */
  depart(...asked: Parameters<Journal['markSent']>): Promise<readonly ItemRecord[]>;
  settle(work: Claim, outcomes: ReadonlyMap<number, StepOutcome>): Promise<boolean>;
  key(id: string): Promise<KeyRecord | undefined>;
  sweep(): Promise<void>;
};

const openBook = (kept: Store, lifetimes: Lifetimes, nowMs: () => number = Date.now): Book => {
  const journal = createOperationJournal(kept, lifetimes, nowMs);
  return {
    ...journal,
    depart: async (...asked) => (await journal.markSent(...asked)).items,
    settle: async (work, outcomes) => {
      const items = (await journal.load(work.id))?.items ?? [];
      const stored = await journal.settle(
        work,
        items.filter(({ index }) => outcomes.has(index)),
        outcomes,
      );
      return stored.isOver;
    },
    key: async (id) => (await journal.known(key(id))).key,
    sweep: () => sweep(kept, nowMs()),
  };
};

/** A store that may be looked into. */
interface Glass extends Store {
  /** The keys of all records. */
  keys(): ReadonlySet<string>;
  /** The names of all indexes that ever had a member. */
  names(): ReadonlySet<string>;
  /** How often something was written. */
  changes: number;
}

const glass = (inner: Store): Glass => {
  const keys = new Set<string>();
  const names = new Set<string>();
  const self: Glass = {
    ...inner,
    changes: 0,
    keys: () => keys,
    names: () => names,
    change: async <T extends Value, Result>(
      of: readonly string[],
      decide: (values: readonly (T | undefined)[]) => Decision<Result>,
    ): Promise<Result> =>
      inner.change<T, Result>(of, (values) => {
        const decision = decide(values);
        const { put = {}, add = [], drop = [] } = decision;
        if (Object.keys(put).length + add.length + drop.length > 0) self.changes++;
        for (const [key, value] of Object.entries(put)) {
          if (value === null) keys.delete(key);
          // Of a domain there is a record for ever.
          else if (!key.startsWith('domain:')) keys.add(key);
        }
        for (const [name] of add) names.add(name);
        return decision;
      }),
  };
  return self;
};

/** What Redis may do after a lost answer: the decision is made again upon what it has brought about itself. */
const decidingTwice = (inner: Store): Store => ({
  ...inner,
  change: async (keys, decide) => {
    await inner.change(keys, decide);
    return inner.change(keys, decide);
  },
});

let time = START;
const now = (): number => time;
const openIn = async (book: Pick<Journal, 'openIn'>, domain: string): Promise<string[]> =>
  (await book.openIn(domain)).map(({ id }) => id);
const iso = (ms = time): string => new Date(ms).toISOString();

let store: Glass;
let journal: Book;
/** The domains that are held. */
const taken = new Map<string, Promise<number>>();
beforeEach(() => {
  taken.clear();
  time = START;
  store = glass(createMemoryStore());
  journal = openBook(store, LIFETIMES, now);
});

/** Who cancels. */
const BY = { caller: null, address: null, requestId: 'request-2' };

const create = (index: number, name = `user${index}`): ItemRecord => ({
  index,
  op: 'create',
  name,
  content: { role: 'member' },
  secret: `sealed-${index}`,
  steps: ['create'],
});

/** With the place that the store gave it. */
const placed = (known: object): object => ({ ...known, order: expect.any(Number) });

const operation = (id: string, change: Partial<LoadedOperation> = {}): LoadedOperation => {
  const items = change.items ?? [create(0), create(1), create(2)];
  return {
    id,
    order: 0,
    resource: 'things',
    kind: 'batchUsers',
    isBatch: true,
    clusterId: 'hangzhou',
    cluster: CLUSTER,
    state: 'pending',
    total: items.length,
    summary: EMPTY_SUMMARY,
    stopOnError: false,
    cancelling: false,
    domain: 'me',
    process: 'me',
    caller: null,
    address: null,
    vendor: 'toy',
    requestId: 'request-1',
    path: '/clusters/hangzhou/users:batch',
    createdAt: iso(),
    updatedAt: iso(),
    finishedAt: null,
    ...change,
    items,
  };
};

/** A request with a key, the same for the same body. */
const key = (id: string, fingerprint = 'body', replaceable: readonly string[] = []): RequestReference => ({
  id: `${id} ${fingerprint}`,
  key: { id, fingerprint },
  replaceable,
});
/** A request without a key. */
const keyless = (id: string): RequestReference => ({ id, replaceable: [] });
/** Each domain is held by the process of the same name. */
const workOf = (id: string, domain: string, epoch = 1, process = domain): Claim => ({
  id,
  domain,
  epoch,
  process,
  resource: 'things',
  cluster: CLUSTER,
});

/** Begins an operation of a domain that is held. */
const begun = async (id: string, domain = 'me', change: Partial<LoadedOperation> = {}): Promise<Claim> => {
  const epoch = await (taken.get(domain) ?? taken.set(domain, journal.takeDomain(domain, domain)).get(domain));
  expect(await journal.begin(operation(id, { domain, ...change }), undefined)).toBeNull();
  return workOf(id, domain, epoch);
};

const itemsOf = async (id: string): Promise<readonly ItemRecord[]> => (await journal.load(id))?.items ?? [];
const itemOf = async (id: string, index: number): Promise<ItemRecord> => (await itemsOf(id))[index] as ItemRecord;
const thingOf = async (name: string): Promise<ThingRecord | undefined> =>
  (await store.read<ThingRecord>([keyOf.thing('things', CLUSTER, name)]))[0];
const members = (index: string): Promise<string[]> => store.members(index, { order: 'ascending', limit: 1_000 });

/** The states in which an operation of three items ends: after what, and whether somebody asked for it to be stopped. */
const ENDS: readonly [OperationRecord['state'], ReadonlyMap<number, StepOutcome>, boolean][] = [
  ['succeeded', new Map([0, 1, 2].map((index) => [index, { status: 'deleted' }])), false],
  ['partially_succeeded', new Map([[1, { status: 'deleted' }]]), false],
  ['unknown', new Map([[1, { status: 'unknown' }]]), false],
  ['failed', new Map([[1, { status: 'cancelled' }]]), false],
  ['cancelled', new Map([[1, { status: 'cancelled' }]]), true],
];

const user = (username: string, createdAt: string | null): User => ({ username, createdAt }) as User;
const created: StepOutcome = { status: 'created' };
const error: StoredError = { code: 'user_not_found', message: 'There is no such user.', effect: 'none' };
const outcomes = (...all: [number, StepOutcome][]): ReadonlyMap<number, StepOutcome> => new Map(all);

/** The members of all indexes that have some. */
const lists = async (): Promise<Record<string, string[]>> => {
  const all = [...store.names()].sort().map(async (name) => [name, await members(name)] as const);
  return Object.fromEntries((await Promise.all(all)).filter(([, of]) => of.length > 0));
};

/** All that is in the store, to tell whether something was changed. */
const everything = async (): Promise<unknown> => {
  const keys = [...store.keys()].sort();
  return [keys, await store.read(keys), await lists()];
};

/** Where the first operation is, as long as it is open. */
const OPEN = { [indexes.open('me')]: [expect.stringMatching(/^op_1 \S+$/)], [indexes.domains]: ['me'] };

/** Where the lists have to have an operation. */
const listed = (id: string, state: string): Record<string, string[]> => ({
  [indexes.operations()]: [id],
  [indexes.operations('hangzhou')]: [id],
  [indexes.operations(undefined, state)]: [id],
  [indexes.operations('hangzhou', state)]: [id],
  ...Object.fromEntries(['user0', 'user1', 'user2'].map((name) => [indexes.ofName(name), [id]])),
});

const expectOwnershipLost = async (work: () => Promise<unknown>): Promise<void> => {
  const before = await everything();
  await expect(work()).rejects.toBeInstanceOf(OwnershipLost);
  expect(await everything()).toEqual(before);
};

describe('begin', () => {
  it('writes the operation, its items and where to find them', async () => {
    const one = operation('op_1');
    expect(await journal.begin(one, undefined)).toBeNull();
    expect(await journal.load('op_1')).toEqual(placed(one));
    const { items, ...record } = one;
    expect(await journal.get('op_1')).toEqual(placed(record));
    expect(items).toHaveLength(3);
    expect(await lists()).toEqual({ ...listed('op_1', 'pending'), ...OPEN });
  });

  it('gives each operation of a domain a higher place, whatever the clocks of those who begin show', async () => {
    const behind = openBook(store, LIFETIMES, () => time - 5_000);
    const books = [journal, behind, journal, behind, behind];
    const places: number[] = [];
    for (const [at, book] of books.entries()) {
      await book.begin(operation(`op_${at}`), undefined);
      places.push((await journal.get(`op_${at}`))?.order ?? 0);
    }
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(new Set(places).size).toBe(books.length);
  });

  it('takes an operation of no items', async () => {
    expect(await journal.begin(operation('op_1', { items: [] }), undefined)).toBeNull();
    expect((await journal.load('op_1'))?.items).toEqual([]);
  });

  it('knows nothing of operations that are not there', async () => {
    expect(await journal.get('op_0')).toBeUndefined();
    expect(await journal.load('op_0')).toBeUndefined();
  });

  it('takes its key with it', async () => {
    await journal.begin(operation('op_1'), key('k'));
    expect(await journal.key('k')).toEqual({ fingerprint: 'body', operationId: 'op_1', until: START + DAY });
    expect(await members(indexes.expiry)).toEqual([`${iso(START + DAY)} ${keyOf.idempotency('k')}`]);
  });

  it('answers what has taken the key, and writes nothing', async () => {
    await journal.begin(operation('op_1'), key('k'));
    const before = await everything();
    const written = store.changes;
    expect(await journal.begin(operation('op_2'), key('k'))).toEqual({ operationId: 'op_1' });
    const another = await journal.begin(operation('op_2'), key('k', 'another body'));
    expect(another).toEqual({ operationId: 'op_1', byAnother: true });
    expect(store.changes).toBe(written);
    expect(await everything()).toEqual(before);
    expect(await journal.load('op_2')).toBeUndefined();
    expect(await journal.begin(operation('op_2'), key('another'))).toBeNull();
  });

  it('lets one of many with the same key begin', async () => {
    const ids = Array.from({ length: 20 }, (_, at) => `op_${10 + at}`);
    const answers = await Promise.all(ids.map((id) => journal.begin(operation(id), key('k'))));
    expect(answers.filter((taken) => taken === null)).toHaveLength(1);
    expect(await members(indexes.operations())).toHaveLength(1);
  });

  it('takes a key again whose time is over, swept or not', async () => {
    await journal.begin(operation('op_1', { request: key('k').id }), key('k'));
    await journal.takeDomain('me', 'me');
    await journal.finish(workOf('op_1', 'me'));
    time += DAY - 1;
    expect(await journal.begin(operation('op_2'), key('k'))).toMatchObject({ operationId: 'op_1' });
    time += 1;
    expect(await journal.key('k')).toBeUndefined();
    expect(await journal.begin(operation('op_2'), key('k'))).toBeNull();
    expect(await journal.key('k')).toMatchObject({ operationId: 'op_2', until: time + DAY });
  });
});

describe('takeDomain', () => {
  it('raises the epoch, of this domain only', async () => {
    expect(await journal.takeDomain('me', 'p1')).toBe(1);
    expect(await journal.takeDomain('you', 'p1')).toBe(1);
    expect(await journal.takeDomain('me', 'p2')).toBe(2);
  });

  it('gives each of many another one', async () => {
    const epochs = await Promise.all(Array.from({ length: 20 }, () => journal.takeDomain('me', 'p')));
    expect(epochs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });
});

describe('who does not hold the domain', () => {
  it('changes nothing and is told so', async () => {
    const mine = await begun('op_1');
    const items = await itemsOf('op_1');
    await journal.depart(mine, items.slice(0, 1), sending(LATER), false);
    for (const stranger of [
      workOf('op_1', 'you'),
      workOf('op_1', 'me', 0),
      workOf('op_1', 'me', 2),
      workOf('op_1', 'me', 1, 'you'),
    ]) {
      await expectOwnershipLost(() => journal.depart(stranger, items, sending(LATER), false));
      await expectOwnershipLost(() => journal.attachJob(stranger, items, 'job-1'));
      await expectOwnershipLost(() => journal.settle(stranger, outcomes([0, created], [1, created])));
      await expectOwnershipLost(() => journal.finish(stranger));
    }
  });

  it('is so as soon as another process has taken it', async () => {
    const mine = await begun('op_1');
    const items = await itemsOf('op_1');
    const epoch = await journal.takeDomain('me', 'you');
    await expectOwnershipLost(() => journal.depart(mine, items, sending(LATER), false));
    await expectOwnershipLost(() => journal.settle(mine, outcomes([0, created])));
    const yours = workOf('op_1', 'me', epoch, 'you');
    expect(await journal.depart(yours, items, sending(LATER), false)).toHaveLength(3);
  });
});

describe('an operation', () => {
  it('is open from its begin to its last item, in the index of its domain', async () => {
    const work = await begun('op_1');
    await begun('op_2', 'you');
    expect([await openIn(journal, 'me'), await openIn(journal, 'you'), await openIn(journal, 'her')]).toEqual([
      ['op_1'],
      ['op_2'],
      [],
    ]);
    expect(await journal.domains()).toEqual(['me', 'you']);
    await journal.depart(work, await itemsOf('op_1'), sending(LATER), false);
    expect(await journal.settle(work, outcomes([0, created], [1, created]))).toBe(false);
    expect(await openIn(journal, 'me')).toEqual(['op_1']);
    expect(await journal.settle(work, outcomes([2, created]))).toBe(true);
    expect([await openIn(journal, 'me'), await openIn(journal, 'you')]).toEqual([[], ['op_2']]);
  });
});

describe('depart', () => {
  it('writes down that items are about to be sent', async () => {
    const work = await begun('op_1');
    const [first, second, third] = (await itemsOf('op_1')) as [ItemRecord, ItemRecord, ItemRecord];
    time += SECOND;
    const departed = await journal.depart(work, [first, third], sending(LATER), false);
    expect(departed).toEqual([
      { ...first, sentAt: LATER, sends: 1, underWay: Date.parse(LATER) },
      { ...third, sentAt: LATER, sends: 1, underWay: Date.parse(LATER) },
    ]);
    expect(await itemsOf('op_1')).toEqual([departed[0], second, departed[1]]);
    expect(await journal.get('op_1')).toMatchObject({ updatedAt: iso() });
    expect(await thingOf('user0')).toEqual({ holder: 'op_1', made: null });
    expect(await thingOf('user1')).toBeUndefined();
  });

  it('leaves out users that another operation has on its way, until they are settled', async () => {
    const mine = await begun('op_1', 'me', { items: [create(0, 'ada'), create(1, 'bob')] });
    const yours = await begun('op_2', 'you', { items: [create(0, 'bob'), create(1, 'eve')] });
    await journal.depart(mine, await itemsOf('op_1'), sending(LATER), false);
    const left = await journal.depart(yours, await itemsOf('op_2'), sending(LATER), false);
    expect(left.map(({ name }) => name)).toEqual(['eve']);
    expect(await itemOf('op_2', 0)).toEqual(create(0, 'bob'));
    expect(await thingOf('bob')).toMatchObject({ holder: 'op_1' });

    const written = store.changes;
    expect(await journal.depart(yours, [await itemOf('op_2', 0)], sending(LATER), false)).toEqual([]);
    expect(store.changes).toBe(written);
    // In order, nothing goes before the one that is held.
    expect(await journal.depart(yours, await itemsOf('op_2'), sending(LATER), true)).toEqual([]);

    // Between two calls nobody holds the user: two operations that wait for each other's would wait for ever.
    await journal.settle(mine, outcomes([1, { status: 'again', untouched: false }]));
    const [bob] = await journal.depart(yours, [await itemOf('op_2', 0)], sending(LATER), false);
    expect(bob).toMatchObject({ name: 'bob', sends: 1 });
    expect(await thingOf('bob')).toMatchObject({ holder: 'op_2' });
    // Still the other's.
    expect(
      await journal.depart(await begun('op_3', 'her', { items: [create(0, 'ada')] }), [create(0, 'ada')], sending(LATER), false),
    ).toEqual([]);
  });

  it('lets one of many operations have a user', async () => {
    const works = await Promise.all(
      Array.from({ length: 10 }, (_, at) => begun(`op_${at}`, 'me', { items: [create(0, 'ada')] })),
    );
    const departed = await Promise.all(works.map((work) => journal.depart(work, [create(0, 'ada')], sending(LATER), false)));
    expect(departed.filter((items) => items.length > 0)).toHaveLength(1);
  });

  it('tells users of several clusters apart', async () => {
    const elsewhere: ClusterRef = { account: 'aliyun', vendorClusterId: 'ehpc-hz-2', key: 'hz 2' };
    const mine = await begun('op_1', 'me', { items: [create(0, 'ada')] });
    await begun('op_2', 'me', { items: [create(0, 'ada')], cluster: elsewhere });
    expect(await journal.depart(mine, [create(0, 'ada')], sending(LATER), false)).toHaveLength(1);
    expect(
      await journal.depart(
        { id: 'op_2', domain: 'me', epoch: 1, process: 'me', resource: 'things', cluster: elsewhere },
        [create(0, 'ada')],
        sending(LATER),
        false,
      ),
    ).toHaveLength(1);
  });

  it('goes on where a process before it has ended', async () => {
    const mine = await begun('op_1', 'me', { items: [create(0, 'ada')] });
    await journal.depart(mine, [create(0, 'ada')], sending(LATER), false);
    const epoch = await journal.takeDomain('me', 'you');
    const yours = workOf('op_1', 'me', epoch, 'you');
    await journal.settle(yours, outcomes([0, { status: 'again', untouched: false }]));
    const [again] = await journal.depart(yours, [create(0, 'ada')], sending(iso(START + DAY)), false);
    expect(again).toMatchObject({ sentAt: LATER, sends: 2 });
  });
});

describe('attachJob', () => {
  it('writes down which job does the items', async () => {
    const work = await begun('op_1');
    const departed = await journal.depart(work, (await itemsOf('op_1')).slice(0, 2), sending(LATER), false);
    await journal.attachJob(work, departed, 'job-1');
    expect((await itemsOf('op_1')).map(({ job }) => job)).toEqual(['job-1', 'job-1', undefined]);
    expect(await itemOf('op_1', 0)).toMatchObject({ sentAt: LATER, sends: 1, underWay: Date.parse(LATER), secret: 'sealed-0' });
  });
});

describe('settle', () => {
  it('keeps what came of an item, and nothing of how', async () => {
    const work = await begun('op_1');
    await journal.attachJob(work, await journal.depart(work, await itemsOf('op_1'), sending(LATER), false), 'job-1');
    const ada = user('user0', LATER);
    await journal.settle(work, outcomes([0, { status: 'created', value: ada }], [2, { status: 'refused', error }]));
    const kept = { op: 'create', content: { role: 'member' }, steps: ['create'] } as const;
    expect(await itemOf('op_1', 0)).toEqual({ ...kept, index: 0, name: 'user0', outcome: { status: 'created', value: ada } });
    expect(await itemOf('op_1', 2)).toEqual({ ...kept, index: 2, name: 'user2', outcome: { status: 'refused', error } });
    expect(await itemOf('op_1', 1)).toMatchObject({ job: 'job-1', underWay: Date.parse(LATER) });
    expect(await itemOf('op_1', 1)).not.toHaveProperty('outcome');
  });

  it('erases a secret as soon as its item is settled, and not before', async () => {
    const work = await begun('op_1');
    await journal.depart(work, await itemsOf('op_1'), sending(LATER), false);
    await journal.settle(
      work,
      outcomes([0, created], [1, { status: 'again', untouched: false }], [2, { status: 'again', untouched: true }]),
    );
    const secrets = (await itemsOf('op_1')).map(({ secret }) => secret);
    expect(secrets).toEqual([undefined, 'sealed-1', 'sealed-2']);
    await journal.depart(work, (await itemsOf('op_1')).slice(1, 2), sending(LATER), false);
    await journal.settle(work, outcomes([1, { status: 'step_done', step: 0 }], [2, { status: 'cancelled' }]));
    expect((await itemsOf('op_1')).map(({ secret }) => secret)).toEqual([undefined, 'sealed-1', undefined]);
    expect(await itemOf('op_1', 1)).toMatchObject({ stepsDone: 1 });
    await journal.settle(work, outcomes([1, { status: 'unknown', error }]));
    const all = await store.read([...store.keys()]);
    expect(JSON.stringify(all)).not.toContain('sealed-');
  });

  it('counts', async () => {
    const items = Array.from({ length: 10 }, (_, at) => create(at));
    const work = await begun('op_1', 'me', { items });
    await journal.depart(work, items, sending(LATER), false);
    time += SECOND;
    await journal.settle(work, outcomes([0, created], [1, created], [2, { status: 'already_exists', error }]));
    expect(await journal.get('op_1')).toMatchObject({
      summary: { ...EMPTY_SUMMARY, created: 2, already_exists: 1 },
      updatedAt: iso(),
    });
    await journal.settle(
      work,
      outcomes(
        [3, { status: 'updated' }],
        [4, { status: 'deleted' }],
        [5, { status: 'not_found', error }],
        [6, { status: 'refused', error }],
        [7, { status: 'failed', error }],
        [8, { status: 'unknown', error }],
        [9, { status: 'cancelled' }],
      ),
    );
    const one = { updated: 1, deleted: 1, not_found: 1, refused: 1, failed: 1, unknown: 1, cancelled: 1 };
    const summary = { created: 2, unchanged: 0, already_exists: 1, ...one };
    expect((await journal.get('op_1'))?.summary).toEqual(summary);

    // What is settled stays as it was, and is counted once.
    await journal.settle(work, outcomes([0, { status: 'failed', error }], [9, created]));
    expect((await journal.get('op_1'))?.summary).toEqual(summary);
    expect((await itemOf('op_1', 0)).outcome).toEqual(created);
    expect((await itemOf('op_1', 9)).outcome).toEqual({ status: 'cancelled' });
  });

  it('counts once what is settled by many at once', async () => {
    const work = await begun('op_1');
    await Promise.all(Array.from({ length: 10 }, (_, at) => journal.settle(work, outcomes([at % 3, created]))));
    expect((await journal.get('op_1'))?.summary).toEqual({ ...EMPTY_SUMMARY, created: 3 });
  });

  it('starts from the items that were settled when the operation began', async () => {
    const refused = {
      index: 1,
      op: 'create',
      name: 'bad name',
      steps: ['create'],
      outcome: { status: 'refused', error },
    } as const;
    const work = await begun('op_1', 'me', { items: [create(0), refused], summary: { ...EMPTY_SUMMARY, refused: 1 } });
    await journal.settle(work, outcomes([0, created], [1, created]));
    expect((await journal.get('op_1'))?.summary).toEqual({ ...EMPTY_SUMMARY, created: 1, refused: 1 });
  });

  it('frees the user, but not one that another operation has', async () => {
    const mine = await begun('op_1', 'me', { items: [create(0, 'ada'), create(1, 'bob')] });
    const yours = await begun('op_2', 'you', { items: [create(0, 'ada')] });
    await journal.depart(mine, await itemsOf('op_1'), sending(LATER), false);
    // Cancelled before it was sent.
    await journal.settle(yours, outcomes([0, { status: 'cancelled' }]));
    expect(await thingOf('ada')).toEqual({ holder: 'op_1', made: null });
    await journal.settle(mine, outcomes([0, { status: 'failed', error }], [1, { status: 'unknown', error }]));
    // Their ends are not proven: what was seen of them before is void.
    const free = { holder: null, made: null, touchedAt: time };
    expect([await thingOf('ada'), await thingOf('bob')]).toMatchObject([free, free]);
  });
});

describe('a step that is to be sent again', () => {
  const sent: ItemRecord = { ...create(0), sentAt: LATER, sends: 1, underWay: START, job: 'job-1' };
  const again = (untouched: boolean): StepOutcome => ({ status: 'again', untouched });

  it('was sent, where that may have changed something', () => {
    expect(afterCall(sent, again(false))).toEqual({ ...create(0), sentAt: LATER, sends: 1 });
    expect(afterCall({ ...sent, sends: 3 }, again(false))).toEqual({ ...create(0), sentAt: LATER, sends: 3 });
  });

  it('was not sent, where that surely changed nothing', () => {
    expect(afterCall(sent, again(true))).toEqual(create(0));
    expect(afterCall({ ...sent, sends: 3 }, again(true))).toEqual({ ...create(0), sentAt: LATER, sends: 2 });
  });

  it('is a new one after the first one is done', () => {
    const update: ItemRecord = { ...sent, op: 'update', sends: 2 };
    expect(afterCall(update, { status: 'step_done', step: 0 })).toEqual({ ...create(0), op: 'update', stepsDone: 1 });
  });

  it('is written down as such', async () => {
    const work = await begun('op_1', 'me', { items: [create(0)] });
    const go = async (sentAt: string): Promise<ItemRecord> =>
      (await journal.depart(work, [create(0)], sending(sentAt), false))[0] as ItemRecord;
    expect(await go('2026-03-01T13:00:00.000Z')).toMatchObject({ sentAt: '2026-03-01T13:00:00.000Z', sends: 1 });
    await journal.settle(work, outcomes([0, again(true)]));
    expect(await itemOf('op_1', 0)).toEqual(create(0));
    expect(await go('2026-03-01T13:01:00.000Z')).toMatchObject({ sentAt: '2026-03-01T13:01:00.000Z', sends: 1 });
    await journal.settle(work, outcomes([0, again(false)]));
    expect(await itemOf('op_1', 0)).toEqual({ ...create(0), sentAt: '2026-03-01T13:01:00.000Z', sends: 1 });
    expect(await go('2026-03-01T13:02:00.000Z')).toMatchObject({ sentAt: '2026-03-01T13:01:00.000Z', sends: 2 });
    await journal.settle(work, outcomes([0, again(true)]));
    expect(await itemOf('op_1', 0)).toEqual({ ...create(0), sentAt: '2026-03-01T13:01:00.000Z', sends: 1 });
    expect(await go('2026-03-01T13:03:00.000Z')).toMatchObject({ sentAt: '2026-03-01T13:01:00.000Z', sends: 2 });
  });
});

describe('finish', () => {
  it.each(ENDS)('ends an operation as %s', async (state, ends, asked) => {
    const work = await begun('op_1');
    if (asked) await journal.cancel('op_1', BY);
    time += SECOND;
    await journal.settle(work, ends);
    // Where items were settled before it began.
    if (ends.size < 3) await journal.finish(work);
    expect(await journal.get('op_1')).toMatchObject({ state, finishedAt: iso(), updatedAt: iso() });
    const removal = `${iso(time + LIFETIMES.operationMs)} ${keyOf.operation('op_1')}`;
    const { [indexes.expiry]: expiring, ...others } = await lists();
    expect(others).toEqual({ ...listed('op_1', state), [indexes.domains]: ['me'] });
    // What was done to users is kept a little, too.
    expect(expiring?.filter((mark) => !mark.includes(' thing:'))).toEqual([removal]);
    const before = await everything();
    time += SECOND;
    await journal.finish(work);
    expect(await everything()).toEqual(before);
  });
});

describe('cancel', () => {
  it('asks for the operation to be stopped, whoever works on it', async () => {
    await begun('op_1');
    time += SECOND;
    await journal.cancel('op_1', BY);
    expect(await journal.get('op_1')).toMatchObject({ cancelling: true, updatedAt: iso() });
    time += SECOND;
    await journal.cancel('op_1', BY);
    expect(await journal.get('op_1')).toMatchObject({ updatedAt: iso(START + SECOND) });
  });

  it('does nothing to one that is over or not there', async () => {
    const work = await begun('op_1');
    await journal.finish(work);
    const before = await everything();
    await journal.cancel('op_1', BY);
    await journal.cancel('op_0', BY);
    expect(await everything()).toEqual(before);
  });
});

describe('list', () => {
  const idsOf = (records: readonly OperationRecord[]): string[] => records.map(({ id }) => id);

  it('is newest first, by cluster and by state, page by page', async () => {
    expect(await journal.list({ isSeen: () => true, limit: 10 })).toEqual({ operations: [], next: null });
    for (let at = 0; at < 9; at++) {
      const work = await begun(`op_${at}`, 'me', { clusterId: at % 3 === 0 ? 'beijing' : 'hangzhou', items: [] });
      if (at % 2 === 0) await journal.finish(work);
    }
    const list = async (filter: Omit<Parameters<Journal['list']>[0], 'isSeen'>): Promise<string> =>
      idsOf((await journal.list({ isSeen: () => true, ...filter })).operations).join(' ');
    expect(await list({ limit: 3 })).toBe('op_8 op_7 op_6');
    expect((await journal.list({ isSeen: () => true, limit: 3 })).next).toBe('op_6');
    expect((await journal.list({ isSeen: () => true, limit: 3, after: 'op_3' })).next).toBeNull();
    expect(await list({ limit: 3, after: 'op_6' })).toBe('op_5 op_4 op_3');
    expect(await list({ limit: 100, after: 'op_1' })).toBe('op_0');
    expect(await list({ limit: 100, after: 'op_0' })).toBe('');
    expect(await list({ limit: 100, clusterId: 'beijing' })).toBe('op_6 op_3 op_0');
    expect(await list({ limit: 1, clusterId: 'beijing', after: 'op_6' })).toBe('op_3');
    expect(await list({ limit: 100, clusterId: 'shanghai' })).toBe('');
    expect(await list({ limit: 100, state: 'pending' })).toBe('op_7 op_5 op_3 op_1');
    expect(await list({ limit: 2, state: 'succeeded', after: 'op_7' })).toBe('op_6 op_4');
    expect(await list({ limit: 100, state: 'succeeded', clusterId: 'beijing' })).toBe('op_6 op_0');
    expect(await list({ limit: 100, clusterId: undefined, state: undefined, after: undefined })).toHaveLength(9 * 5 - 1);
  });

  it('finds few among many', async () => {
    const ids = Array.from({ length: 350 }, (_, at) => `op_${String(at).padStart(3, '0')}`);
    for (const id of ids) await begun(id, 'me', { items: [] });
    for (const id of ['op_000', 'op_120', 'op_349']) await journal.finish(workOf(id, 'me'));
    expect(idsOf((await journal.list({ isSeen: () => true, limit: 10, state: 'succeeded' })).operations)).toEqual([
      'op_349',
      'op_120',
      'op_000',
    ]);
    expect(idsOf((await journal.list({ isSeen: () => true, limit: 200 })).operations)).toEqual(ids.toReversed().slice(0, 200));
    expect(await openIn(journal, 'me')).toEqual(ids.filter((id) => !['op_000', 'op_120', 'op_349'].includes(id)));
  });

  it('does not stumble over one that was removed meanwhile', async () => {
    await begun('op_1');
    await begun('op_2');
    await store.change([], () => ({ result: undefined, put: { [keyOf.operation('op_1')]: null } }));
    expect(idsOf((await journal.list({ isSeen: () => true, limit: 10 })).operations)).toEqual(['op_2']);
  });
});

describe('after a failover of the store', () => {
  const lost = async (id: string): Promise<void> => {
    const keys = [keyOf.operation(id), ...[0, 1, 2].map((index) => keyOf.item(id, index))];
    await store.change([], () => ({ result: undefined, put: Object.fromEntries(keys.map((each) => [each, null])) }));
  };

  it('an operation that is gone is stored again, with what was sent and what came of it, and is open', async () => {
    const work = await begun('op_1');
    const [first] = await journal.depart(work, [create(0)], sending(iso()), false);
    await journal.settle(work, outcomes([1, { status: 'cancelled' }]));
    const known = (await journal.load('op_1')) as LoadedOperation;
    await lost('op_1');
    expect(await journal.get('op_1')).toBeUndefined();
    await journal.restore(work, known);
    expect(await itemsOf('op_1')).toEqual([first, expect.objectContaining({ outcome: { status: 'cancelled' } }), create(2)]);
    expect((await journal.get('op_1'))?.summary).toMatchObject({ cancelled: 1 });
    expect(await openIn(journal, 'me')).toEqual(['op_1']);
    expect(await thingOf('user0')).toMatchObject({ holder: 'op_1', touchedAt: time });
    expect(await thingOf('user2')).toMatchObject({ holder: null, touchedAt: time });
  });

  it('what another operation has on its way stays its own', async () => {
    const [mine, yours] = [await begun('op_1'), await begun('op_2')];
    await journal.depart(mine, [create(0)], sending(iso()), false);
    await journal.restore(yours, (await journal.load('op_2')) as LoadedOperation);
    expect(await thingOf('user0')).toMatchObject({ holder: 'op_1' });
  });

  it('no limit refuses what was accepted, and the backlog counts what is open now', async () => {
    const limited = openBook(store, { ...LIFETIMES, maxOpenItems: 6 }, now);
    const epoch = await limited.takeDomain('me', 'me');
    await limited.begin(operation('op_1'), undefined);
    const work = workOf('op_1', 'me', epoch);
    const known = (await limited.load('op_1')) as LoadedOperation;
    // The settles that the store has lost.
    await limited.settle(work, outcomes([0, created], [1, created]));
    const settled = (await limited.load('op_1')) as LoadedOperation;
    await store.change([], () => ({
      result: undefined,
      put: { [keyOf.operation('op_1')]: { ...known, items: undefined } },
      count: [{ counter: 'items me', by: 2 }],
    }));
    await limited.restore(work, settled);
    // One is open: five more fit in the domain.
    await limited.begin(operation('op_2', { items: [create(0), create(1)], cluster: { ...CLUSTER, key: 'another' } }), undefined);
    expect(await openIn(limited, 'me')).toEqual(['op_1', 'op_2']);
  });

  it('nothing is decided upon a store that the domain was not taken in', async () => {
    await begun('op_1');
    const away = { isCurrent: () => false, reclaim: async () => false };
    const elsewhere = createOperationJournal(store, LIFETIMES, now, away);
    const work = workOf('op_1', 'me');
    for (const change of [() => elsewhere.finish(work), () => elsewhere.settle(work, [create(0)], outcomes([0, created]))])
      await expect(change()).rejects.toThrow(OwnershipLost);
    expect(await itemOf('op_1', 0)).toEqual(create(0));
  });

  it('a change that waited while the store became another one is not decided upon it', async () => {
    await begun('op_1');
    // At the begin of the change it still is the one.
    const looks = [true];
    const changing = { isCurrent: () => looks.shift() ?? false, reclaim: async () => false };
    const work = workOf('op_1', 'me');
    const waited = createOperationJournal(store, LIFETIMES, now, changing);
    await expect(waited.settle(work, [create(0)], outcomes([0, created]))).rejects.toThrow(OwnershipLost);
    expect(await itemOf('op_1', 0)).toEqual(create(0));
  });

  it('a change goes on when the domain could be taken again', async () => {
    const work = await begun('op_1');
    let isCurrent = false;
    const ownership = {
      isCurrent: () => isCurrent,
      reclaim: async () => {
        isCurrent = true;
        return true;
      },
    };
    const again = createOperationJournal(store, LIFETIMES, now, ownership);
    await again.settle(work, [create(0)], outcomes([0, created]));
    expect(await itemOf('op_1', 0)).toMatchObject({ outcome: created });
  });
});

describe('lately', () => {
  const made = async (work: Claim, names: readonly string[]) =>
    Object.fromEntries(
      [...(await journal.lately(work, names))].flatMap(([name, thing]) => (thing.made ? [[name, thing.made]] : [])),
    );

  it('tells of users that another operation made within the last minute', async () => {
    const mine = await begun('op_1', 'me', { items: [create(0, 'ada'), create(1, 'bob'), create(2, 'eve')] });
    const yours = workOf('op_2', 'you');
    await journal.depart(mine, await itemsOf('op_1'), sending(LATER), false);
    expect(await made(yours, ['ada', 'bob', 'eve'])).toEqual({});
    await journal.settle(
      mine,
      outcomes([0, { status: 'created', value: user('ada', LATER) }], [1, created], [2, { status: 'already_exists', error }]),
    );
    const ada = { at: START, createdAt: LATER };
    const bob = { at: START, createdAt: null };
    expect(await made(yours, ['ada', 'bob', 'eve', 'zoe'])).toEqual({ ada, bob });
    expect(await made(yours, ['bob'])).toEqual({ bob });
    expect(await made(yours, [])).toEqual({});
    expect(await made(mine, ['ada', 'bob'])).toEqual({ ada, bob });
    expect(await made({ ...yours, cluster: { ...CLUSTER, key: 'another' } }, ['ada'])).toEqual({});
    time += LATELY_MS - 1;
    expect(await made(yours, ['ada'])).toEqual({ ada });
    time += 1;
    expect(await made(yours, ['ada'])).toEqual({});
  });

  it('still does while and after somebody changes the user, and no more after it was deleted', async () => {
    const items = [create(0, 'ada')];
    const mine = await begun('op_1', 'me', { items });
    await journal.depart(mine, items, sending(LATER), false);
    await journal.settle(mine, outcomes([0, created]));
    for (const status of ['updated', 'failed', 'cancelled'] as const) {
      const work = await begun(`op_${status}`, 'me', {
        items: [{ index: 0, op: 'update', name: 'ada', steps: ['setRole'] }],
      });
      await journal.depart(work, items, sending(LATER), false);
      expect(await made(workOf('op_2', 'you'), ['ada'])).toHaveProperty('ada');
      await journal.settle(work, outcomes([0, status === 'failed' ? { status, error } : { status }]));
      expect(await made(workOf('op_2', 'you'), ['ada'])).toHaveProperty('ada');
    }
    const deleting = await begun('op_9', 'me', { items: [{ index: 0, op: 'delete', name: 'ada', steps: ['delete'] }] });
    await journal.depart(deleting, items, sending(LATER), false);
    await journal.settle(deleting, outcomes([0, { status: 'deleted' }]));
    expect(await made(workOf('op_2', 'you'), ['ada'])).toEqual({});
    expect(await thingOf('ada')).toMatchObject({ holder: null, made: null, goneAt: time });
  });
});

describe('a repeated request', () => {
  it('joins the operation that is open, with another key, or without', async () => {
    await journal.begin(operation('op_1'), { ...key('k'), id: 'same' });
    for (const [id, request] of Object.entries({ op_2: keyless('same'), op_3: { ...key('other'), id: 'same' } }))
      expect(await journal.begin(operation(id), request)).toEqual({ operationId: 'op_1' });
    expect(await journal.key('other')).toEqual({ fingerprint: 'body', operationId: 'op_1', until: START + DAY });
    expect(await openIn(journal, 'me')).toEqual(['op_1']);
    expect(await journal.begin(operation('op_4'), keyless('another'))).toBeNull();
  });

  it('begins one operation, however many come at once', async () => {
    const ids = Array.from({ length: 20 }, (_, at) => `op_${10 + at}`);
    const answers = await Promise.all(ids.map((id) => journal.begin(operation(id), keyless('same'))));
    expect(answers.filter((taken) => taken === null)).toHaveLength(1);
    expect(new Set(answers.flatMap((taken) => taken?.operationId ?? []))).toEqual(new Set(await members(indexes.operations())));
  });

  it('is a new one after the end, which leaves nothing behind', async () => {
    await journal.begin(operation('op_1', { request: 'same' }), keyless('same'));
    expect(store.keys().has(keyOf.request('same'))).toBe(true);
    await journal.takeDomain('me', 'me');
    await journal.finish(workOf('op_1', 'me'));
    expect(store.keys().has(keyOf.request('same'))).toBe(false);
    expect(await journal.begin(operation('op_2', { request: 'same' }), keyless('same'))).toBeNull();
    // The end of the first one, sent again by the store, does not touch it.
    await journal.finish(workOf('op_1', 'me'));
    expect(await journal.begin(operation('op_3'), keyless('same'))).toEqual({ operationId: 'op_2' });
  });

  it('takes the place of the operations that it may replace, and of no other', async () => {
    await journal.begin(operation('op_1'), key('k'));
    expect(await journal.begin(operation('op_2'), key('k', 'body', ['op_0']))).toEqual({ operationId: 'op_1' });
    const other = await journal.begin(operation('op_2'), key('k', 'another body', ['op_1']));
    expect(other).toEqual({ operationId: 'op_1', byAnother: true });
    time += HOUR;
    expect(await journal.begin(operation('op_2'), key('k', 'body', ['op_1']))).toBeNull();
    expect(await journal.key('k')).toEqual({ fingerprint: 'body', operationId: 'op_2', until: time + DAY });
    expect(await journal.begin(operation('op_3'), key('k', 'body', ['op_1']))).toEqual({ operationId: 'op_2' });
    time += DAY - HOUR;
    await journal.sweep();
    expect(await journal.key('k')).toMatchObject({ operationId: 'op_2' });
    time += HOUR;
    await journal.sweep();
    expect(store.keys().has(keyOf.idempotency('k'))).toBe(false);
    expect(await members(indexes.expiry)).toEqual([]);
  });
});

describe('revise', () => {
  const ended = async (...statuses: ['created' | 'failed', 'unknown', 'unknown']): Promise<void> => {
    const work = await begun('op_1');
    await journal.settle(work, new Map(statuses.map((status, index) => [index, { status, error }])));
    await journal.finish(work);
  };

  it('changes what was unknown, the summary and the state', async () => {
    await ended('created', 'unknown', 'unknown');
    const before = await journal.get('op_1');
    time += SECOND;
    await journal.revise('op_1', new Map([[1, { status: 'created', value: user('user1', LATER) }]]));
    expect(await itemOf('op_1', 1)).toMatchObject({ outcome: { status: 'created', value: { username: 'user1' } } });
    expect(await journal.get('op_1')).toEqual({
      ...before,
      summary: { ...EMPTY_SUMMARY, created: 2, unknown: 1 },
      updatedAt: iso(),
    });
    await journal.revise('op_1', new Map([[2, { status: 'created' }]]));
    expect(await journal.get('op_1')).toMatchObject({ state: 'succeeded', summary: { ...EMPTY_SUMMARY, created: 3 } });
    expect(await lists()).toMatchObject(listed('op_1', 'succeeded'));
    expect((await journal.list({ isSeen: () => true, limit: 10, state: 'partially_succeeded' })).operations).toEqual([]);
  });

  it('makes what was read of the cluster before out of date', async () => {
    await ended('created', 'unknown', 'unknown');
    const revision = (): Promise<unknown> => store.read([keyOf.revision('things', CLUSTER)]);
    const before = await revision();
    await journal.revise('op_1', new Map([[1, { status: 'unknown' }]]));
    expect(await revision()).toEqual(before);
    await journal.revise('op_1', new Map([[1, { status: 'created' }]]));
    expect(await revision()).not.toEqual(before);
  });

  it('leaves alone what is known, what is not in it, and operations that are open or gone', async () => {
    await ended('failed', 'unknown', 'unknown');
    const before = await everything();
    await journal.revise('op_1', new Map([[0, { status: 'created' }]]));
    await journal.revise('op_1', new Map([[1, { status: 'unknown' }]]));
    await journal.revise('op_1', new Map([[7, { status: 'created' }]]));
    await journal.revise('op_0', new Map([[0, { status: 'created' }]]));
    expect(await everything()).toEqual(before);
    const work = await begun('op_2');
    await journal.settle(work, outcomes([0, { status: 'unknown', error }]));
    await journal.revise('op_2', new Map([[0, { status: 'created' }]]));
    expect((await itemOf('op_2', 0)).outcome).toMatchObject({ status: 'unknown' });
  });
});

describe('sweep', () => {
  it('removes operations some time after their end, whole', async () => {
    const work = await begun('op_1');
    time += HOUR;
    await journal.settle(work, outcomes([0, created], [1, { status: 'failed', error }], [2, { status: 'cancelled' }]));
    time += 7 * DAY - 1;
    await journal.sweep();
    expect((await journal.load('op_1'))?.items).toHaveLength(3);
    time += 1;
    await journal.sweep();
    expect(await journal.get('op_1')).toBeUndefined();
    // That a write came to its end is known for good.
    expect([...store.keys()]).toEqual([expect.stringMatching(/^revision:/)]);
    expect(await lists()).toEqual({ [indexes.domains]: ['me'] });
    await journal.sweep();
  });

  it('keeps operations that are not over, however old', async () => {
    await begun('op_1');
    await journal.begin(operation('op_2'), undefined);
    const over = await begun('op_3');
    await journal.finish(over);
    time += 365 * DAY;
    await journal.sweep();
    expect(await members(indexes.operations())).toEqual(['op_1', 'op_2']);
    expect(await journal.load('op_1')).toMatchObject({ state: 'pending', items: [create(0), create(1), create(2)] });
    expect(await journal.load('op_2')).toBeDefined();
    expect(await journal.load('op_3')).toBeUndefined();
  });

  it('removes keys when their time is over, with and without an operation that is still there', async () => {
    await journal.begin(operation('op_1'), key('k'));
    time += DAY - 1;
    await journal.sweep();
    expect(store.keys().has(keyOf.idempotency('k'))).toBe(true);
    time += 1;
    await journal.sweep();
    expect(store.keys().has(keyOf.idempotency('k'))).toBe(false);
    expect(await members(indexes.expiry)).toEqual([]);
    expect(await journal.load('op_1')).toBeDefined();
  });

  it('removes what was known of users who were made, but not of those on their way', async () => {
    const items = [create(0, 'ada'), create(1, 'bob')];
    const mine = await begun('op_1', 'me', { items });
    await journal.depart(mine, items, sending(LATER), false);
    await journal.settle(mine, outcomes([0, created], [1, created]));
    time += LATELY_MS / 2;
    const yours = await begun('op_2', 'you', { items: [create(0, 'bob')] });
    await journal.depart(yours, [create(0, 'bob')], sending(LATER), false);
    time += LATELY_MS / 2;
    await journal.sweep();
    expect(await thingOf('ada')).toBeUndefined();
    expect(await thingOf('bob')).toMatchObject({ holder: 'op_2' });
    await journal.settle(yours, outcomes([0, { status: 'already_exists', error }]));
    time += LATELY_MS;
    await journal.sweep();
    expect(await thingOf('bob')).toBeUndefined();
    expect((await members(indexes.expiry)).filter((mark) => mark.includes(' thing:'))).toEqual([]);
  });

  it('removes more than it looks at in one go', async () => {
    for (let at = 0; at < 1_200; at++) {
      await journal.begin(operation(`op_${at}`, { items: [create(0)] }), key(`k${at}`));
    }
    time += DAY - 1;
    await journal.begin(operation('op_young', { items: [] }), key('young'));
    time += 1;
    await journal.sweep();
    expect([...store.keys()].filter((name) => name.startsWith('idempotency:'))).toEqual([keyOf.idempotency('young')]);
    expect(await members(indexes.expiry)).toHaveLength(1);
    expect(await openIn(journal, 'me')).toHaveLength(1_201);
  });

  it('of two processes at once does no harm', async () => {
    const over = await begun('op_1');
    await journal.finish(over);
    await begun('op_2');
    time += 7 * DAY;
    await Promise.all([journal.sweep(), journal.sweep(), openBook(store, LIFETIMES, now).sweep()]);
    expect(await members(indexes.operations())).toEqual(['op_2']);
    expect(await journal.load('op_2')).toBeDefined();
    expect(await members(indexes.expiry)).toEqual([]);
  });

  it('keeps nothing when nothing is to be kept', async () => {
    journal = openBook(store, { operationMs: 0, keyMs: 0 }, now);
    await journal.begin(operation('op_1', { request: key('k').id }), key('k'));
    expect(await journal.key('k')).toBeUndefined();
    await journal.takeDomain('me', 'me');
    await journal.finish(workOf('op_1', 'me'));
    await journal.sweep();
    expect(store.keys()).toEqual(new Set());
  });
});

describe('a change that is decided again upon what it has brought about itself', () => {
  beforeEach(() => {
    journal = openBook(decidingTwice(store), LIFETIMES, now);
  });

  it('begins, cancels and finishes once', async () => {
    expect(await journal.begin(operation('op_1'), key('k'))).toBeNull();
    const epoch = await journal.takeDomain('me', 'me');
    await journal.cancel('op_1', BY);
    const work = workOf('op_1', 'me', epoch);
    await journal.settle(work, outcomes([0, created], [1, { status: 'cancelled' }], [2, { status: 'unknown', error }]));
    expect((await journal.get('op_1'))?.summary).toEqual({ ...EMPTY_SUMMARY, created: 1, cancelled: 1, unknown: 1 });
    const joining = { ...key('other'), id: key('k').id };
    expect(await journal.begin(operation('op_2'), joining)).toEqual({ operationId: 'op_1' });
    await journal.finish(work);
    expect(await journal.get('op_1')).toMatchObject({ state: 'cancelled' });
    expect(await lists()).toMatchObject(listed('op_1', 'cancelled'));
    expect((await journal.list({ isSeen: () => true, limit: 10, state: 'running' })).operations).toEqual([]);
    await journal.revise('op_1', new Map([[2, { status: 'created' }]]));
    expect((await journal.get('op_1'))?.summary).toEqual({ ...EMPTY_SUMMARY, created: 2, cancelled: 1 });
  });

  it('departs once', async () => {
    const work = await begun('op_1', 'me', { items: [create(0)] });
    expect(await journal.depart(work, [create(0)], sending(LATER), false)).toMatchObject([{ sentAt: LATER, sends: 1 }]);
    expect(await itemOf('op_1', 0)).toMatchObject({ sends: 1 });
  });

  it('takes one call back once', async () => {
    const twice: ItemRecord = { ...create(0), sentAt: LATER, sends: 2, underWay: START };
    const work = await begun('op_1', 'me', { items: [twice] });
    await journal.settle(work, outcomes([0, { status: 'again', untouched: true }]));
    expect(await itemOf('op_1', 0)).toEqual({ ...create(0), sentAt: LATER, sends: 1 });
  });
});

describeWithRedis('a Redis that is away', () => {
  let redis: TestRedis;
  let away: Store;
  let onRedis: Book;
  beforeAll(async () => {
    redis = await startRedis();
    away = openRedisStore(redis.url, SILENT);
    onRedis = openBook(away, LIFETIMES);
    await away.check();
  });
  /** What was waiting has been sent by then. */
  const back = async (): Promise<void> => {
    await away.read(['anything']);
  };
  afterAll(async () => {
    await away?.close();
    await redis?.stop();
  });

  const cases = [
    ['with a key', key('k')],
    ['without a key', undefined],
  ] as const;

  it.each(cases)('gets nothing written later that was refused: %s', async (_, reference) => {
    const id = `op_late_${reference?.id}`;
    await redis.down();
    await expect(onRedis.begin(operation(id), reference)).rejects.toMatchObject({ code: 'store_unavailable', effect: 'none' });
    await redis.up();
    await back();
    expect(await onRedis.load(id)).toBeUndefined();
    expect(await openIn(onRedis, 'me')).toEqual([]);
    if (reference) expect(await onRedis.key(reference.id)).toBeUndefined();
  });

  it.each(cases)('gets written what it comes to in time: %s', async (_, reference) => {
    const id = `op_early_${reference?.id}`;
    await redis.down();
    const beginning = onRedis.begin(operation(id), reference);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await redis.up();
    expect(await beginning).toBeNull();
    expect(await onRedis.load(id)).toEqual(placed(operation(id)));
    expect(await onRedis.begin(operation(id), reference)).toBeNull();
    const epoch = await onRedis.takeDomain('me', 'me');
    await onRedis.finish(workOf(id, 'me', epoch));
  });
});

describeWithRedis('an answer of Redis that is lost', () => {
  let redis: TestRedis;
  let proxy: Server;
  let direct: Store;
  let through: Store;
  let onRedis: Book;
  const sockets = new Set<Socket>();
  /** The next change is done, but its answer is lost, and Redis cannot be reached for so long. */
  let loseNext: number | undefined;
  let lostUntil = 0;
  let lost = 0;

  const isChange = (data: Buffer): boolean => /\r\nevalsha\r\n/i.test(data.toString('latin1'));

  beforeAll(async () => {
    redis = await startRedis();
    proxy = createServer((client) => {
      if (Date.now() < lostUntil) return void client.destroy();
      const server = connect(redis.port, '127.0.0.1');
      for (const socket of [client, server]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
      }
      let losing = false;
      client.on('data', (data) => {
        losing ||= loseNext !== undefined && isChange(data);
        server.write(data);
      });
      server.on('data', (data) => {
        // It does not know the script yet: the client sends it whole then.
        if (!losing || data.toString('latin1').startsWith('-NOSCRIPT')) return void client.write(data);
        lostUntil = Date.now() + (loseNext ?? 0);
        loseNext = undefined;
        lost++;
        client.destroy();
      });
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    direct = openRedisStore(redis.url, SILENT);
    through = openRedisStore(`redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`, SILENT);
    onRedis = openBook(patient(through, new AbortController().signal), LIFETIMES);
    // Knows the script then.
    await until(() =>
      through.check().then(
        () => true,
        () => false,
      ),
    );
  });
  afterAll(async () => {
    await through?.close();
    await direct?.close();
    for (const socket of sockets) socket.destroy();
    proxy?.close();
    await redis?.stop();
  });

  const losing = async <Result>(awayMs: number, work: () => Promise<Result>): Promise<Result> => {
    const before = lost;
    loseNext = awayMs;
    const result = await work();
    expect(lost).toBe(before + 1);
    return result;
  };

  it('does not make a change twice', async () => {
    const one = operation('op_1', { items: [create(0)] });
    expect(await losing(0, () => onRedis.begin(one, key('k')))).toBeNull();
    expect(await onRedis.load('op_1')).toEqual(placed(one));
    await onRedis.takeDomain('me', 'me');
    const work = workOf('op_1', 'me');
    expect(await losing(0, () => onRedis.depart(work, [create(0)], sending(LATER), false))).toMatchObject([{ sends: 1 }]);
    await losing(0, () => onRedis.settle(work, outcomes([0, { status: 'again', untouched: false }])));
    expect(await losing(0, () => onRedis.depart(work, [create(0)], sending(LATER), false))).toMatchObject([{ sends: 2 }]);
    await losing(0, () => onRedis.settle(work, outcomes([0, { status: 'again', untouched: true }])));
    expect((await onRedis.load('op_1'))?.items[0]).toMatchObject({ sends: 1, sentAt: LATER });
    await onRedis.depart(work, [create(0)], sending(LATER), false);
    await losing(0, () => onRedis.settle(work, outcomes([0, created])));
    expect(await onRedis.get('op_1')).toMatchObject({ state: 'succeeded', summary: { ...EMPTY_SUMMARY, created: 1 } });
  });

  it('leaves it open whether a new operation was begun, and a second try finds it', async () => {
    const failing = openBook(through, LIFETIMES);
    const begin = () => failing.begin(operation('op_2'), undefined);
    await losing(500, () => expect(begin()).rejects.toMatchObject({ code: 'store_unavailable', effect: 'open' }));
    expect(await begin()).toBeNull();
    expect(await openBook(direct, LIFETIMES).load('op_2')).toEqual(placed(operation('op_2')));
  });
});
