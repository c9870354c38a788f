/** Idempotency keys: what a request with a key was answered, for whoever sends it again. */
import { GatewayError } from '../../errors.js';
import type { Vault } from '../../store/vault.js';
import { inTime } from './in-time.js';
import type { KeyReference, Keys } from './keys.js';
import type { Ledger } from './ledger.js';
import { isFinal, type KeptAnswer, type KeyRecord, type LoadedOperation } from './records.js';

const RETRY_MS = 2_000;

export interface KeyedRequest {
  readonly key: string;
  /** Who asks, in whatever form; null where nobody says. */
  readonly caller: string | null;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** An answer that was kept, or the operation that there was no time to answer. */
export type Known = { readonly answer: KeptAnswer } | { readonly operation: LoadedOperation };

export interface Idempotency {
  refer(request: KeyedRequest): KeyReference;
  /**
   * What the key was used for before, if anything.
   * @throws idempotency_key_reused, idempotency_key_in_flight
   */
  find(key: KeyReference): Promise<Known | undefined>;
  keep(key: KeyReference, answer: KeptAnswer): Promise<void>;
  /** Lets the same request be made anew: it changed nothing and may go well later. */
  forget(key: KeyReference): Promise<void>;
}

/** The same text for the same value, however its members are ordered. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  ) ?? '';

/** Why a request cannot have a key that is taken and not answered yet. */
export const refusalOf = ({ fingerprint }: KeyRecord, key: KeyReference): GatewayError =>
  fingerprint === key.fingerprint
    ? new GatewayError(
        'idempotency_key_in_flight',
        'A request with this Idempotency-Key is still running. Send it again later for its answer.',
        { retryAfterMs: RETRY_MS },
      )
    : new GatewayError(
        'idempotency_key_reused',
        'This Idempotency-Key was used for a request with another body or other query parameters. Use a new key for a new request.',
      );

/** Neither key, caller nor body is kept, only keyed hashes of them: a body may hold a password, a caller may be a token. */
export const createIdempotency = (keys: Keys, ledger: Ledger, vault: Vault): Idempotency => ({
  refer: ({ key, caller, method, path, body }) => ({
    id: vault.fingerprint(JSON.stringify(['key', caller, method, path, key])),
    fingerprint: vault.fingerprint(JSON.stringify(['body', canonical(body)])),
    begun: false,
  }),

  find: async (key) => {
    const record = await inTime(keys.find(key.id));
    if (!record) return undefined;
    if (record.fingerprint !== key.fingerprint) throw refusalOf(record, key);
    if (record.answer) return { answer: record.answer };
    const operation = record.operationId === null ? undefined : await inTime(ledger.load(record.operationId));
    if (!operation) {
      // Swept before it was asked for: nobody can tell any more, so the key is free.
      await inTime(keys.forget(key));
      return undefined;
    }
    if (!isFinal(operation)) throw refusalOf(record, key);
    return { operation };
  },

  // The operation is on record: without the kept answer a repetition is answered from there.
  keep: (key, answer) => inTime(keys.answer(key, answer)).catch(() => undefined),
  forget: (key) => inTime(keys.forget(key)).catch(() => undefined),
});
