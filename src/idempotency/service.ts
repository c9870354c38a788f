/** Repeated requests: with an `Idempotency-Key` for as long as keys are kept, without one while the first request's operation is open. */
import { asGatewayError, GatewayError, restoreError } from '../errors.js';
import type { Journal } from '../journal/journal.js';
import { type ItemRecord, isFinal, type LoadedOperation } from '../journal/records.js';
import type { RequestReference, Taken } from '../journal/requests.js';
import { Secret } from '../secret.js';
import type { Encryptor } from '../store/encryptor.js';
import { inTime } from '../store/in-time.js';

const RETRY_MS = 2_000;

/** What makes two requests the same. */
export interface WriteRequest {
  /** The idempotency key. */
  readonly key?: string | undefined;
  /** In whatever form; null where the request names nobody. */
  readonly caller: string | null;
  readonly method: string;
  readonly path: string;
  readonly ifMatch?: string | undefined;
  /** Query and body, checked. */
  readonly content: unknown;
}

/** The operation of an earlier request, open or ended, or the reference under which a new one begins. */
export type Earlier = { readonly operation: LoadedOperation } | { readonly begin: RequestReference };

export interface Idempotency {
  refer(request: WriteRequest): RequestReference;
  /**
   * What the request was before, if it is a repetition.
   * @throws idempotency_key_reused, store_unavailable
   */
  find(request: RequestReference): Promise<Earlier>;
}

/** All secrets look alike in JSON: requests with different ones would be the same. */
const refuseSecret = (member: unknown): void => {
  if (member instanceof Secret) throw new TypeError('A request is compared before its secrets are wrapped.');
};

/** The same text for the same value, however its members are ordered. */
const canonical = (value: unknown): string => {
  refuseSecret(value);
  return (
    JSON.stringify(value, (_, member: unknown) => {
      if (typeof member !== 'object' || member === null) return member;
      Object.values(member).forEach(refuseSecret);
      if (Array.isArray(member)) return member;
      return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? ''
  );
};

const keyReused = (): GatewayError =>
  new GatewayError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for a request with another body or other query parameters. Use a new key for a new request.',
  );

/** Why a request cannot join the operation that its key or itself belongs to. */
export const refusalOf = ({ byAnother }: Taken): GatewayError =>
  byAnother
    ? keyReused()
    : new GatewayError(
        'idempotency_key_in_flight',
        'The same request is being processed and its operation cannot be read yet. Repeat this request later for its answer.',
        { retryAfterMs: RETRY_MS },
      );

/** Whether the item certainly changed nothing, or can be sent again without harm because it only sets values. */
const isSafeToRepeat = ({ op, outcome }: ItemRecord): boolean =>
  outcome?.error
    ? outcome.error.effect === 'none' || ((op === 'update' || op === 'ensure') && outcome.status === 'failed')
    : outcome?.status === 'cancelled';

/** Another party was there at the same moment: the next try settles it. */
const LOST_RACES: ReadonlySet<string> = new Set(['already_exists', 'not_found']);

const isWorthAnotherTry = ({ op, outcome }: ItemRecord): boolean =>
  outcome?.error !== undefined &&
  (restoreError(outcome.error).retryable ||
    outcome.error.code === 'precondition_failed' ||
    (op === 'ensure' && LOST_RACES.has(outcome.status)));

/** Whether a repetition of the request is a new request: nothing was changed, and another try can succeed. */
export const mayRunAgain = ({ state, items }: LoadedOperation): boolean =>
  state !== 'cancelled' &&
  items.every((item) => item.outcome?.status !== 'unknown' && isSafeToRepeat(item)) &&
  items.some(isWorthAnotherTry);

/** Neither key, caller nor body is kept, only keyed hashes of them: a body may hold a password, a caller may be a token. */
export const createIdempotency = (journal: Pick<Journal, 'known' | 'load'>, encryptor: Encryptor): Idempotency => ({
  refer: ({ key, caller, method, path, ifMatch = null, content }) => {
    const body = canonical(content);
    return {
      id: encryptor.fingerprint(JSON.stringify(['request', caller, method, path, ifMatch, body])),
      ...(key !== undefined && {
        key: {
          id: encryptor.fingerprint(JSON.stringify(['key', caller, method, path, key])),
          fingerprint: encryptor.fingerprint(JSON.stringify(['body', body])),
        },
      }),
      replaceable: [],
    };
  },

  find: async (request) => {
    const { key, request: open } = await inTime(journal.known(request)).catch((thrown: unknown) => {
      const error = asGatewayError(thrown);
      // With a key, an earlier request may have begun something.
      throw request.key ? error : error.withMessage(`${error.message} Nothing was begun by this request.`);
    });
    if (key && key.fingerprint !== request.key?.fingerprint) throw keyReused();
    // A new key has to be stored with the operation that it joins, which `begin` does.
    const known = key ?? (request.key ? undefined : open);
    if (!known) return { begin: request };
    const operation = await inTime(journal.load(known.operationId));
    const isReplaceable = !operation || (isFinal(operation) && (!key || mayRunAgain(operation)));
    return isReplaceable ? { begin: { ...request, replaceable: [known.operationId] } } : { operation };
  },
});
