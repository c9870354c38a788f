/** Runs a plan against a simulated vendor, and compares what was reported with what happened. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Effect, Fault } from '../../simulators/kit/index.js';
import type { TestAnswer } from '../support/gateway.js';
import { pause } from '../support/wait.js';
import { countsOf } from './bounds.js';
import {
  createPasswords,
  type Ended,
  endedSince,
  endOf,
  inject,
  linesOf,
  linesOfAnswer,
  operationIdOf,
  PASSWORD_SHOWN,
  type Passwords,
  type Sendable,
  send,
  sendableOf,
  statusOf,
} from './exchange.js';
import { isPossible, type Line, type Lines, type UserState } from './history.js';
import { predict, type Users } from './model.js';
import { type Command, NAMES, nameOf, type Plan } from './plan.js';
import { startWorld, type World } from './world.js';

/** What is reported is not what happened. */
export class Untrue extends Error {
  override readonly name = 'Untrue';
}

const fail = (what: string, facts: object): never => {
  throw new Untrue(`${what}\n${JSON.stringify(facts, null, 1)}`);
};

/** A process that stood still for longer than this may have missed deadlines of its fast clock. */
const MAX_STALL_MS = 100;

/** Clocks of gateways may differ by half of this. */
const AFTERMATH_MS = 10_000;

/** A request that was sent, and its answer where there was one. */
interface Exchange {
  readonly sent: Sendable;
  readonly answer?: TestAnswer;
}

interface Runner {
  readonly world: World;
  readonly passwords: Passwords;
  /** Operations whose end was compared. */
  readonly seen: Set<string>;
  /** What was compared is of this moment. */
  users: Users;
  key: number;
  /** When the store failed over last, by the vendor's clock: what is begun soon after may have been sent before, as far as a gateway can know. */
  failedOverAt: number;
  /** When names were last changed, by the vendor's clock. */
  readonly touchedAt: Map<string, number>;
  readonly texts: string[];
}

const passwordOf = ({ world, passwords }: Runner, username: string): string | null =>
  passwords.given().find((password) => world.simulator.checkPassword(world.clusterId, username, password)) ?? null;

const usersNow = async (runner: Runner): Promise<Users> => {
  const users = await runner.world.users();
  return new Map([...users].map(([username, role]) => [username, { role, password: passwordOf(runner, username) }]));
};

/** The operation of each exchange: by its id, or the only one that can be. */
const operationsOf = (exchanges: readonly Exchange[], ended: readonly Ended[]): Map<Exchange, Ended> => {
  const found = new Map<Exchange, Ended>();
  const left = new Set(ended);
  const assign = (exchange: Exchange, operation: Ended | undefined): void => {
    if (!operation) return;
    left.delete(operation);
    // A repetition that joined is no second report.
    if (![...found.values()].includes(operation)) found.set(exchange, operation);
  };
  const fits = ({ sent }: Exchange, { kind, results }: Ended): boolean =>
    kind === sent.kind &&
    results.length === sent.asked.length &&
    results.every(({ op, username }, at) => op === sent.asked[at]?.op && username === sent.asked[at]?.username);
  for (const exchange of exchanges) {
    const id = exchange.answer && operationIdOf(exchange.answer);
    if (id !== undefined)
      assign(
        exchange,
        ended.find((operation) => operation.id === id),
      );
  }
  for (const exchange of exchanges)
    if (!found.has(exchange))
      assign(
        exchange,
        [...left].find((operation) => fits(exchange, operation)),
      );
  if (left.size > 0) fail('an operation that nobody asked for', { left: [...left] });
  return found;
};

const sameUser = (one: UserState | undefined, other: UserState | undefined): boolean =>
  JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** What happened while operations ran. */
interface Happened {
  readonly before: Users;
  readonly after: Users;
  readonly effects: readonly Effect[];
}

/** For each user, the reports of all operations have to be what happened. */
const compare = ({ before, after, effects }: Happened, reports: readonly Lines[]): void => {
  for (const username of new Set([...before.keys(), ...after.keys(), ...effects.map((effect) => effect.username)])) {
    const history = {
      before: before.get(username) ?? null,
      after: after.get(username) ?? null,
      effects: effects.filter((effect) => effect.username === username).map(({ effect }) => effect),
      operations: reports.map((lines) => lines.filter((line) => line.username === username)),
    };
    if (!isPossible(history)) fail('reported otherwise than it happened', { username, ...history, reports });
  }
};

interface Watched {
  /** By the vendor's clock. */
  readonly begunAt: number;
  readonly effectsFrom: number;
  readonly callsFrom: number;
  readonly stall: { stop(): number };
}

const watchStalls = (): { stop(): number } => {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  return {
    stop: () => {
      delay.disable();
      return delay.max / 1e6;
    },
  };
};

const begin = ({ world }: Runner): Watched => ({
  begunAt: world.vendorNow(),
  effectsFrom: world.effects().length,
  callsFrom: world.calls().length,
  stall: watchStalls(),
});

/** That nothing was done can have several reasons, of which a second look may find another one. */
const NOTHING_DONE: ReadonlySet<string> = new Set(['refused', 'already_exists', 'not_found', 'failed']);

/** @param isLossy the store may have lost what was answered: then nobody knows it any more */
const checkAnswers = (found: ReadonlyMap<Exchange, Ended>, isLossy = false): void => {
  for (const [{ sent, answer }, operation] of found) {
    if (!answer || sent.kind === 'batchUsers') continue;
    const reported = statusOf(sent, answer);
    const status = operation.results[0]?.status;
    if (isLossy && (status === 'unknown' || [status, reported].every((each) => NOTHING_DONE.has(each ?? '')))) continue;
    if (reported !== undefined && answer.status !== 202 && reported !== status)
      fail('answered otherwise than the operation says', { answer: answer.text, status: answer.status, operation });
  }
};

interface Conclusion {
  readonly happened: Happened;
  readonly reports: readonly Lines[];
  readonly ended: readonly Ended[];
}

/** Compares all that was asked for with what happened. */
const conclude = async (
  runner: Runner,
  watched: Watched,
  exchanges: readonly Exchange[],
  /** The store may have lost operations that had ended. */
  isLossy = false,
): Promise<Conclusion> => {
  const { world, seen } = runner;
  for (const { answer } of exchanges) if (answer) runner.texts.push(answer.text);
  const ended = await endedSince(world, seen);
  for (const operation of ended) runner.texts.push(JSON.stringify(operation));
  const found = operationsOf(exchanges, ended);
  checkAnswers(found, isLossy);
  const reports = exchanges
    .filter((exchange) => found.has(exchange) || isLossy || exchange.answer?.status !== 202)
    .map((exchange) => {
      const { sent, answer } = exchange;
      return isLossy && !found.has(exchange) ? linesOfAnswer(sent, answer) : linesOf(sent, found.get(exchange));
    });
  const after = await usersNow(runner);
  const happened = { before: runner.users, after, effects: world.effects().slice(watched.effectsFrom) };
  compare(happened, reports);
  for (const username of NAMES)
    if (!sameUser(runner.users.get(username), after.get(username))) runner.touchedAt.set(username, world.vendorNow());
  runner.users = after;
  return { happened, reports, ended };
};

/** The number of vendor calls has an end that follows from what was asked for and what went wrong. */
const checkCalls = (
  { world }: Runner,
  { callsFrom }: Watched,
  sent: readonly Sendable[],
  faults: readonly Fault[],
  restarts: number,
): void => {
  const { setup } = world;
  const calls = world.calls().slice(callsFrom);
  // Each of two gateways reads for itself; for some seconds after a failover, what was begun is read back until no call can be under way.
  const lives = restarts + (setup.shared ? 3 : 0);
  const asked = sent.flatMap((sendable) => sendable.asked);
  const counts = countsOf({ setup, asked, faults, calls, restarts: lives });
  if (Object.values(counts).some(({ made, most }) => made > most))
    fail('more calls than are needed', {
      counts,
      calls: calls.map(({ action, code, faulted }) => [action, code, faulted].join(' ')),
    });
};

/** Where nothing went wrong, each status is that of the plain model. */
const checkPrediction = (
  runner: Runner,
  before: Users,
  watched: Watched,
  stallMs: number,
  { sent }: Exchange,
  lines: Lines,
): void => {
  const { world } = runner;
  const isCalm = world
    .calls()
    .slice(watched.callsFrom)
    .every(({ faulted }) => faulted === null);
  const isNew = watched.begunAt > runner.failedOverAt + AFTERMATH_MS;
  if (!isCalm || !isNew || stallMs > MAX_STALL_MS) return;
  const expected = predict(world.setup.vendor, before, sent.asked, sent.stopOnError);
  const isSame = (line: Line, at: number): boolean =>
    (expected[at] ?? '').split(' or ').includes(line.status) ||
    // A single write that is refused at once begins no operation.
    (expected[at] === 'refused' && line.status === 'not_begun') ||
    // An item that goes in the same call as the one that stops the rest has an end of its own.
    (expected[at] === 'cancelled' && line.status !== 'unknown');
  if (!lines.every(isSame)) fail('nothing went wrong, but', { expected, lines, stallMs });
};

type Write = Extract<Command, { kind: 'write' }>;

const write = async (runner: Runner, command: Write): Promise<void> => {
  const { world, passwords } = runner;
  const { request, faults, prefer, key, repeat, cancelMs, crashMs, via, trouble } = command;
  const sent = await sendableOf(world, request, passwords);
  const before = runner.users;
  const watched = begin(runner);
  inject(world, faults, sent);
  const isAsync = prefer === 'async' || cancelMs !== undefined;
  const headers = {
    ...(isAsync && { prefer: 'respond-async' }),
    ...(key && { 'idempotency-key': `"key ${runner.key++}"` }),
  };
  const troubled = trouble ? world.trouble(trouble) : Promise.resolve();
  const sending = send(world, sent, headers, via).then(
    (answer): Exchange => ({ sent, answer }),
    (thrown: unknown): Exchange => {
      if (crashMs === undefined) throw thrown;
      return { sent };
    },
  );
  if (crashMs !== undefined) {
    await pause(crashMs);
    await world.crash(via);
  }
  const exchange = await sending;
  await troubled;
  if (trouble?.kind === 'failover') runner.failedOverAt = world.vendorNow();
  if (cancelMs !== undefined) {
    await pause(cancelMs);
    const id = exchange.answer && operationIdOf(exchange.answer);
    if (id !== undefined) await world.gateway(via).request('POST', `/operations/${id}/cancel`);
  }
  const conclusion = await conclude(runner, watched, [exchange], trouble?.kind === 'failover');
  const [lines = []] = conclusion.reports;
  const stallMs = watched.stall.stop();
  checkCalls(runner, watched, [sent], faults, (crashMs === undefined ? 0 : 1) + (trouble === undefined ? 0 : 2));
  world.simulator.clearFaults();
  if (crashMs === undefined && cancelMs === undefined && trouble === undefined)
    checkPrediction(runner, before, watched, stallMs, exchange, lines);
  // A key that the store has lost makes a new request.
  if (repeat && trouble?.kind !== 'failover') await repeatWrite(runner, command, sent, headers, conclusion);
};

/** A user of another party is at least so old when the gateway is asked again: two clocks distinguish nothing closer. */
const APART_MS = 4_000;
/** Longer than the clocks' uncertainty and the time in which a lost call can take effect. */
const LATER_MS = 10_000;

/** Another party changes a user of whom nobody knows what became; late enough that it cannot be mistaken for the write. */
const changeBetween = async (runner: Runner, { between }: Write, lines: Lines): Promise<void> => {
  const unknown = lines.find(({ status }) => status === 'unknown');
  if (!between || !unknown) return;
  await runner.world.pass(LATER_MS);
  const { simulator, clusterId, vendorNow } = runner.world;
  const isThere = runner.users.has(unknown.username);
  if (between === 'add' && !isThere) simulator.addUser(clusterId, unknown.username);
  if (between === 'remove' && isThere) simulator.removeUser(clusterId, unknown.username);
  runner.touchedAt.set(unknown.username, vendorNow());
  runner.users = await usersNow(runner);
  await runner.world.pass(APART_MS);
};

/** The same request with the same key: the same answer, or a new try where nothing was done. */
const repeatWrite = async (
  runner: Runner,
  command: Write,
  sent: Sendable,
  headers: Record<string, string>,
  { happened, reports: [lines = []], ended: [operation] }: Conclusion,
): Promise<void> => {
  const { world } = runner;
  await changeBetween(runner, command, lines);
  const watched = begin(runner);
  const answer = await send(world, sent, headers);
  watched.stall.stop();
  if (answer.headers.get('idempotency-replayed') !== 'true') {
    await conclude(runner, watched, [{ sent, answer }]);
    return;
  }
  runner.texts.push(answer.text);
  if (world.effects().length > watched.effectsFrom) fail('a repetition changed something', { answer: answer.text, lines });
  if (!operation) return fail('a repetition of a request that began nothing', { answer: answer.text });
  const revised = await endOf(world, operation.id);
  const revisedLines = linesOf(sent, revised);
  if (revisedLines.some(({ status }, at) => status !== lines[at]?.status && lines[at]?.status !== 'unknown'))
    fail('a repetition changed what was known', { lines, revisedLines });
  compare(happened, [revisedLines]);
  checkAnswers(new Map([[{ sent, answer }, revised]]));
};

const pair = async (runner: Runner, { requests, faults }: Extract<Command, { kind: 'pair' }>): Promise<void> => {
  const { world, passwords } = runner;
  const first = await sendableOf(world, requests[0], passwords);
  const sendables = [first, await sendableOf(world, requests[1], passwords)];
  const watched = begin(runner);
  inject(world, faults, first);
  const exchanges = await Promise.all(
    sendables.map(async (sent): Promise<Exchange> => ({ sent, answer: await send(world, sent, { prefer: 'respond-async' }) })),
  );
  await conclude(runner, watched, exchanges);
  watched.stall.stop();
  checkCalls(runner, watched, sendables, faults, 0);
  world.simulator.clearFaults();
};

const rehearse = async (runner: Runner, command: Extract<Command, { kind: 'rehearse' }>): Promise<void> => {
  const { world, passwords, users } = runner;
  const { items, stopOnError } = command;
  const sent = await sendableOf(world, { kind: 'batch', items, stopOnError }, passwords);
  const watched = begin(runner);
  const { status, body } = await send(world, { ...sent, path: `${sent.path}?dryRun=true` }, {});
  watched.stall.stop();
  const results = body?.results as readonly { readonly status: string }[] | undefined;
  // A rehearsal knows the rules of the gateway, not those that only the vendor has.
  const asked = sent.asked.map(({ picky: _, ...rest }) => rest);
  const expected = predict(world.setup.vendor, users, asked, stopOnError);
  if (status !== 200 || JSON.stringify(results?.map((result) => result.status)) !== JSON.stringify(expected))
    fail('rehearsed otherwise', { status, results, expected });
  await conclude(runner, watched, []);
};

const other = async (runner: Runner, command: Extract<Command, { kind: 'other' }>): Promise<void> => {
  const { world, users, touchedAt } = runner;
  const { simulator, clusterId, setup } = world;
  const username = nameOf(command.who);
  const isThere = users.has(username);
  const now = world.vendorNow();
  const touched = touchedAt.get(username) ?? Number.NEGATIVE_INFINITY;
  const madeAt = Math.max(now - command.agoMs, Math.min(touched + 1_000, now));
  if (command.change === 'add' && !isThere) {
    simulator.addUser(clusterId, username, { at: new Date(madeAt).toISOString() });
    await world.pass(Math.max(madeAt + APART_MS - now, 0));
  }
  if (command.change === 'remove' && isThere) simulator.removeUser(clusterId, username);
  if (command.change === 'password' && isThere) simulator.changePassword(clusterId, username, 'Other@12345678');
  if (command.change === 'group' && isThere && setup.vendor === 'alibaba-ehpc')
    simulator.setGroup(clusterId, username, command.role === 'admin' ? 'wheel' : 'users');
  touchedAt.set(username, world.vendorNow());
  runner.users = await usersNow(runner);
};

const perform = (runner: Runner, command: Command): Promise<void> => {
  switch (command.kind) {
    case 'write':
      return write(runner, command);
    case 'pair':
      return pair(runner, command);
    case 'rehearse':
      return rehearse(runner, command);
    case 'other':
      return other(runner, command);
  }
};

const checkSecrets = ({ world, texts }: Runner): void => {
  for (const text of [...texts, world.logged()]) {
    const shown = PASSWORD_SHOWN.exec(text) ?? world.secrets().find((secret) => text.includes(secret));
    if (shown) fail('a secret is shown', { text: text.slice(0, 2_000) });
  }
};

const PICKY = { 'alibaba-ehpc': '"', 'shanhe-hpc': 'A' } as const;

/** @throws Untrue */
export const runPlan = async ({ setup, commands }: Plan): Promise<void> => {
  const durable = commands.some((command) => command.kind === 'write' && command.crashMs !== undefined);
  const world = await startWorld(setup, { durable });
  const runner: Runner = {
    world,
    passwords: createPasswords(PICKY[setup.vendor]),
    seen: new Set(),
    users: new Map(),
    key: 0,
    failedOverAt: Number.NEGATIVE_INFINITY,
    touchedAt: new Map(),
    texts: [],
  };
  try {
    runner.users = await usersNow(runner);
    for (const command of commands) await perform(runner, command);
    checkSecrets(runner);
  } finally {
    await world.close();
  }
};
