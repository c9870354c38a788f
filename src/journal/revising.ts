/** What callers change of operations: to ask for a stop, and what a later look found out. */
import { randomUUID } from 'node:crypto';
import type { Decision, Value } from '../store/store.js';
import { isoOf, type JournalDeps } from './deps.js';
import { cancelEvent, settledEvents } from './events.js';
import type { Journal } from './journal.js';
import { moved } from './moves.js';
import { finalStateOf } from './operation-state.js';
import { type ItemRecord, isFinal, keyOf, type OperationRecord, summarise } from './records.js';
import { raised } from './revisions.js';

export const createRevising = ({
  store,
  nowMs,
  trail,
}: Pick<JournalDeps, 'store' | 'nowMs' | 'trail'>): Pick<Journal, 'revise' | 'cancel'> => {
  const now = (): string => isoOf(nowMs());
  return {
    revise: (id, outcomes) => {
      const revision = randomUUID();
      const indexes = [...outcomes.keys()];
      const keys = [trail.headKey(trail.accepted), keyOf.operation(id), ...indexes.map((index) => keyOf.item(id, index))];
      const decide = ([head, operation, ...items]: readonly (Value | undefined)[]): Decision<undefined> => {
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
        const ended = revised.map(({ name, outcome }) => ({ name, outcome, vendorRequestIds: [] }));
        const audit = trail.append(trail.accepted, head, settledEvents(record, ended));
        const outdated = raised(record.resource, record.cluster, revision);
        return { result: undefined, put: { ...put, ...settled, ...outdated, ...audit.put }, drop, add: [...add, ...audit.add] };
      };
      return trail.inTurn(trail.accepted, () => store.change<Value, undefined>(keys, decide));
    },

    cancel: (id, by) =>
      trail.inTurn(trail.accepted, () =>
        store.change<Value, undefined>([trail.headKey(trail.accepted), keyOf.operation(id)], ([head, known]) => {
          const record = known as OperationRecord | undefined;
          if (!record || isFinal(record) || record.cancelling) return { result: undefined };
          const { put, add } = trail.append(trail.accepted, head, [cancelEvent(record, by)]);
          return {
            result: undefined,
            put: { ...put, [keyOf.operation(id)]: { ...record, cancelling: true, updatedAt: now() } },
            add,
          };
        }),
      ),
  };
};
