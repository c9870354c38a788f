/** Beginning operations, once for each request. */
import { GatewayError } from '../errors.js';
import type { SecretRecord } from '../store/secret-records.js';
import { CounterFull, type Decision, type Member, type Value } from '../store/store.js';
import type { JournalDeps } from './deps.js';
import { acceptedEvent } from './events.js';
import type { Journal } from './journal.js';
import { backlog, type Puts } from './moves.js';
import {
  expiring,
  indexes,
  type KeyRecord,
  keyOf,
  type OperationRecord,
  type OrderRecord,
  openMark,
  placesByName,
  placesInLists,
  type RequestRecord,
} from './records.js';
import type { Taken } from './requests.js';

/** When a caller may try again where too much waits. */
const BACKLOG_RETRY_MS = 30_000;

const backlogFull = ({ clusterId }: OperationRecord): GatewayError =>
  new GatewayError(
    'backlog_full',
    `Too many writes to the account of the cluster ${clusterId}, or to the cluster itself, wait already. Nothing was begun.`,
    { retryAfterMs: BACKLOG_RETRY_MS },
  );

export const createBeginning = (deps: JournalDeps): Pick<Journal, 'begin' | 'known'> => {
  const { store, nowMs, lifetimes, trail } = deps;
  const { keyMs } = lifetimes;
  let latest = 0;
  /** The next number. Those of one process rise without a look at the store, so that beginnings at once are not refused. */
  const after = (known: OrderRecord | undefined): number => {
    latest = Math.max(Math.floor(nowMs()), latest + 1, (known?.last ?? 0) + 1);
    return latest;
  };
  return {
    begin: (operation, request) => {
      const { items, ownKeys = new Map(), ...record } = operation;
      const { id } = record;
      const key = request?.key;
      const isTaken = ({ operationId }: RequestRecord): boolean => !request?.replaceable.includes(operationId);
      const keys = [
        keyOf.operation(id),
        keyOf.order(record.domain),
        trail.headKey(trail.accepted),
        ...(request ? [keyOf.request(request.id)] : []),
        ...(key ? [keyOf.idempotency(key.id)] : []),
      ];
      /** What makes a key refer to an operation. */
      const referring = (operationId: string): { readonly put: Puts; readonly add: readonly Member[] } => {
        if (!key) return { put: {}, add: [] };
        const until = nowMs() + keyMs;
        const referred: KeyRecord = { fingerprint: key.fingerprint, operationId, until };
        return { put: { [keyOf.idempotency(key.id)]: referred }, add: [expiring(until, keyOf.idempotency(key.id))] };
      };
      const decide = ([begun, ordered, head, ...referred]: readonly (Value | undefined)[]): Decision<Taken | null> => {
        if (begun) return { result: null };
        const [running, known] = request ? referred : [undefined, ...referred];
        const used = known as KeyRecord | undefined;
        if (used && used.until > nowMs()) {
          const { operationId, fingerprint } = used;
          if (fingerprint !== key?.fingerprint) return { result: { operationId, byAnother: true } };
          if (isTaken(used)) return { result: { operationId } };
        }
        const open = running as RequestRecord | undefined;
        if (open && isTaken(open)) return { result: { operationId: open.operationId }, ...referring(open.operationId) };
        const { put: reference, add } = referring(id);
        const order = after(ordered as OrderRecord | undefined);
        const audit = trail.append(trail.accepted, head, [acceptedEvent(record, items)]);
        const put: Puts = {
          [keyOf.operation(id)]: { ...record, order },
          ...reference,
          ...audit.put,
        };
        for (const item of items) put[keyOf.item(id, item.index)] = item;
        for (const [index, bytes] of ownKeys) put[keyOf.secret(id, index)] = { bytes } satisfies SecretRecord;
        if (request) put[keyOf.request(request.id)] = { operationId: id } satisfies RequestRecord;
        return {
          result: null,
          put,
          rise: { key: keyOf.order(record.domain), to: order },
          count: backlog(deps, record, items.filter(({ outcome }) => !outcome).length),
          add: [
            ...placesInLists(record),
            ...placesByName(record, items),
            openMark(record),
            [indexes.domains, record.domain],
            ...add,
            ...audit.add,
          ],
        };
      };
      return trail
        .inTurn(trail.accepted, () => store.change(keys, decide))
        .catch((thrown: unknown) => {
          throw thrown instanceof CounterFull ? backlogFull(record) : thrown;
        });
    },

    known: async ({ id, key }) => {
      const keys = [keyOf.request(id), ...(key ? [keyOf.idempotency(key.id)] : [])];
      const [request, record] = await store.read<RequestRecord | KeyRecord>(keys);
      const known = record as KeyRecord | undefined;
      return { request, key: known && known.until > nowMs() ? known : undefined };
    },
  };
};
