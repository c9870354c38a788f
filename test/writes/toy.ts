/** A resource that is no user: keys of a door, on clusters in memory. It shows that the engine writes things of any kind. */
import { setMaxListeners } from 'node:events';
import { type Clock, systemClock } from '../../src/clock.js';
import { GatewayError } from '../../src/errors.js';
import type { ItemRecord, LoadedOperation } from '../../src/journal/records.js';
import type { ErrorCode } from '../../src/model.js';
import { createEncryptor } from '../../src/store/encryptor.js';
import { createMemoryStore } from '../../src/store/memory.js';
import type { Store } from '../../src/store/store.js';
import { createEngine } from '../../src/writes/engine.js';
import type { NewItem } from '../../src/writes/new-operation.js';
import { failedWith } from '../../src/writes/outcome.js';
import type { Finding, Limits, Parcel, Planned, Resource, Step, Thing } from '../../src/writes/resource.js';
import type { Nature, Word } from '../../src/writes/verdict.js';
import { anybodysCall, testCursors } from '../support/callers.js';

const KEYS = 'keys';

interface Key extends Thing {
  readonly colour: string;
}

const CODES: ReadonlyMap<Word, ErrorCode> = new Map([
  ['none', 'vendor_timeout'],
  ['busy_free', 'vendor_rate_limited'],
]);

/** What the door says to a call. */
class Refusal extends GatewayError {
  readonly word: Word;
  constructor(word: Word) {
    super(CODES.get(word) ?? 'vendor_unavailable', `The door said ${word}.`, {
      effect: word === 'none' ? 'open' : 'none',
    });
    this.word = word;
  }
}

export interface ToyCall {
  readonly step: string;
  readonly names: readonly string[];
}

export interface Toy {
  readonly keys: Map<string, Key>;
  readonly calls: ToyCall[];
  /** Calls that are being made now, and the most that ever were. */
  readonly busy: { now: number; most: number };
  /** Names of each reading, and what comes before its answer. */
  readonly reads: (readonly string[])[];
  whileReading: (names: readonly string[]) => Promise<void>;
  /** What is planned; undefined for what is most often: to be added where it is missing. */
  plan: (item: ItemRecord, found: Thing | null) => Planned | undefined;
  /** Answers a call before it does anything; undefined lets it. */
  answer: (call: ToyCall) => Word | undefined | Promise<Word | undefined>;
  /** What is not to be shown of answers, since another process has sent it. */
  readonly concealed: string[];
  /** Calls are taken by jobs, which never end as far as anybody can look. */
  hasEndlessJobs: boolean;
  readonly resource: Resource;
}

const colourOf = ({ content }: ItemRecord): string => (content as { colour?: string } | undefined)?.colour ?? 'grey';

const STATUS = { add: 'created', remove: 'deleted', 'set-visible': 'updated', 'set-hidden': 'updated' } as const;

export const createToy = (limits: Limits): Toy => {
  let made = 0;
  const act = (step: string, { item }: Parcel): void => {
    if (step === 'add') {
      if (toy.keys.has(item.name)) throw new Refusal('exists');
      const createdAt = new Date().toISOString();
      toy.keys.set(item.name, { createdAt, identity: `${++made}`, colour: colourOf(item) });
    } else {
      const key = toy.keys.get(item.name);
      if (!key) throw new Refusal('missing');
      if (step === 'drop') toy.keys.delete(item.name);
      if (step === 'paint') toy.keys.set(item.name, { ...key, colour: colourOf(item) });
    }
  };

  const planHave: NonNullable<Step['plan']> = async (asked, { found }) =>
    asked.map(({ item: given }): Planned => {
      const { name, sends = 0 } = given;
      const own = toy.plan(given, found.get(name) ?? null);
      if (own) return own;
      if (!found.get(name)) return { status: 'planned', steps: ['add'] };
      return { status: sends > 0 ? 'unknown' : 'unchanged' };
    });

  const stepNamed = (name: string, nature: Nature): Step => ({
    name,
    nature,
    isShown: nature === 'add',
    wasDone: `The key was given its ${name}.`,
    mayBeDone: `Whether the key was given its ${name} is not known.`,
    send: async (parcels) => {
      const call = { step: name, names: parcels.map(({ item }) => item.name) };
      toy.calls.push(call);
      toy.busy.now++;
      toy.busy.most = Math.max(toy.busy.most, toy.busy.now);
      try {
        const word = await toy.answer(call);
        if (word) throw new Refusal(word);
        for (const parcel of parcels) act(name, parcel);
        return toy.hasEndlessJobs ? { state: 'accepted', job: `job ${toy.calls.length}` } : { state: 'applied' };
      } finally {
        toy.busy.now--;
      }
    },
    ...(name === 'have' && { plan: planHave }),
    readingOf: (item, found) => ((found as Key).colour === colourOf(item) ? 'as_asked' : 'present'),
    outcome: (_, { verdict, found, error }: Finding) => {
      if (verdict === 'done') return { status: STATUS[nature], ...(found && { value: found }) };
      const cause = error ?? new GatewayError('internal_error', 'No word.');
      if (verdict === 'was_there') return failedWith(cause, 'already_exists');
      if (verdict === 'was_missing') return failedWith(cause, 'not_found');
      return failedWith(cause, verdict === 'unknown' || verdict === 'refused' ? verdict : 'failed');
    },
  });
  const steps: ReadonlyMap<string, Step> = new Map(
    (
      [
        ['add', 'add'],
        ['drop', 'remove'],
        ['paint', 'set-visible'],
        ['code', 'set-hidden'],
        ['have', 'set-hidden'],
      ] as const
    ).map(([name, nature]) => [name, stepNamed(name, nature)]),
  );

  const toy: Toy = {
    keys: new Map(),
    calls: [],
    busy: { now: 0, most: 0 },
    reads: [],
    whileReading: async () => undefined,
    plan: () => undefined,
    answer: () => undefined,
    concealed: [],
    hasEndlessJobs: false,
    resource: {
      name: KEYS,
      at: (clusterId, cluster) => ({
        clusterId,
        cluster,
        key: `door ${cluster.vendorClusterId}`,
        account: {
          name: cluster.account,
          vendor: 'door',
          getJobs: async (jobs) => jobs.map(() => ({ state: 'pending' })),
        },
        hasJobs: toy.hasEndlessJobs,
        conceal: (secrets) => void toy.concealed.push(...secrets.map((secret) => secret.unwrap())),
        step: (name) => steps.get(name) as Step,
        limits: async () => limits,
        read: async (names) => {
          toy.reads.push(names);
          const found = new Map(names.map((name) => [name, toy.keys.get(name) ?? null]));
          await toy.whileReading(names);
          return { found, complete: true, isWhole: true };
        },
        wordOf: async (error) => ({ error, word: error instanceof Refusal ? error.word : 'failed' }),
        check: async (items) => items.map(() => undefined),
      }),
    },
  };
  return toy;
};

export const item = (op: NewItem['op'], name: string, more: Partial<NewItem> = {}): NewItem => ({
  op,
  name,
  steps: [{ create: 'add', ensure: 'have', delete: 'drop', update: 'paint' }[op]],
  ...more,
});

export const have = (name: string): NewItem => item('ensure', name);

/** These are there already. */
export const put = ({ keys }: Toy, ...names: readonly string[]): void => {
  for (const name of names) keys.set(name, { createdAt: null, identity: name, colour: 'grey' });
};

export const createGate = (): { readonly isOpen: Promise<void>; open(): void } => {
  let open = (): void => undefined;
  const isOpen = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { isOpen, open: () => open() };
};

/** Calls for a thing wait. @returns lets them go on */
export const hold = (toy: Toy, held: string): (() => void) => {
  const gate = createGate();
  const before = toy.answer;
  toy.answer = async (call) => {
    if (call.names.includes(held)) await gate.isOpen;
    return before(call);
  };
  return gate.open;
};

export const isCalledFor = ({ calls }: Toy, name: string): boolean => calls.some(({ names }) => names.includes(name));

/** A process that works on toys. */
export const startToys = async (
  toy: Toy,
  { clock = systemClock, store = createMemoryStore() }: { clock?: Clock; store?: Store } = {},
) => {
  const engine = createEngine({
    store,
    encryptor: createEncryptor(Buffer.alloc(32, 7)),
    resources: [toy.resource],
    cursors: testCursors,
    auditMs: 60_000,
    anchor: () => undefined,
    lifetimes: { operationMs: 60_000, keyMs: 60_000 },
    clock,
    report: (error) => {
      throw error;
    },
    note: () => undefined,
    onItem: () => undefined,
    dateOffsetOf: () => null,
    settleMs: 200,
    callMs: 5_000,
    jobMs: 500,
    leaseMs: 12_000,
    singlePatienceMs: 2_000,
  });
  await engine.start();
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  let requests = 0;
  const submit = (items: readonly NewItem[], isBatch: boolean, stopOnError = false, patience: AbortSignal = over.signal) =>
    engine.intake(
      {
        resource: KEYS,
        kind: isBatch ? 'keys' : 'key',
        isBatch,
        clusterId: 'house',
        cluster: { account: 'owner', vendorClusterId: 'front', key: 'front door' },
        domain: 'owner',
        vendor: 'toy',
        items,
        stopOnError,
      },
      { call: anybodysCall(over.signal, `r${++requests}`), path: '/', patience },
    );
  const statuses = ({ items }: LoadedOperation) => items.map(({ outcome }) => outcome?.status);
  return {
    engine,
    single: async (given: NewItem) => statuses(await submit([given], false))[0],
    batch: async (items: readonly NewItem[], stopOnError = false) => statuses(await submit(items, true, stopOnError)),
    /** Returns at once. */
    begin: (items: readonly NewItem[], isBatch = true, stopOnError = false) =>
      submit(items, isBatch, stopOnError, AbortSignal.abort()),
    statuses,
    stop: async () => {
      over.abort();
      await engine.abandon();
    },
  };
};
