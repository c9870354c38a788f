import { addFrom, changeFrom, type OtherParty } from './other-party.js';
import type { Incoming, Reply } from './types.js';

/** What the control endpoint may do; the same functions that a test calls in the process. */
export interface Controls {
  calls(): unknown;
  journal(): unknown;
  otherChanges(): unknown;
  readonly otherParty: OtherParty;
  users(clusterId: string): readonly unknown[] | null;
  faults(): unknown;
  inject(fault: unknown): void;
  clearFaults(): void;
  resetCalls(): void;
  skewClock(body: unknown): void;
}

export const CONTROL_PREFIX = '/_simulator';

const json = (status: number, value: unknown): Reply => ({
  status,
  code: 'OK',
  contentType: 'application/json',
  body: JSON.stringify(value),
});
const done = (): Reply => ({ status: 204, code: 'OK', contentType: 'application/json', body: '' });

const usersOf = (controls: Controls, query: URLSearchParams) => {
  const clusterId = query.get('clusterId');
  if (clusterId === null) return json(400, { error: 'add ?clusterId=<id of the cluster>' });
  const users = controls.users(clusterId);
  return users === null ? json(404, { error: `no cluster ${clusterId} here` }) : json(200, users);
};

const bodyOf = (body: Buffer): unknown => JSON.parse(body.toString('utf8'));

type Handler = (controls: Controls, body: Buffer, query: URLSearchParams) => Reply;

const ROUTES: Record<string, Handler> = {
  'GET /calls': (controls) => json(200, controls.calls()),
  'DELETE /calls': (controls) => {
    controls.resetCalls();
    return done();
  },
  'GET /journal': (controls) => json(200, controls.journal()),
  'GET /other-changes': (controls) => json(200, controls.otherChanges()),
  'GET /users': (controls, _body, query) => usersOf(controls, query),
  'POST /users': (controls, body) => {
    addFrom(controls.otherParty, bodyOf(body));
    return done();
  },
  'PATCH /users': (controls, body) => {
    changeFrom(controls.otherParty, bodyOf(body));
    return done();
  },
  'DELETE /users': (controls, _body, query) => {
    controls.otherParty.removeUser(query.get('clusterId') ?? '', query.get('username') ?? '');
    return done();
  },
  'GET /faults': (controls) => json(200, controls.faults()),
  'POST /faults': (controls, body) => {
    controls.inject(bodyOf(body));
    return done();
  },
  'DELETE /faults': (controls) => {
    controls.clearFaults();
    return done();
  },
  'POST /clock': (controls, body) => {
    controls.skewClock(bodyOf(body));
    return done();
  },
};

/** A page of a browser can send neither without asking first; nobody answers that question. */
const refusalOf = ({ method, headers }: Incoming): Reply | null => {
  if (headers['origin'] !== undefined) return json(403, { error: 'requests with an Origin header are refused' });
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (method === 'GET' || type.trim().toLowerCase() === 'application/json') return null;
  return json(415, { error: 'changes take content-type: application/json only' });
};

/** The unsigned side door for people and for tests in another process. Loopback only, and never for a web page. */
export const answerControl = (controls: Controls, incoming: Incoming): Reply => {
  const { method, path, rawQuery, body } = incoming;
  const refusal = refusalOf(incoming);
  if (refusal !== null) return refusal;
  const handler = ROUTES[`${method} ${path.slice(CONTROL_PREFIX.length)}`];
  if (handler === undefined) {
    const known = Object.keys(ROUTES).map((route) => route.replace(' ', ` ${CONTROL_PREFIX}`));
    return json(404, { error: 'no such control', known });
  }
  try {
    return handler(controls, body, new URLSearchParams(rawQuery));
  } catch (cause) {
    if (cause instanceof SyntaxError) return json(400, { error: 'the body must be JSON' });
    if (cause instanceof TypeError) return json(400, { error: cause.message });
    throw cause;
  }
};
