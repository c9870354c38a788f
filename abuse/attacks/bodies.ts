/** Requests that are dear to read, one after another on several connections. */
import type { Attack, Order } from '../types.js';
import { bombs, invalidBatch, WIDE_BODIES } from './contents.js';
import { ask, head, inTurn } from './sockets.js';

const AT_ONCE = 8;
const BATCH = 'POST /clusters/ehpc/users/batch';

interface Request {
  readonly kind: string;
  readonly parts: readonly (string | Buffer)[];
}

const withBody = (order: Order, type: string, body: Buffer, headers: readonly string[] = []): readonly (string | Buffer)[] => [
  head(order.target, BATCH, [`content-type: ${type}`, `content-length: ${body.length}`, 'connection: close', ...headers]),
  body,
];

const ofBodies = (requests: (order: Order) => readonly Request[]): Attack => ({
  caller: 'attacking',
  connections: AT_ONCE,
  prepare: (order) => {
    const all = requests(order);
    return (tally) =>
      inTurn(order.ms, AT_ONCE, async (turn) => {
        const request = all[turn % all.length];
        if (request) await ask(order.target, tally, request.kind, request.parts);
      });
  },
});

export const bombsOf = (encoding: string): Attack =>
  ofBodies((order) =>
    bombs(encoding).map(({ kind, body }) => ({
      kind,
      parts: withBody(order, 'application/json', body, [`content-encoding: ${encoding}`]),
    })),
  );

export const wideBodies = ofBodies((order) =>
  WIDE_BODIES.map(({ kind, type, body }) => ({ kind, parts: withBody(order, type, body) })),
);

export const invalidBatches = ofBodies((order) => [
  { kind: '1,000 wrong items', parts: withBody(order, 'application/json', invalidBatch()) },
]);

const many = (length: number, of: (at: number) => string): string[] => Array.from({ length }, (_, at) => of(at));

/** Both beyond and within what a head may hold. */
export const wideHeads = ofBodies(({ target }) => {
  const get = (path: string, headers: readonly string[] = []) => [head(target, `GET ${path}`, ['connection: close', ...headers])];
  const list = '/clusters/ehpc/users';
  return [
    { kind: '10,000 parameters', parts: get(`${list}?${many(10_000, (at) => `a${at}=1`).join('&')}`) },
    { kind: '4,000 parameters', parts: get(`${list}?${many(4_000, () => 'a').join('&')}`) },
    {
      kind: '1,000 headers',
      parts: get(
        list,
        many(1_000, (at) => `x-h${at}: 1`),
      ),
    },
    {
      kind: '5,000 headers',
      parts: get(
        list,
        many(5_000, (at) => `h${at}:`),
      ),
    },
    { kind: 'URL of 60 KB', parts: get(`/${'a'.repeat(60_000)}`) },
    { kind: 'URL of 15 KB of escapes', parts: get(`/clusters/${'%41'.repeat(5_000)}/users`) },
  ];
});
