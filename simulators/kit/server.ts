import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Clock, createClock, skewClock } from './clock.js';
import { answerControl, CONTROL_PREFIX, type Controls } from './control.js';
import { createEcho } from './echo.js';
import type { Fault } from './fault.js';
import { createFaultQueue } from './faults.js';
import { createJournal, type Journal } from './journal.js';
import { loggedOtherParty } from './other-party.js';
import { holdMs, type Outcome, runCall } from './outcome.js';
import { parseFault } from './parse-fault.js';
import { drip, send } from './send.js';
import { createTimers, type Timers } from './timers.js';
import type { CallFacts, Dialect, Incoming, Simulator } from './types.js';

/** AddUsers with 100 users travels in the URL; Node's own limit of 16 KB would cut it off. */
const MAX_HEADER_BYTES = 256 * 1024;
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface ServerOptions {
  readonly port?: number | undefined;
  readonly now?: (() => Date) | undefined;
  readonly latencyMs?: number | undefined;
}

/** What the kit gives a vendor's dialect. */
export interface SimulatorContext {
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

/** A vendor's server on 127.0.0.1: verify, meet a fault, act, answer, log. */
export const startServer = async <Call extends CallFacts>(
  options: ServerOptions,
  build: (context: SimulatorContext) => Dialect<Call>,
): Promise<SimulatorCore> => {
  const clock = createClock(options.now ?? (() => new Date()));
  const timers = createTimers();
  const journal = createJournal(clock.now);
  const faults = createFaultQueue();
  const dialect = build({ clock, timers, journal });
  const echo = createEcho(dialect);
  const otherParty = loggedOtherParty(dialect.otherParty, journal.byOtherParty);
  const inject = (fault: unknown) => faults.add(parseFault(fault, dialect.faultKinds, dialect.actions));
  const latencyMs = options.latencyMs ?? 0;

  const controls: Controls = {
    calls: () => journal.calls,
    journal: () => journal.effects,
    otherChanges: () => journal.otherChanges,
    otherParty,
    users: dialect.users,
    faults: faults.list,
    inject,
    clearFaults: faults.clear,
    resetCalls: journal.resetCalls,
    skewClock: (body) => skewClock(clock, body),
  };

  const decide = (call: Call): { fault: Fault | null; outcome: Outcome } => {
    const refusal = dialect.admit(call);
    if (refusal !== null) return { fault: null, outcome: { end: 'reply', reply: refusal } };
    echo.see(call);
    const fault = faults.take(call, (candidate) => dialect.canShow(candidate, call) && echo.canShow(candidate));
    return { fault, outcome: echo.change(fault, runCall(dialect, call, fault, timers)) };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const incoming = incomingOf(request, await readBody(request));
    const { path } = incoming;
    if (path === CONTROL_PREFIX || path.startsWith(`${CONTROL_PREFIX}/`)) {
      return send(response, answerControl(controls, incoming), clock.dateHeader());
    }
    const call = dialect.read(incoming);
    const record = journal.open(call);
    if (latencyMs > 0) await timers.wait(latencyMs);
    const { fault, outcome } = decide(call);
    record.faulted = fault?.kind ?? null;
    record.code = 'reply' in outcome ? outcome.reply.code : outcome.code;
    const hold = holdMs(fault);
    if (hold > 0) await timers.wait(hold);
    if (!('reply' in outcome)) {
      if (outcome.end === 'reset') request.socket.resetAndDestroy();
      return;
    }
    record.status = outcome.reply.status;
    if (outcome.end === 'drip') await drip(response, outcome.reply, clock.dateHeader(), () => timers.wait(outcome.everyMs));
    else send(response, outcome.reply, clock.dateHeader());
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
    otherChanges: journal.otherChanges,
    ...otherParty,
    inject,
    clearFaults: faults.clear,
    resetCalls: journal.resetCalls,
    checkPassword: dialect.checkPassword,
    setClockSkew: clock.skew,
    close: () =>
      new Promise((resolve) => {
        timers.stop();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
