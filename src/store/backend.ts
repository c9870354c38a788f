/** What the kinds of stores implement, and the store that is made of it. Records are JSON texts here. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createGuesses } from './guesses.js';
import { isSecret, requireSecret } from './secret-records.js';
import {
  type Count,
  CounterFull,
  type Decision,
  type Member,
  type Rise,
  type Store,
  storeUnavailable,
  type Value,
} from './store.js';

/** One atomic change. */
export interface Change {
  /** It is refused unless these records are as given; undefined where there is none. */
  readonly expect: readonly (readonly [key: string, text: string | undefined])[];
  /** Null removes. */
  readonly put: readonly (readonly [key: string, text: string | null])[];
  readonly add: readonly Member[];
  readonly drop: readonly Member[];
  readonly count: readonly Count[];
  readonly rise?: Rise;
}

/** `refused`: an expectation does not hold. `full`: a counter would become too high. */
export type Committed = 'done' | 'refused' | 'full';

type Texts = readonly (string | undefined)[];

/** What is decided, and on its way to the disk: the next change is decided upon that, and is shown to no caller. */
export interface Early {
  read(keys: readonly string[]): Texts;
  /** Resolves when what was read of these keys is on disk; undefined where it is. @throws store_unavailable where it did not get there */
  confirm(keys: readonly string[]): Promise<void> | undefined;
}

export interface Backend extends Pick<Store, 'durable' | 'shared' | 'members' | 'check' | 'close'> {
  /** A kind that can read at once returns no promise: between such a reading and `commit`, called in the same turn, nobody writes. */
  read(keys: readonly string[]): Texts | Promise<Texts>;
  /** @throws store_unavailable */
  commit(change: Change): Promise<Committed>;
  /** For a kind that decides before it writes. What `read` returns is on disk. */
  readonly early?: Early;
}

/** Others were faster so often: something is wrong with the store. */
const MAX_TRIES = 1_000;
/** After so many, those who compete for a record wait a random moment. */
const PATIENT_TRIES = 10;
const MAX_PAUSE_MS = 20;

const parse = <T extends Value>(text: string | undefined): T | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as T);

const textOf = (key: string, value: Value | null): string | null => {
  if (value === null) return null;
  if (isSecret(key)) requireSecret(value);
  return JSON.stringify(value);
};

const changeOf = (
  keys: readonly string[],
  texts: Texts,
  { put = {}, add = [], drop = [], count = [], rise }: Decision<unknown>,
): Change => ({
  expect: keys.map((key, at) => [key, texts[at]] as const).filter(([key]) => key !== rise?.key),
  put: Object.entries({ ...put, ...(rise && { [rise.key]: { last: rise.to } }) }).map(
    ([key, value]) => [key, textOf(key, value)] as const,
  ),
  add,
  drop,
  count,
  ...(rise && { rise }),
});

/** Whether adding to a counter is refused. What lowers one never is. */
export const isTooHigh = (present: number, { by, atMost }: Count): boolean =>
  by > 0 && atMost !== undefined && present + by > atMost;

/** Whether the number of the record is lower. */
export const isLower = (text: string | undefined, { to }: Rise): boolean =>
  text === undefined || (JSON.parse(text) as { last: number }).last < to;

/** Undefined where it throws. */
const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

const isEmpty = ({ put, add, drop }: Change): boolean => put.length + add.length + drop.length === 0;

export const createStore = (backend: Backend): Store => {
  const { durable, shared, members, check, close, early } = backend;
  const guesses = shared && createGuesses();

  const commit = async (change: Change): Promise<boolean> => {
    const keys = [...change.expect, ...change.put].map(([key]) => key);
    const committed = await backend.commit(change).catch((error: unknown) => {
      guesses?.forget(keys);
      throw error;
    });
    if (committed === 'full') throw new CounterFull();
    if (committed === 'refused') guesses?.forget(keys);
    else {
      for (const [key, text] of change.expect) guesses?.note(key, text);
      for (const [key, text] of change.put) guesses?.note(key, text ?? undefined);
    }
    return committed === 'done';
  };

  return {
    durable,
    shared,
    members,
    check,
    close,
    read: async <T extends Value>(keys: readonly string[]) => {
      if (keys.length === 0) return [];
      const texts = await backend.read(keys);
      if (guesses) for (const [at, key] of keys.entries()) guesses.note(key, texts[at]);
      return texts.map((text) => parse<T>(text));
    },

    change: async <T extends Value, Result>(
      keys: readonly string[],
      decide: (values: readonly (T | undefined)[]) => Decision<Result>,
    ): Promise<Result> => {
      const decideUpon = (texts: Texts) => {
        const decision = decide(texts.map((text) => parse<T>(text)));
        return { result: decision.result, change: changeOf(keys, texts, decision) };
      };
      const guessed = guesses && attempt(() => decideUpon(keys.map(guesses.of)));
      // Where it writes nothing, or throws, nobody checks the guess.
      if (guessed && !isEmpty(guessed.change) && (await commit(guessed.change))) return guessed.result;
      for (let tries = 1; tries <= MAX_TRIES; tries++) {
        const read = keys.length === 0 ? [] : (early ?? backend).read(keys);
        const texts = read instanceof Promise ? await read : read;
        const { result, change } = decideUpon(texts);
        if (isEmpty(change)) await early?.confirm(keys);
        else if (!(await commit(change))) {
          if (tries > PATIENT_TRIES) await sleep(Math.random() * MAX_PAUSE_MS);
          continue;
        }
        return result;
      }
      throw storeUnavailable('is written by too many at once');
    },
  };
};
