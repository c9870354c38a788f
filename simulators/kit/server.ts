import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Clock, createClock } from './clock.js';
import { answerControl, CONTROL_PREFIX, type Controls } from './control.js';
import { createFaultQueue, parseFault } from './faults.js';
import { createJournal, type Journal } from './journal.js';
import { runCall } from './outcome.js';
import { createTimers, type Timers } from './timers.js';
import type { CallFacts, DateHeader, Dialect, Fault, Incoming, Reply, Simulator } from './types.js';

/** AddUsers with 100 users travels in the URL; Node's own limit of 16 KB would cut it off. */
const MAX_HEADER_BYTES = 256 * 1024;
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const DATE_HEADERS: readonly DateHeader[] = ['skewed', 'none', 'true'];

export interface ServerOptions {
  readonly port?: number | undefined;
  readonly now?: (() => Date) | undefined;
  readonly latencyMs?: number | undefined;
}

/** What a vendor's dialect is built from. */
export interface Workshop {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly journal: Journal;
}

export type SimulatorCore = Omit<Simulator, 'clusters'>;

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError('body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const incomingOf = (request: IncomingMessage, body: Buffer): Incoming => {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return {
    method: request.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery: mark < 0 ? '' : url.slice(mark + 1),
    headers: Object.fromEntries(headers),
    body,
  };
};

const send = (response: ServerResponse, reply: Reply, date: string | null) => {
  if (response.destroyed) return;
  response.sendDate = false;
  const headers = { ...(date === null ? {} : { date }), 'content-type': reply.contentType, ...reply.headers };
  response.writeHead(reply.status, { ...headers, 'content-length': Buffer.byteLength(reply.body) });
  response.end(reply.body);
};

const skewClock = (clock: Clock, body: unknown) => {
  const { skewMs, dateHeader = 'skewed' } = (body ?? {}) as { skewMs?: unknown; dateHeader?: unknown };
  if (typeof skewMs !== 'number' || !Number.isFinite(skewMs)) throw new TypeError('"skewMs" must be a number of milliseconds');
  const known = DATE_HEADERS.find((name) => name === dateHeader);
  if (known === undefined) throw new TypeError(`"dateHeader" must be one of ${DATE_HEADERS.join(', ')}`);
  clock.skew(skewMs, known);
};

/** A vendor's server on 127.0.0.1: verify, meet a fault, act, answer, log. */
export const startServer = async <Call extends CallFacts>(
  options: ServerOptions,
  build: (workshop: Workshop) => Dialect<Call>,
): Promise<SimulatorCore> => {
  const clock = createClock(options.now ?? (() => new Date()));
  const timers = createTimers();
  const journal = createJournal(clock.now);
  const faults = createFaultQueue();
  const dialect = build({ clock, timers, journal });
  const inject = (fault: unknown) => faults.add(parseFault(fault, dialect.faultKinds));
  const latencyMs = options.latencyMs ?? 0;

  const controls: Controls = {
    calls: () => journal.calls,
    journal: () => journal.effects,
    users: dialect.users,
    faults: faults.list,
    inject,
    clearFaults: faults.clear,
    resetCalls: journal.resetCalls,
    skewClock: (body) => skewClock(clock, body),
  };

  const decide = (call: Call): { fault: Fault | null; outcome: ReturnType<typeof runCall> } => {
    const refusal = dialect.admit(call);
    if (refusal !== null) return { fault: null, outcome: { end: 'reply', reply: refusal } };
    const fault = faults.take(call, (kind) => dialect.canShow(kind, call));
    return { fault, outcome: runCall(dialect, call, fault) };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const incoming = incomingOf(request, await readBody(request));
    const { method, path, rawQuery, body } = incoming;
    if (path === CONTROL_PREFIX || path.startsWith(`${CONTROL_PREFIX}/`)) {
      return send(response, answerControl(controls, method, path, rawQuery, body), clock.dateHeader());
    }
    const call = dialect.read(incoming);
    const record = journal.open(call);
    if (latencyMs > 0) await timers.wait(latencyMs);
    const { fault, outcome } = decide(call);
    record.faulted = fault?.kind ?? null;
    record.code = outcome.end === 'reply' ? outcome.reply.code : outcome.code;
    if (fault?.delayMs) await timers.wait(fault.delayMs);
    if (outcome.end !== 'reply') {
      if (outcome.end === 'reset') request.socket.resetAndDestroy();
      return;
    }
    record.status = outcome.reply.status;
    send(response, outcome.reply, clock.dateHeader());
  };

  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 60_000 }, (request, response) => {
    serve(request, response).catch((cause) => {
      const status = cause instanceof RangeError ? 413 : 500;
      send(
        response,
        { status, code: 'NONE', contentType: 'text/plain', body: `simulator: ${String(cause)}` },
        clock.dateHeader(),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls: journal.calls,
    journal: journal.effects,
    inject,
    clearFaults: faults.clear,
    resetCalls: journal.resetCalls,
    checkPassword: dialect.checkPassword,
    setClockSkew: (ms, { dateHeader = 'skewed' } = {}) => clock.skew(ms, dateHeader),
    close: () =>
      new Promise((resolve) => {
        timers.stop();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
