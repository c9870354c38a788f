/** Chains of records: what is changed, removed or put in between is noticed, and what is too old goes. */
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { listRecords } from '../../src/audit/reading.js';
import {
  type AuditEvent,
  type AuditRecord,
  CHAINS,
  INDEX,
  idsFrom,
  keyOf,
  type LinkRecord,
  prefixOf,
} from '../../src/audit/record.js';
import { sweepRecords } from '../../src/audit/retention.js';
import { createTail } from '../../src/audit/tail.js';
import { createTrail, type Trail } from '../../src/audit/trail.js';
import { type Anchor, verifyTrail } from '../../src/audit/verify.js';
import { createEncryptor } from '../../src/store/encryptor.js';
import { createMemoryStore } from '../../src/store/memory.js';
import type { Member, Store } from '../../src/store/store.js';

const CHAIN = 'domain aliyun';
const OTHER = 'process p1';
const START = 1_900_000_000_000;
const { mac } = createEncryptor(randomBytes(32));

let store: Store;
let trail: Trail;
let time: number;
beforeEach(() => {
  time = START;
  store = createMemoryStore();
  trail = createTrail(store, { mac }, () => time, 1_000);
});

const event = (name: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  type: 'settled',
  caller: 'portal',
  address: '127.0.0.1',
  requestId: 'r',
  clusterId: 'hangzhou',
  vendor: 'alibaba-ehpc',
  action: 'createUser',
  things: [{ name, status: 'created' }],
  operationId: 'op_1',
  vendorRequestIds: ['v-1'],
  code: null,
  ...more,
});

const fill = async (count: number, chain = CHAIN): Promise<void> => {
  for (let at = 0; at < count; at++) {
    time += 1_000;
    await trail.record(chain, [event(`user${at}`)]);
  }
};
const faults = async (anchors: readonly Anchor[] = []): Promise<(string | undefined)[]> =>
  (await verifyTrail(store, mac, anchors)).map(({ fault }) => fault);
const put = (key: string, value: object | null) => store.change([], () => ({ result: undefined, put: { [key]: value } }));
const recordAt = async (seq: number): Promise<AuditRecord> =>
  (await store.read<AuditRecord>([keyOf.record(CHAIN, seq)]))[0] as AuditRecord;
const headOf = async (chain = CHAIN): Promise<Anchor> => {
  const [head] = await store.read<LinkRecord>([keyOf.head(chain)]);
  return { chain, seq: head?.seq ?? 0, mac: head?.mac ?? '' };
};
const all = async () => (await listRecords(store, { limit: 200, isSeen: () => true })).records;

describe('a trail that nobody touched', () => {
  it('is whole, whatever was appended at once and in whatever chain', async () => {
    await fill(30);
    await Promise.all(Array.from({ length: 20 }, (_, at) => trail.record(OTHER, [event(`a${at}`), event(`b${at}`)])));
    expect(await verifyTrail(store, mac, [await headOf(), await headOf(OTHER)])).toEqual([
      { chain: CHAIN, records: 30 },
      { chain: OTHER, records: 40 },
    ]);
  });

  it('is empty where there is none', async () => {
    expect(await verifyTrail(store, mac, [])).toEqual([]);
  });
});

describe('it is noticed', () => {
  const FIELDS: Partial<AuditRecord>[] = [
    { caller: 'another' },
    { address: null },
    { requestId: 'x' },
    { clusterId: 'beijing' },
    { vendor: null },
    { action: 'deleteUser' },
    { type: 'accepted' },
    { at: '2030-01-01T00:00:00.000Z' },
    { things: [{ name: 'user4', status: 'deleted' }] },
    { things: [] },
    { operationId: null },
    { vendorRequestIds: [] },
    { code: 'forbidden' },
    { id: 'au_0' },
    { seq: 6 },
    { chain: OTHER },
    { mac: 'x' },
  ];
  it.each(FIELDS)('that a record was changed: %j', async (change) => {
    await fill(10);
    await put(keyOf.record(CHAIN, 5), { ...(await recordAt(5)), ...change });
    expect(await faults()).toEqual([expect.stringMatching(/^the record 5 .*was changed/)]);
  });

  it('that a record was removed, or replaced by one of another place', async () => {
    await fill(10);
    const kept = await recordAt(5);
    await put(keyOf.record(CHAIN, 5), await recordAt(4));
    expect(await faults()).toEqual([expect.stringContaining('the record 5')]);
    await put(keyOf.record(CHAIN, 5), null);
    expect(await faults()).toEqual(['the record 5 is missing']);
    await put(keyOf.record(CHAIN, 5), kept);
    expect(await faults()).toEqual([undefined]);
  });

  it('that the end was cut off: by the log', async () => {
    await fill(10);
    const anchor = await headOf();
    const { seq, mac: link } = await recordAt(7);
    await put(keyOf.head(CHAIN), { seq, mac: link });
    for (const gone of [8, 9, 10]) await put(keyOf.record(CHAIN, gone), null);
    expect(await faults()).toEqual([undefined]);
    expect(await faults([anchor])).toEqual(['it ends at 7, and the log has seen the record 10']);
    await fill(5);
    expect(await faults([anchor])).toEqual([expect.stringContaining('the record 10 is another than the log has seen')]);
  });

  it('that the beginning was cut off, or the whole', async () => {
    await fill(10);
    const anchor = await headOf();
    for (const gone of [1, 2, 3]) await put(keyOf.record(CHAIN, gone), null);
    expect(await faults()).toEqual(['the record 1 is missing']);
    const { seq, mac: link } = await recordAt(4);
    await put(keyOf.base(CHAIN), { seq, mac: link, seal: 'x' });
    expect(await faults()).toEqual(['its beginning was not made by a gateway with this key']);
    await put(keyOf.base(CHAIN), null);
    await put(keyOf.head(CHAIN), null);
    expect(await faults([anchor])).toEqual(['it ends at 0, and the log has seen the record 10']);
  });

  it('that the chain of a process was removed as a whole', async () => {
    await fill(10, OTHER);
    const anchor = await headOf(OTHER);
    for (let seq = 1; seq <= 10; seq++) await put(keyOf.record(OTHER, seq), null);
    await put(keyOf.head(OTHER), null);
    await store.change([], () => ({ result: undefined, drop: [[CHAINS, OTHER]] }));
    expect(await faults([anchor])).toEqual(['it ends at 0, and the log has seen the record 10']);
  });

  it('that it was written with another key', async () => {
    await fill(3);
    const [report] = await verifyTrail(store, createEncryptor(randomBytes(32)).mac, []);
    expect(report?.fault).toContain('the record 1');
  });
});

describe('records that are too old', () => {
  it('go, with all that leads to them, and the rest is whole', async () => {
    await fill(250);
    await trail.record(OTHER, [event('other')]);
    const anchors = [{ chain: CHAIN, seq: 10, mac: (await recordAt(10)).mac }, await headOf(), await headOf(OTHER)];
    await sweepRecords(store, mac, START + 200_500);
    expect(await verifyTrail(store, mac, anchors)).toEqual([
      { chain: CHAIN, records: 50 },
      { chain: OTHER, records: 1 },
    ]);
    expect((await all()).map(({ seq }) => seq).slice(0, 51)).toHaveLength(51);
    await sweepRecords(store, mac, time + 1);
    expect(await all()).toEqual([]);
    expect(await store.members(INDEX, { order: 'ascending', limit: 10 })).toEqual([]);
    expect(await verifyTrail(store, mac, anchors)).toEqual([
      { chain: CHAIN, records: 0 },
      { chain: OTHER, records: 0 },
    ]);
    // A process that was idle for so long continues its chain, like a domain.
    await fill(3);
    await fill(3, OTHER);
    expect(await verifyTrail(store, mac, anchors)).toEqual([
      { chain: CHAIN, records: 3 },
      { chain: OTHER, records: 3 },
    ]);
  });

  it('go although the index has entries without a record', async () => {
    const lost = Array.from({ length: 150 }, (_, at): Member => [INDEX, `${prefixOf.all()}${idsFrom(START - 1_000)}${at}`]);
    await store.change([], () => ({ result: undefined, add: lost }));
    await fill(5);
    await sweepRecords(store, mac, time + 1);
    expect(await store.members(INDEX, { order: 'ascending', limit: 10 })).toEqual([]);
  });
});

it('a list does not say that there are records which its reader may not see', async () => {
  await trail.record(CHAIN, [event('hidden', { clusterId: 'beijing' }), event('seen')]);
  const isSeen = ({ clusterId }: AuditRecord): boolean => clusterId === 'hangzhou';
  const { records, next } = await listRecords(store, { limit: 1, isSeen });
  expect([records.map(({ clusterId }) => clusterId), next]).toEqual([['hangzhou'], null]);
});

it('records that a gateway removes while they are checked are no fault', async () => {
  await fill(20);
  let readings = 0;
  const busy: Pick<Store, 'read' | 'members'> = {
    ...store,
    read: async (keys) => {
      if (++readings === 2) await sweepRecords(store, mac, START + 5_500);
      return store.read(keys);
    },
  };
  expect(await verifyTrail(busy, mac, [])).toEqual([{ chain: CHAIN, records: 15 }]);
});

describe('who follows it', () => {
  it('receives each record once, in order, and an end of each chain that grows', async () => {
    const [seen, ends]: [number[], Anchor[]] = [[], []];
    const deps = {
      store,
      chains: () => trail.chains(),
      anchor: (end: Anchor) => ends.push(end),
      collect: async (records: readonly AuditRecord[]) => void seen.push(...records.map(({ seq }) => seq)),
    };
    const tail = createTail(deps);
    await fill(3);
    await tail.look();
    await tail.look();
    await fill(1_200);
    await tail.look();
    expect(seen).toEqual(Array.from({ length: 1_203 }, (_, at) => at + 1));
    expect(ends.map(({ seq }) => seq)).toEqual([3]);
    await tail.end();
    expect(ends.map(({ seq }) => seq)).toEqual([3, 1_203]);
    // Another process goes on behind it.
    await fill(1);
    await createTail(deps).look();
    expect(seen.at(-1)).toBe(1_204);
    expect(await faults(ends)).toEqual([undefined]);
  });
});

describe('what collects it', () => {
  it('receives again what was not kept, and what a process that was killed has left', async () => {
    const kept: string[] = [];
    let isFull = true;
    const collect = async (records: readonly AuditRecord[]): Promise<void> => {
      if (isFull) throw new Error('no space left');
      kept.push(...records.map(({ chain, seq }) => `${chain} ${seq}`));
    };
    const anchor = (): void => undefined;
    await fill(2, OTHER);
    const tail = createTail({ store, chains: () => [OTHER], anchor, collect });
    await expect(tail.look()).rejects.toThrow('no space left');
    // It is reported once.
    await tail.look();
    isFull = false;
    await tail.look();
    expect(kept).toEqual([`${OTHER} 1`, `${OTHER} 2`]);
    await fill(1, OTHER);
    await fill(1, CHAIN);
    // The next process, which appends to other chains.
    await createTail({ store, chains: () => ['process p2'], anchor, collect }).look();
    expect(kept.slice(2).sort()).toEqual([`${CHAIN} 1`, `${OTHER} 3`]);
  });

  it('leaves chains of a store that is shared to those who append to them, unless these rest', async () => {
    const kept: number[] = [];
    const collect = async (records: readonly AuditRecord[]): Promise<void> => void kept.push(...records.map(({ seq }) => seq));
    await fill(1, OTHER);
    const shared = { ...store, shared: {} } as unknown as Store;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
    const tail = createTail({ store: shared, chains: () => [], anchor: () => undefined, collect });
    const lookAt = (ms: number): Promise<void> => {
      clock.mockReturnValue(ms);
      return tail.look();
    };
    await lookAt(0);
    await lookAt(20_000);
    expect(kept).toEqual([]);
    await lookAt(40_000);
    expect(kept).toEqual([1]);
    clock.mockRestore();
  });
});

it('a change that waits for its turn too long is not made', async () => {
  const slow = createTrail({ ...store, shared: {} } as unknown as Store, { mac }, () => time, 50);
  const hung = slow.inTurn(CHAIN, () => new Promise((resolve) => setTimeout(resolve, 200)));
  let made = 0;
  const late = slow.inTurn(CHAIN, async () => ++made);
  await hung;
  await expect(late).rejects.toMatchObject({ code: 'store_unavailable', effect: 'none' });
  expect(made).toBe(0);
  await slow.inTurn(CHAIN, async () => ++made);
  expect(made).toBe(1);
});
