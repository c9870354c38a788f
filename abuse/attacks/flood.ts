/** Requests at a fixed rate, whether answers come or not; and the rate that the gateway can answer. */
import type { Socket } from 'node:net';
import type { Attack, Order, Tally } from '../types.js';
import { head, open, sleep } from './sockets.js';

const PATH = 'GET /clusters/ehpc/users?limit=10';
const TICK_MS = 5;
const MAX_CONNECTIONS = 1_000;
/** Requests that wait for their answer on one connection. */
const MAX_DEPTH = 32;
const STATUS = /HTTP\/1\.1 (\d{3})/g;
/** The longest part of a status line that two chunks can share. */
const CARRY = 11;

interface Line {
  readonly socket: Socket;
  waiting: number;
}

/** A connection that counts the answers it gets. */
const connectLine = ({ target }: Order, tally: Tally, answered: (line: Line) => void, closed: (line: Line) => void): Line => {
  const socket = open(target, tally);
  const line: Line = { socket, waiting: 0 };
  let carry = '';
  socket.on('data', (data) => {
    const text = carry + data.toString('latin1');
    for (const [, status = ''] of text.matchAll(STATUS)) {
      tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      line.waiting -= 1;
      answered(line);
    }
    carry = text.slice(-CARRY);
  });
  socket.once('close', () => closed(line));
  return line;
};

export const flood: Attack = {
  caller: 'flooding',
  connections: MAX_CONNECTIONS,
  prepare: (order) => async (tally) => {
    const request = head(order.target, PATH);
    const lines = new Set<Line>();
    const max = Math.min(MAX_CONNECTIONS, order.maxConnections);
    const closed = (line: Line): void => {
      lines.delete(line);
    };
    /** Requests that the rate asks for and that no connection could take. */
    let withheld = 0;
    const send = (): void => {
      // Those that have waited longest for a request are first in the set.
      const [next] = lines;
      const line = next && next.waiting < 1 ? next : lines.size < max ? connectLine(order, tally, () => undefined, closed) : next;
      if (line === undefined) return;
      lines.delete(line);
      lines.add(line);
      if (line.waiting >= MAX_DEPTH) {
        withheld += 1;
        return;
      }
      line.waiting += 1;
      tally.sent += 1;
      line.socket.write(request);
    };
    const since = performance.now();
    let due = 0;
    for (let now = since; now - since < order.ms; now = performance.now()) {
      for (const until = ((now - since) / 1_000) * order.rate; due < until; due++) send();
      await sleep(TICK_MS);
    }
    for (const { socket } of lines) socket.resetAndDestroy();
    tally.statuses['none'] = Math.max(0, tally.sent - Object.values(tally.statuses).reduce((sum, one) => sum + one, 0));
    tally.statuses['withheld'] = withheld;
  },
};

const CLOSED_LOOP = 32;

/** Callers that send the next request when they have the answer; for the rate that the gateway can answer. */
export const capacity: Attack = {
  caller: 'attacking',
  connections: CLOSED_LOOP,
  prepare: (order) => async (tally) => {
    const request = head(order.target, PATH);
    const until = performance.now() + order.ms;
    const next = ({ socket }: Line): void => {
      if (performance.now() > until) return;
      tally.sent += 1;
      socket.write(request);
    };
    const lines = Array.from({ length: CLOSED_LOOP }, () => connectLine(order, tally, next, () => undefined));
    for (const line of lines) next(line);
    await sleep(order.ms);
    for (const { socket } of lines) socket.resetAndDestroy();
  },
};
