/** One open LMDB file: read here, written in a thread of its own, in groups. */
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Database, open } from 'lmdb';
import type { GatewayError } from '../errors.js';
import { type Change, type Committed, type Early, isLower, isTooHigh } from './backend.js';
import { openSlots } from './lmdb-slots.js';
import { isSecret } from './secret-records.js';
import { storeUnavailable, type Window } from './store.js';

/** Sorts after every ASCII text. */
const END = '\uffff';

/** Only the owner may read what is in it, whatever the folder says. */
const FILES = ['operations.mdb', 'operations.mdb-lock'];

const MAX_CHANGES_AT_ONCE = 1_000;

export type Indexes = Database<string, [string, string]>;

export const readMembers = (indexes: Indexes, index: string, { order, limit, after }: Window): string[] => {
  const range =
    order === 'ascending'
      ? { start: [index, after ?? ''], end: [index, END] }
      : { start: [index, after ?? END], end: [index, ''], reverse: true };
  const keys = indexes.getKeys({ ...range, limit: limit + 1 } as Parameters<typeof indexes.getKeys>[0]);
  return [...keys]
    .map(([, member]) => member)
    .filter((member) => member !== after)
    .slice(0, limit);
};

export interface LmdbFile {
  read(keys: readonly string[]): (string | undefined)[];
  readonly early: Early;
  /** Decided at once. Resolves when it is on disk. @throws store_unavailable */
  commit(change: Change): Promise<Committed>;
  members(index: string, window: Window): string[];
  close(): Promise<void>;
}

export interface LmdbEvents {
  written(): void;
  /** @param isFatal whether the file has to be closed and opened again */
  failed(reason: string, isFatal: boolean): void;
}

interface Pending {
  readonly change: Change;
  /** Whether it is over only when own keys of secrets are erased. */
  readonly isErasing: boolean;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: GatewayError) => void;
}

/** What the writer says of a group of changes. `committed`: it still has to erase own keys of secrets. */
type Message = { readonly stage: 'committed' | 'done' } | { readonly stage: 'failed'; readonly reason: string };

/** LMDB's own words for an environment that takes no more transactions. */
const FATAL = /MDB_PANIC|MDB_BAD_TXN|MDB_CORRUPTED/;

/** @throws an error of the file system, or of LMDB */
export const openLmdbFile = (folder: string, { written, failed }: LmdbEvents): LmdbFile => {
  const slots = openSlots(folder);
  const options = { path: join(folder, 'operations.mdb'), maxDbs: 2, encoding: 'string', overlappingSync: false } as const;
  const root = open(options);
  for (const file of FILES) chmodSync(join(folder, file), 0o600);
  const records = root.openDB<string, string>({ name: 'records', encoding: 'string' });
  const indexes = root.openDB<string, [string, string]>({ name: 'indexes', encoding: 'string' });
  // Without the options of this process, which may be about a program that is not a file.
  const workerData = { options, slots: slots.options };
  const writer = new Worker(new URL('./lmdb-writer.mjs', import.meta.url), { workerData, execArgv: [] });

  /** Changes that wait for the next transaction, and those of the present one. */
  let waiting: Pending[] = [];
  let writing: readonly Pending[] = [];
  /** The writer has a group of changes. */
  let isWriting = false;
  let isDue = false;
  let ended: string | undefined;
  /** What these changes make of records, until it is on disk: later changes are decided upon that. */
  const ahead = new Map<string, { readonly text: string | null; readonly by: Change }>();

  /** Readings see one moment until the event loop has turned; the writer may have written since. */
  const refresh = (): void => {
    if (ended !== undefined) throw storeUnavailable(ended);
    root.resetReadTxn();
  };

  const onDisk = (key: string): string | undefined => {
    const text = records.get(key);
    return text !== undefined && isSecret(key) ? slots.read(key, text) : text;
  };

  const current = (key: string): string | undefined => {
    const known = ahead.get(key);
    return known ? (known.text ?? undefined) : onDisk(key);
  };

  /** What the writer puts: an own key of a secret as the content of a slot. */
  const toWriter = ({ put, add, drop }: Change) => ({
    put: put.map(([key, text]) => [key, text !== null && isSecret(key) ? slots.encode(key, text) : text] as const),
    add,
    drop,
  });

  const counterOf = (name: string): number => Number(current(`count ${name}`) ?? 0);

  /** What was decided upon the effect of a change that failed fails with it. */
  const refuseAll = (error: GatewayError): void => {
    const all = [...writing, ...waiting];
    writing = [];
    waiting = [];
    ahead.clear();
    for (const { reject } of all) reject(error);
  };

  const writeNext = (): void => {
    isDue = false;
    if (isWriting || waiting.length === 0 || ended !== undefined) return;
    isWriting = true;
    writing = waiting.slice(0, MAX_CHANGES_AT_ONCE);
    waiting = waiting.slice(MAX_CHANGES_AT_ONCE);
    writer.postMessage(writing.map(({ change }) => toWriter(change)));
  };

  /** After this turn of the event loop, so that what belongs together is written together. */
  const schedule = (): void => {
    if (isDue) return;
    isDue = true;
    setImmediate(writeNext);
  };

  const finish = (done: readonly Pending[]): void => {
    for (const { change } of done) for (const [key] of change.put) if (ahead.get(key)?.by === change) ahead.delete(key);
    written();
    for (const { resolve } of done) resolve('done');
  };

  writer.on('message', (message: Message) => {
    isWriting = message.stage === 'committed';
    if (message.stage === 'failed') {
      const reason = `cannot be written (${message.reason})`;
      refuseAll(storeUnavailable(reason));
      const isFatal = FATAL.test(message.reason);
      if (isFatal) ended = reason;
      failed(reason, isFatal);
    } else {
      const group = writing;
      writing = group.filter(({ isErasing }) => isWriting && isErasing);
      finish(group.filter(({ isErasing }) => !isWriting || !isErasing));
    }
    schedule();
  });

  const onEnd = (reason: string): void => {
    if (ended !== undefined) return;
    ended = reason;
    refuseAll(storeUnavailable(reason, 'open'));
    failed(reason, true);
  };
  writer.once('error', ({ message }) => onEnd(`cannot be written (${message})`));
  writer.once('exit', () => onEnd('cannot be written'));

  return {
    read: (keys) => {
      refresh();
      return keys.map(onDisk);
    },

    early: {
      read: (keys) => {
        refresh();
        return keys.map(current);
      },

      confirm: (keys) => {
        if (!keys.some((key) => ahead.has(key))) return undefined;
        // Nothing to write: it is over when all before it is, and fails with it.
        const change: Change = { expect: [], put: [], add: [], drop: [], count: [] };
        return new Promise((resolve, reject) => {
          waiting.push({ change, isErasing: true, resolve: () => resolve(), reject });
          schedule();
        });
      },
    },

    commit: (asked) => {
      refresh();
      if (asked.expect.some(([key, text]) => current(key) !== text)) return Promise.resolve('refused');
      if (asked.rise && !isLower(current(asked.rise.key), asked.rise)) return Promise.resolve('refused');
      const counts = asked.count.map((each) => ({ ...each, key: `count ${each.counter}`, present: counterOf(each.counter) }));
      if (counts.some((each) => isTooHigh(each.present, each))) return Promise.resolve('full');
      const counted = counts.map(({ key, present, by }) => [key, String(present + by)] as const);
      const change: Change = { ...asked, put: [...asked.put, ...counted] };
      const isErasing = asked.put.some(([key, text]) => isSecret(key) && (text === null || current(key) !== undefined));
      return new Promise((resolve, reject) => {
        for (const [key, text] of change.put) ahead.set(key, { text, by: change });
        waiting.push({ change, isErasing, resolve, reject });
        schedule();
      });
    },

    members: (index, window) => {
      refresh();
      return readMembers(indexes, index, window);
    },

    close: async () => {
      const exit = once(writer, 'exit').catch(() => undefined);
      // What waits is written first: messages keep their order.
      while (ended === undefined && (isWriting || waiting.length > 0)) {
        writeNext();
        if (isWriting) await Promise.race([once(writer, 'message'), exit]);
      }
      if (writer.threadId !== -1) {
        const hasEnded = ended !== undefined;
        ended ??= 'is closed';
        if (hasEnded) await writer.terminate();
        else {
          writer.postMessage('close');
          await exit;
        }
      }
      slots.close();
      await root.close();
    },
  };
};
