/** Idempotency keys in the store. */
import type { Store } from '../../store/store.js';
import { expiring, type KeptAnswer, type KeyRecord, keyOf } from './records.js';

/** A request's idempotency key: where it is kept, and what its body was. */
export interface KeyReference {
  readonly id: string;
  readonly fingerprint: string;
  /** Set as soon as an operation was begun under it. */
  begun: boolean;
}

export interface Keys {
  find(id: string): Promise<KeyRecord | undefined>;
  /** Keeps the answer of a request with a key, unless one is kept. */
  answer(key: KeyReference, answer: KeptAnswer): Promise<void>;
  /** Forgets the key: the same request may be made anew. */
  forget(key: KeyReference): Promise<void>;
}

export const createKeys = (store: Store, keyMs: number, nowMs: () => number = Date.now): Keys => {
  const valid = (record: KeyRecord | undefined): KeyRecord | undefined => (record && record.until > nowMs() ? record : undefined);

  return {
    find: async (id) => valid((await store.read<KeyRecord>([keyOf.idempotency(id)]))[0]),

    answer: ({ id, fingerprint }, answer) =>
      store.change<KeyRecord, undefined>([keyOf.idempotency(id)], ([known]) => {
        const record = valid(known);
        if (record?.answer) return { result: undefined };
        const until = nowMs() + keyMs;
        return {
          result: undefined,
          put: { [keyOf.idempotency(id)]: { ...(record ?? { fingerprint, operationId: null, until }), answer } },
          ...(!record && { add: [expiring(until, keyOf.idempotency(id))] }),
        };
      }),

    forget: ({ id }) => store.change([], () => ({ result: undefined, put: { [keyOf.idempotency(id)]: null } })),
  };
};
