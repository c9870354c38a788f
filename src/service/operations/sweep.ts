/** Removing what is no longer to be kept. */
import type { Store, Value } from '../../store/store.js';
import {
  type InstanceRecord,
  indexes,
  itemKeysOf,
  type KeyRecord,
  keyOf,
  LATELY_MS,
  lastTouched,
  type OperationRecord,
  placesInLists,
  type UserRecord,
} from './records.js';

const MOST_AT_ONCE = 200;

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
  const user = value as UserRecord;
  return user.holder === null && lastTouched(user) + LATELY_MS <= now;
};

/** Removes what is over among the records, and its marks, in one change. */
const removeRecords = (store: Store, marks: readonly Mark[], now: number): Promise<void> =>
  store.change<Value, undefined>(
    marks.map(({ key }) => key),
    (values) => {
      const over = marks.filter((_, at) => {
        const value = values[at];
        return value !== undefined && isOver((marks[at] as Mark).key, value, now);
      });
      return {
        result: undefined,
        put: Object.fromEntries(over.map(({ key }) => [key, null])),
        drop: marks.map(({ member }) => [indexes.expiry, member]),
      };
    },
  );

/** A member of the index of what may be removed. */
interface Mark {
  readonly key: string;
  readonly member: string;
}

export const sweep = async (store: Store, now: number = Date.now()): Promise<void> => {
  const due = new Date(now).toISOString();
  for (;;) {
    const members = await store.members(indexes.expiry, { order: 'ascending', limit: MOST_AT_ONCE });
    const marks = members
      .filter((member) => member.slice(0, due.length) <= due)
      .map((member): Mark => ({ member, key: member.slice(due.length + 1) }));
    const operations = marks.filter(({ key }) => key.startsWith(OPERATION));
    for (const { key, member } of operations) {
      await removeOperation(store, key);
      await store.change([], () => ({ result: undefined, drop: [[indexes.expiry, member]] }));
    }
    const others = marks.filter((mark) => !operations.includes(mark));
    if (others.length > 0) await removeRecords(store, others, now);
    if (marks.length < MOST_AT_ONCE) return;
  }
};
