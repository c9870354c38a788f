/** Removing what is no longer to be kept. */
import type { Store, Value } from '../../store/store.js';
import {
  type InstanceRecord,
  indexes,
  itemKeysOf,
  type KeyRecord,
  keyOf,
  MADE_KEPT_MS,
  type OperationRecord,
  placesInLists,
  type UserRecord,
} from './records.js';

const MOST_AT_ONCE = 500;

const OPERATION = keyOf.operation('');

const removeOperation = async (store: Store, key: string): Promise<void> => {
  const [record] = await store.read<OperationRecord>([key]);
  if (!record) return;
  await store.change([], () => ({
    result: undefined,
    put: Object.fromEntries([key, ...itemKeysOf(record)].map((each) => [each, null])),
    drop: placesInLists(record),
  }));
};

/** What is in use again is not over: whoever uses it has seen to its end. */
const isOver = (key: string, value: Value, now: number): boolean => {
  if (!key.startsWith('user:')) return (value as KeyRecord | InstanceRecord).until <= now;
  const { holder, made } = value as UserRecord;
  return holder === null && (made === null || made.at + MADE_KEPT_MS <= now);
};

export const sweep = async (store: Store, now: number = Date.now()): Promise<void> => {
  const due = new Date(now).toISOString();
  const remove = (key: string): Promise<void> =>
    key.startsWith(OPERATION)
      ? removeOperation(store, key)
      : store.change<Value, undefined>([key], ([value]) => ({
          result: undefined,
          ...(value && isOver(key, value, now) && { put: { [key]: null } }),
        }));
  for (;;) {
    const members = await store.members(indexes.expiry, { order: 'ascending', limit: MOST_AT_ONCE });
    const over = members.filter((member) => member.slice(0, due.length) <= due);
    for (const member of over) {
      await remove(member.slice(due.length + 1));
      await store.change([], () => ({ result: undefined, drop: [[indexes.expiry, member]] }));
    }
    if (over.length < MOST_AT_ONCE) return;
  }
};
