/** What callers change of operations: to ask for a stop, and what a later look found out. */
import type { Value } from '../store/store.js';
import { isoOf, type JournalDeps } from './deps.js';
import type { Journal } from './journal.js';
import { moved } from './moves.js';
import { finalStateOf } from './operation-state.js';
import { type ItemRecord, isFinal, keyOf, type OperationRecord, summarise } from './records.js';

export const createRevising = ({ store, nowMs }: Pick<JournalDeps, 'store' | 'nowMs'>): Pick<Journal, 'revise' | 'cancel'> => {
  const now = (): string => isoOf(nowMs());
  return {
    revise: (id, outcomes) => {
      const keys = [keyOf.operation(id), ...[...outcomes.keys()].map((index) => keyOf.item(id, index))];
      return store.change<Value, undefined>(keys, ([operation, ...items]) => {
        const record = operation as OperationRecord | undefined;
        const revised = (items as (ItemRecord | undefined)[]).flatMap((item) => {
          const outcome = item && outcomes.get(item.index);
          return outcome && item.outcome?.status === 'unknown' && outcome.status !== 'unknown' ? [{ ...item, outcome }] : [];
        });
        if (!record || !isFinal(record) || revised.length === 0) return { result: undefined };
        const { unknown, ...counted } = summarise(
          revised.map(({ outcome }) => outcome),
          record.summary,
        );
        const summary = { ...counted, unknown: unknown - revised.length };
        const { put, drop, add } = moved(record, {
          ...record,
          summary,
          state: finalStateOf({ ...record, summary }),
          updatedAt: now(),
        });
        const settled = Object.fromEntries(revised.map((item) => [keyOf.item(id, item.index), item]));
        return { result: undefined, put: { ...put, ...settled }, drop, add };
      });
    },

    cancel: (id) =>
      store.change<OperationRecord, undefined>([keyOf.operation(id)], ([record]) =>
        !record || isFinal(record) || record.cancelling
          ? { result: undefined }
          : { result: undefined, put: { [keyOf.operation(id)]: { ...record, cancelling: true, updatedAt: now() } } },
      ),
  };
};
