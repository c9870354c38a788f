/** Requests of a plan as they are sent, and the operations that came of them. */
import type { Fault } from '../../simulators/kit/index.js';
import type { TestAnswer } from '../support/gateway.js';
import type { Line, Lines } from './history.js';
import type { Asked } from './model.js';
import { type Item, nameOf, OWN, type Request } from './plan.js';
import { CLUSTER, type World } from './world.js';

const USERS = `/clusters/${CLUSTER}/users`;

/** Gives each password once, so that the one in place shows which item set it. */
export interface Passwords {
  next(item: Item): { readonly password?: string; readonly picky?: boolean };
  /** All that were given. */
  given(): readonly string[];
}

/** Shows that a text holds a password of this run. */
export const PASSWORD_SHOWN = /S3cr.{1,2}t\d{4}Ab/;

export const createPasswords = (picky: string): Passwords => {
  const given: string[] = [];
  return {
    next: (item) => {
      if (item.op === 'delete' || item.secret === undefined) return {};
      const isPicky = item.secret === 'picky';
      const password = `S3cr${isPicky ? picky : '@'}t${String(given.length).padStart(4, '0')}Ab`;
      given.push(password);
      return { password, ...(isPicky && { picky: true }) };
    },
    given: () => given,
  };
};

/** A request with its values, and how it goes on the wire. */
export interface Sendable {
  readonly kind: 'createUser' | 'ensureUser' | 'updateUser' | 'setUserPassword' | 'deleteUser' | 'batchUsers';
  readonly asked: readonly Asked[];
  readonly stopOnError: boolean;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly headers: Readonly<Record<string, string>>;
}

const askedOf = (item: Item, passwords: Passwords, ifMatch?: Asked['ifMatch']): Asked => ({
  op: item.op,
  username: nameOf(item.who),
  ...(item.op !== 'delete' && item.role !== undefined && { role: item.role }),
  ...passwords.next(item),
  ...(ifMatch !== undefined && { ifMatch }),
});

const bodyOf = ({ username, role, password }: Asked) => ({
  username,
  ...(password !== undefined && { password }),
  ...(role !== undefined && { role }),
});

const etagOf = async (world: World, { username, ifMatch }: Asked): Promise<Record<string, string>> => {
  if (ifMatch === undefined) return {};
  if (ifMatch === 'any') return { 'if-match': '*' };
  if (ifMatch === 'stale') return { 'if-match': '"stale"' };
  const { headers } = await world.gateway().get(`${USERS}/${username}`);
  return { 'if-match': headers.get('etag') ?? '*' };
};

const singleOf = async (world: World, asked: Asked): Promise<Sendable> => {
  const headers = await etagOf(world, asked);
  const shared = { asked: [asked], stopOnError: false, headers };
  const path = `${USERS}/${asked.username}`;
  if (asked.op === 'create') return { ...shared, kind: 'createUser', method: 'POST', path: USERS, body: bodyOf(asked) };
  const { username: _, ...content } = bodyOf(asked);
  if (asked.op === 'ensure') return { ...shared, kind: 'ensureUser', method: 'PUT', path, body: content };
  if (asked.op === 'delete') return { ...shared, kind: 'deleteUser', method: 'DELETE', path };
  if (asked.role !== undefined) return { ...shared, kind: 'updateUser', method: 'PATCH', path, body: { role: asked.role } };
  return { ...shared, kind: 'setUserPassword', method: 'PUT', path: `${path}/password`, body: { password: asked.password } };
};

export const sendableOf = async (world: World, request: Request, passwords: Passwords): Promise<Sendable> => {
  if (request.kind === 'single') return singleOf(world, askedOf(request.item, passwords, request.ifMatch));
  const asked = request.items.map((item) => askedOf(item, passwords));
  const items = asked.map((item) => ({ op: item.op, ...bodyOf(item) }));
  const body = { items, stopOnError: request.stopOnError };
  const { stopOnError } = request;
  return { kind: 'batchUsers', asked, stopOnError, method: 'POST', path: `${USERS}/batch`, body, headers: {} };
};

export const send = (
  world: World,
  { method, path, body, headers }: Sendable,
  more: Record<string, string>,
  via: 0 | 1 = 0,
): Promise<TestAnswer> => world.gateway(via).request(method, path, { ...(body && { body }), headers: { ...headers, ...more } });

export const operationIdOf = ({ headers, body }: TestAnswer): string | undefined => {
  const location = headers.get('location') ?? '';
  if (location.startsWith('/operations/')) return location.slice('/operations/'.length);
  return body?.operationId ?? undefined;
};

/** An operation at its end. */
export interface Ended {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly results: readonly {
    readonly username: string;
    readonly op: Line['op'];
    readonly status: string;
    readonly problem?: { readonly detail: string; readonly code: string };
  }[];
}

export const linesOf = ({ asked }: Sendable, ended: Ended | undefined): Lines =>
  asked.map(({ op, username, role, password }, index): Line => {
    const result = ended?.results[index];
    return {
      op,
      username,
      ...(role !== undefined && { role }),
      ...(password !== undefined && { password }),
      status: ended ? (result?.status ?? 'missing') : 'not_begun',
      detail: result?.problem?.detail ?? '',
    };
  });

/** What the answer says of each item, where the store has lost the operation: an answer that leaves it open says nothing. */
export const linesOfAnswer = (sent: Sendable, answer: TestAnswer | undefined): Lines =>
  linesOf(sent, undefined).map((line, at) => {
    const results = (answer?.body?.results ?? []) as readonly { readonly index: number; readonly status: string }[];
    const ofBatch = results.find(({ index }) => index === at)?.status;
    const status = sent.kind === 'batchUsers' ? ofBatch : answer && statusOf(sent, answer);
    return { ...line, status: status ?? 'unknown' };
  });

/** Operations that have ended and were not seen before; waits until all have ended. */
export const endedSince = async (world: World, seen: Set<string>): Promise<readonly Ended[]> => {
  const { body } = await world.gateway().get('/operations?limit=200');
  const fresh: Ended[] = [];
  for (const { id } of body.items as readonly { id: string }[]) {
    if (seen.has(id)) continue;
    seen.add(id);
    fresh.push(await endOf(world, id));
  }
  return fresh;
};

const PATIENCE_MS = 40_000;

export const endOf = async (world: World, id: string): Promise<Ended> => {
  for (const since = Date.now(); ; ) {
    const { body } = await world.gateway().request('GET', `/operations/${id}`, { headers: { prefer: 'wait=5' } });
    if (body.done) return body;
    if (Date.now() - since > PATIENCE_MS) throw new Error(`the operation does not end: ${JSON.stringify(body)}`);
  }
};

/** What a single write was answered, in the words of operations; undefined where the answer leaves it open. */
export const statusOf = ({ kind }: Sendable, { status, body }: TestAnswer): string | undefined => {
  if (status === 201) return 'created';
  if (status === 200) return kind === 'updateUser' ? 'updated' : undefined;
  if (status === 204) return kind === 'deleteUser' ? 'deleted' : 'updated';
  if (body?.code === 'user_already_exists') return 'already_exists';
  if (body?.code === 'user_not_found') return 'not_found';
  if (['invalid_user', 'not_supported', 'precondition_failed'].includes(body?.code)) return 'refused';
  return undefined;
};

const ACTIONS = {
  'alibaba-ehpc': { create: 'AddUsers', delete: 'DeleteUsers', role: 'ModifyUserGroups', password: 'ModifyUserPasswords' },
  'shanhe-hpc': { create: '/user/addUser', delete: '/user/deleteUser', role: '/user/modifyUser', password: '/user/modifyUser' },
} as const;

/** The faults of a command, where the vendor is to meet them. */
export const inject = ({ setup, simulator }: World, faults: readonly Fault[], { asked }: Sendable): void => {
  const [first] = asked;
  const { op = 'create', role } = first ?? {};
  const step = op === 'update' ? (role === undefined ? 'password' : 'role') : op === 'ensure' ? 'create' : op;
  for (const fault of faults) simulator.inject(fault.action === OWN ? { ...fault, action: ACTIONS[setup.vendor][step] } : fault);
};
