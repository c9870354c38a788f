/** Removing what is no longer to be kept, in slices: others come in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Store, Value } from '../store/store.js';
import {
  type ItemRecord,
  indexes,
  itemKeysOf,
  type KeyRecord,
  keyOf,
  LATELY_MS,
  lastTouched,
  type OperationRecord,
  placesByName,
  placesInLists,
  secretKeysOf,
  type ThingRecord,
} from './records.js';

/** Marks that are looked at together. An operation may have a thousand items. */
const SLICE = 20;

const OPERATION = keyOf.operation('');

/** A member of the index of what may be removed. */
interface Mark {
  readonly key: string;
  readonly member: string;
}

const removeOperation = async (store: Store, { key, member }: Mark): Promise<void> => {
  const [record] = await store.read<OperationRecord>([key]);
  const itemKeys = record ? itemKeysOf(record) : [];
  const items = (await store.read<ItemRecord>(itemKeys)).filter((item) => item !== undefined);
  const secrets = record ? secretKeysOf(record) : [];
  // Settled items have none, unless the store has lost that they are.
  const left = await store.read(secrets);
  const keys = record ? [key, ...itemKeys, ...secrets.filter((_, at) => left[at])] : [];
  await store.change([], () => ({
    result: undefined,
    put: Object.fromEntries(keys.map((each) => [each, null])),
    drop: [...(record ? [...placesInLists(record), ...placesByName(record, items)] : []), [indexes.expiry, member]],
  }));
};

/** What is in use again is not over: its end is seen to by then. */
const isOver = (key: string, value: Value, now: number): boolean => {
  if (!key.startsWith('thing:')) return (value as KeyRecord).until <= now;
  const thing = value as ThingRecord;
  return thing.holder === null && lastTouched(thing) + LATELY_MS <= now;
};

const removeRecord = (store: Store, { key, member }: Mark, now: number): Promise<void> =>
  store.change<Value, undefined>([key], ([value]) => ({
    result: undefined,
    ...(value && isOver(key, value, now) && { put: { [key]: null } }),
    drop: [[indexes.expiry, member]],
  }));

export const sweep = async (store: Store, now: number): Promise<void> => {
  const due = new Date(now).toISOString();
  for (;;) {
    const members = await store.members(indexes.expiry, { order: 'ascending', limit: SLICE });
    const marks = members
      .filter((member) => member.slice(0, due.length) <= due)
      .map((member): Mark => ({ member, key: member.slice(due.length + 1) }));
    await Promise.all(
      marks.map((mark) => (mark.key.startsWith(OPERATION) ? removeOperation(store, mark) : removeRecord(store, mark, now))),
    );
    // Each slice is gone, or nothing was due: this ends with the index.
    if (marks.length < SLICE) return;
    await nextTurn();
  }
};
