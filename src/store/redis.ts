import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, ReplyError } from 'ioredis';
import type { GatewayError } from '../errors.js';
import { type Change, type Committed, createStore } from './backend.js';
import { createHealth } from './health.js';
import { createRewriting } from './redis-rewrite.js';
import { DONE, defineScripts, FULL, TOO_LATE } from './redis-scripts.js';
import { isSecret } from './secret-records.js';
import { type Shared, type Store, type StoreEvents, storeUnavailable, WAIT_MS } from './store.js';

/** All keys in one hash slot, so that a Redis cluster takes them together. */
const PREFIX = '{hpc-gateway}';

const MAX_RETRY_MS = 1_000;
/** A connection on which the server is silent for so long, though it was asked something, is given up. */
const SILENT_MS = 5_000;
/** A change that the server comes to later than this is not written: earlier than its client gives up. */
const LATE_MS = 4_000;
/** How often an unavailable server is tried. */
const PROBE_MS = 1_000;
/** How long a check waits for the first connection. */
const FIRST_MS = 1_000;
/** How often the clock of the server is compared. */
const CLOCK_MS = 60_000;

const CHANNEL = `${PREFIX}:process:`;
const leaseKey = (name: string): string => `${PREFIX}:lease:${name}`;
const recordKey = (key: string): string => `${PREFIX}:record:${key}`;
const counterKey = (name: string): string => `${PREFIX}:count:${name}`;
const indexKey = (name: string): string => `${PREFIX}:index:${name}`;

/** What Redis said, without the command that it said it to: ioredis hangs that on its errors, the password of a login included. */
const withoutCommand = (error: unknown): Error => {
  const { name, message } = error as Error;
  return Object.assign(new Error(message), { name });
};

const retryStrategy = (attempts: number): number => Math.min(attempts * 100, MAX_RETRY_MS);

/** Nothing waits in the client: what a server that is unavailable was to do is refused, and is not sent later. */
const FAILING_FAST = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  socketTimeout: SILENT_MS,
  retryStrategy,
} as const;

/** A connection that fails fast where the server is unavailable. */
export const connect = (url: string): Redis => new Redis(url, FAILING_FAST);

/** The server's own word, such as READONLY or OOM; its text can name commands and values. */
const wordOf = (error: unknown): string => withoutCommand(error).message.split(' ')[0] ?? '';

const isRefusal = (error: unknown): boolean => error instanceof ReplyError;

/** A Redis that the gateways of many machines share. */
export const openRedisStore = (url: string, events: StoreEvents): Store => {
  const health = createHealth(events);
  const redis = connect(url);
  const scripts = defineScripts(redis);
  const rewriting = createRewriting(redis, `${PREFIX}:rewritten`, (text) => events.note?.(text));
  let closed = false;

  /** Those that wait for a connection. */
  const waiting = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of waiting) wake();
  };

  let lastIdentity = '';
  /** Whether this connection leads to the server with that identity. */
  let isIdentified = false;
  const identify = async (): Promise<string> => {
    // An account that may not ask knows of no failover.
    const facts = await redis.info().catch((error: unknown) => {
      if (isRefusal(error)) return '';
      throw error;
    });
    // A replica that is promoted has a run id and a replication id of its own; a server that is started again has, too.
    lastIdentity = ['run_id', 'master_replid'].map((name) => new RegExp(`^${name}:(\\w+)`, 'm').exec(facts)?.[1] ?? '').join(' ');
    isIdentified = true;
    return lastIdentity;
  };

  // A stream that has ended takes nothing more, also before its end is reported.
  const isReady = (): boolean => redis.status === 'ready' && redis.stream.writable && isIdentified;
  const untilReady = async (ms = WAIT_MS): Promise<void> => {
    if (isReady()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiting.add(done);
    });
    if (!isReady()) throw storeUnavailable(health.reason());
  };

  /** Why a command came to nothing. Without a word of the server, a change may have been made. */
  const failure = (error: unknown, isChange: boolean): GatewayError => {
    if (isRefusal(error)) {
      const reason = `refuses to work (${wordOf(error)})`;
      isDown(reason);
      return storeUnavailable(reason);
    }
    return storeUnavailable(health.reason(), isChange ? 'open' : 'none');
  };

  const asking = async <T>(command: () => Promise<T>): Promise<T> => {
    await untilReady();
    return command().catch((error: unknown) => {
      throw failure(error, false);
    });
  };

  /** The server's clock less ours, in milliseconds. */
  let clock: { readonly offset: number; readonly at: number } | undefined;
  const readClock = async (): Promise<number> => {
    const [seconds, micros] = await redis.time();
    const offset = Number(seconds) * 1000 + Number(micros) / 1000 - Date.now();
    clock = { offset, at: performance.now() };
    return offset;
  };
  const offsetOf = async (): Promise<number> =>
    clock && performance.now() - clock.at < CLOCK_MS ? clock.offset : await readClock();

  const send = ({ expect, put, add, drop, count, rise }: Change, latest: number): Promise<number> => {
    const puts = put.flatMap(([key, text]) => (text === null ? [] : [[recordKey(key), text] as const]));
    const removes = put.filter(([, text]) => text === null).map(([key]) => recordKey(key));
    const keys = [
      ...expect.map(([key]) => recordKey(key)),
      ...puts.map(([key]) => key),
      ...removes,
      ...[...add, ...drop].map(([name]) => indexKey(name)),
      ...count.map(({ counter }) => counterKey(counter)),
    ];
    return scripts.commit(
      keys.length,
      ...keys,
      ...[expect.length, puts.length, removes.length, add.length, drop.length, latest, count.length],
      ...(rise ? [recordKey(rise.key), rise.to] : ['', '']),
      ...expect.map(([, text]) => text ?? ''),
      ...puts.map(([, text]) => text),
      ...[...add, ...drop].map(([, member]) => member),
      ...count.flatMap(({ by, atMost }) => [by, atMost ?? '']),
    );
  };

  const commit = async (change: Change): Promise<Committed> => {
    const offset = await asking(offsetOf);
    const latest = Math.floor(Date.now() + offset + LATE_MS);
    try {
      const said = await send(change, latest);
      if (said !== TOO_LATE) {
        health.up();
        if (said === FULL) return 'full';
        if (said !== DONE) return 'refused';
        if (change.put.some(([key, text]) => text === null && isSecret(key))) rewriting.due();
        return 'done';
      }
    } catch (error) {
      throw failure(error, true);
    }
    // Or its clock was set.
    clock = undefined;
    throw storeUnavailable('did not come to it in time');
  };

  const probe = (): Promise<Committed> => commit({ expect: [], put: [['probe', '{}']], add: [], drop: [], count: [] });

  /** Notices that it is back, when nobody asks. */
  let isProbing = false;
  const probeUntilUp = async (): Promise<void> => {
    if (isProbing) return;
    isProbing = true;
    while (!closed && health.reason() !== undefined) {
      await sleep(PROBE_MS, undefined, { ref: false });
      if (!isReady() || (await probe().catch(() => false))) continue;
      // The name of a server that was demoted to a replica may lead to another one by now.
      if (health.reason()?.includes('READONLY')) redis.disconnect(true);
    }
    isProbing = false;
  };

  const isDown = (reason: string): void => {
    if (closed) return;
    health.down(reason);
    void probeUntilUp();
  };

  redis.on('error', (error) => {
    const { code } = error as NodeJS.ErrnoException;
    isDown(isRefusal(error) ? `refuses to work (${wordOf(error)})` : `cannot be reached (${code ?? wordOf(error)})`);
  });
  redis.on('close', () => {
    isIdentified = false;
    isDown(health.reason() ?? 'cannot be reached (the connection was closed)');
  });
  redis.on('ready', () => {
    clock = undefined;
    const { stream } = redis;
    identify().then(
      () => {
        wakeAll();
        probe().catch(() => void probeUntilUp());
        // An earlier process may have deleted secrets.
        rewriting.due();
      },
      // One that cannot say who it is, is connected to again.
      () => stream.destroy(),
    );
  });

  let listener: Redis | undefined;
  const shared: Shared = {
    hold: async (name, holder, ms) => (await asking(() => scripts.hold(1, leaseKey(name), holder, Math.ceil(ms)))) === DONE,
    release: async (name, holder) => void (await asking(() => scripts.release(1, leaseKey(name), holder))),
    notifyHolder: async (name, text) => void (await asking(() => scripts.notifyHolder(1, leaseKey(name), CHANNEL, text))),
    notify: async (holder, text) => void (await asking(() => redis.publish(`${CHANNEL}${holder}`, text))),
    identity: () => asking(identify),
    get lastIdentity() {
      return lastIdentity;
    },
    listen: (holder, onText) => {
      // Subscribes again by itself; what is lost meanwhile is found by looking.
      listener ??= new Redis(url, { maxRetriesPerRequest: null, retryStrategy });
      listener.on('error', () => undefined);
      listener.on('message', (_, text) => onText(text));
      listener.subscribe(`${CHANNEL}${holder}`).catch(() => undefined);
    },
  };

  return createStore({
    durable: true,
    shared,
    read: (keys) => asking(() => redis.mget(keys.map(recordKey))).then((texts) => texts.map((text) => text ?? undefined)),
    commit,

    members: (index, { order, limit, after }) => {
      const from = after === undefined ? '' : `(${after}`;
      return asking(
        () =>
          (order === 'ascending'
            ? redis.zrange(indexKey(index), from || '-', '+', 'BYLEX', 'LIMIT', 0, limit)
            : redis.zrange(indexKey(index), from || '+', '-', 'BYLEX', 'REV', 'LIMIT', 0, limit)) as Promise<string[]>,
      );
    },

    check: async () => {
      // Of one that was just opened, nothing is known yet.
      await untilReady(health.reason() === undefined ? FIRST_MS : 0);
      await probe();
    },

    close: async () => {
      closed = true;
      rewriting.close();
      redis.disconnect();
      listener?.disconnect();
      wakeAll();
    },
  });
};
